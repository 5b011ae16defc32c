"""The card's section on stress: worse pictures, the same picture again, attacks, and the truth of heatmaps."""

from typing import Any

from secondlook.evaluation.card.source import Source
from secondlook.evaluation.card.voice import join_parts, write_list


def write_stability(source: Source) -> str:
    """Return a sentence or two on each check that was made, and which were not."""
    voice = source.voice
    checks = {
        voice(en="robustness", fr="robustesse"): _tell_robustness(source),
        voice(en="repeatability", fr="répétabilité"): _tell_repeatability(source),
        voice(en="heatmaps", fr="cartes de chaleur"): _tell_explanations(source),
        voice(en="attacks", fr="attaques"): _tell_attack(source),
    }
    unmeasured = [name for name, text in checks.items() if not text]
    heading = voice(en="## Robustness, repeatability, heatmaps", fr="## Robustesse, répétabilité, cartes de chaleur")
    rest = (
        voice(en=f"Not measured: {voice.join(unmeasured)}.", fr=f"Non mesuré : {voice.join(unmeasured)}.")
        if unmeasured
        else ""
    )
    return join_parts(heading, write_list(text for text in checks.values() if text), rest)


def _tell_robustness(source: Source) -> str:
    found: Any = source.evidence.robustness
    if not found:
        return ""
    voice = source.voice
    loss, flips = voice.figure(found["mean_loss"].get("auc")), voice.share(found["mean"]["flips"])
    kinds, sample = len(found["corruptions"]), found["sample"]["pictures"]
    return voice(
        en=f"**Worse pictures.** Over {kinds} kinds of corruption at five levels each ({sample} pictures), the AUC of "
        f"{source.risk} falls by {loss} on average, and {flips} of the pictures that asked for somebody's look are "
        "answered *routine* instead.",
        fr=f"**Images dégradées.** Sur {kinds} types d’altération à cinq niveaux chacun ({sample} images), l’AUC "
        f"{source.of_risk} baisse en moyenne de {loss}, et {flips} des images qui appelaient un avis reçoivent à la "
        "place « suivi habituel ».",
    )


def _tell_repeatability(source: Source) -> str:
    found: Any = source.evidence.repeatability
    if not found:
        return ""
    voice, every = source.voice, found["changes"]["all"]
    changed, unstable = voice.share(every["changed"]), voice.share(every["unstable"])
    text = voice(
        en="**The same picture again.** Turned, flipped, cropped or saved anew, a picture gets another triage in "
        f"{changed} of the cases; {unstable} of the pictures change in at least one of {every['variants']} ways.",
        fr="**La même image à nouveau.** Tournée, retournée, recadrée ou réenregistrée, une image reçoit un autre "
        f"triage dans {changed} des cas ; {unstable} des images changent pour au moins une de {every['variants']} "
        "variantes.",
    )
    again = found.get("retaken")
    if not again:
        return text
    share = voice.share(again["changed"])
    return f"{text} " + voice(
        en=f"Of {again['groups']} {source.groups} with several pictures, {share} do not get the same triage for all.",
        fr=f"Sur {again['groups']} {source.groups} ayant plusieurs images, {share} n’ont pas le même triage pour "
        "toutes.",
    )


def _tell_explanations(source: Source) -> str:
    found: Any = source.evidence.explanations
    if not found:
        return ""
    voice = source.voice
    gains = {curve: found[curve]["over_random"] for curve in ("deletion", "insertion")}
    better = [curve for curve, gain in gains.items() if gain["lower"] is not None and gain["lower"] > 0]
    figures = {curve: voice.figure(gain) for curve, gain in gains.items()}
    verdict = _judge_maps(source, better)
    text = voice(
        en=f"**Heatmaps.** {verdict} Gain over a random map when the marked parts are taken away: "
        f"{figures['deletion']}; when only they are shown: {figures['insertion']}.",
        fr=f"**Cartes de chaleur.** {verdict} Gain sur une carte tirée au hasard quand on ôte les zones marquées : "
        f"{figures['deletion']} ; quand on ne montre qu’elles : {figures['insertion']}.",
    )
    if not any((found[curve]["over_centre"]["lower"] or 0) > 0 for curve in gains):
        text += " " + voice(
            en="A spot in the middle of the picture does as well: do not lean on them alone.",
            fr="Une tache au milieu de l’image fait aussi bien : ne pas se fier à elles seules.",
        )
    masks = found.get("masks")
    if not masks:
        return text
    inside, chance = voice.share(masks["map"]), voice.share(masks["chance"])
    return f"{text} " + voice(
        en=f"Of their heat, {inside} lies inside the outline of the lesion, which covers {chance} of the picture.",
        fr=f"De leur chaleur, {inside} se trouve dans le contour de la lésion, qui couvre {chance} de l’image.",
    )


def _judge_maps(source: Source, better: list[str]) -> str:
    if len(better) == 2:
        return source.voice(
            en="They mark what the answer rests on better than chance does.",
            fr="Elles désignent mieux que le hasard ce dont dépend la réponse.",
        )
    if better:
        return source.voice(
            en="They are better than chance in one of two checks: read them with doubt.",
            fr="Elles ne font mieux que le hasard qu’à l’une de deux épreuves : à lire avec réserve.",
        )
    return source.voice(
        en="They are no better than chance: do not rely on them.",
        fr="Elles ne font pas mieux que le hasard : ne pas s’y fier.",
    )


def _tell_attack(source: Source) -> str:
    found: Any = source.evidence.attack
    if not found:
        return ""
    voice, clean = source.voice, found["clean"]
    worst = min(found["methods"].values(), key=lambda method: method["accuracy"][-1]["value"])
    strength = voice.decimal(found["strengths"][-1], 0)
    before, after = voice.share(clean["accuracy"]), voice.share(worst["accuracy"][-1])
    text = voice(
        en=f"**Attacks.** Whoever has the weights can change pictures unnoticed, by at most {strength} of 255 levels, "
        f"so that the network is right in {after} of them in place of {before}.",
        fr=f"**Attaques.** Qui possède les poids peut modifier des images à l’insu de tous, d’au plus {strength} "
        f"niveaux sur 255, de sorte que le réseau n’a raison que sur {after} d’entre elles au lieu de {before}.",
    )
    if "served_accuracy" not in clean:
        return text
    before, after = voice.share(clean["served_accuracy"]), voice.share(worst["served_accuracy"][-1])
    return f"{text} " + voice(
        en=f"Shown the same pictures, this model is right in {after} in place of {before}.",
        fr=f"Devant les mêmes images, ce modèle a raison sur {after} au lieu de {before}.",
    )
