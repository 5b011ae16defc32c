"""The card's end: outside tests, limits, how to reproduce it, licence, and how to cite it."""

from collections.abc import Iterator
from typing import Any

from secondlook.evaluation.card.source import Source
from secondlook.evaluation.card.voice import join_parts, write_list, write_table
from secondlook.evaluation.scope import Words, find_notes


def write_outside(source: Source) -> str:
    """Return what the bundle was measured to do on other manifests."""
    voice = source.voice
    heading = voice(en="## Outside tests", fr="## Évaluation externe")
    tests: Any = source.evidence.outside
    if not tests:
        return join_parts(
            heading,
            voice(
                en="It was not measured on pictures from elsewhere. Nobody knows what it does there.",
                fr="Il n’a pas été évalué sur des images venues d’ailleurs. On ignore ce qu’il y vaut.",
            ),
        )
    rows = [_write_test(source, name, test) for name, test in tests.items()]
    headings = voice(
        en="Pictures|Number|AUC|Sensitivity, refer|Specificity, refer|Beyond the outlier limit",
        fr="Images|Nombre|AUC|Sensibilité, à adresser|Spécificité, à adresser|Au-delà de la limite d’atypie",
    )
    return join_parts(heading, write_table(headings.split("|"), rows))


def _write_test(source: Source, name: str, test: Any) -> list[str]:
    voice = source.voice
    row = [f"`{name}`", source.count(test["pictures"], test["groups"])]
    if "measures" in test:
        risk, refusals = test["measures"]["risk"], test["measures"]["refusals"]
        point = risk["operating_points"]["sensitivity_95"]
        rates = (voice.share(point[rate]) for rate in ("sensitivity", "specificity"))
        return [*row, voice.figure(risk["auc"]), *rates, voice.share(refusals["outlier"])]
    outlier = test.get("shares", {}).get("outlier")
    return [*row, *["–"] * 3, voice.share(outlier) if outlier else "–"]


ALWAYS: tuple[Words, ...] = (
    {
        "en": "Probabilities are calibrated for the class shares of the calibration data.",
        "fr": "Les probabilités sont calibrées pour les proportions de classes des données de calibration.",
    },
    {
        "en": "The outlier limit refuses most of what is no such picture at all, not everything.",
        "fr": "La limite d’atypie écarte la plupart des images sans rapport, pas toutes.",
    },
    {
        "en": "It was measured on stored pictures, not in use: whether it helps patients is not known.",
        "fr": "Il a été évalué sur des images archivées, non en situation : on ignore s’il est utile aux patients.",
    },
)


def write_limits(source: Source) -> str:
    """Return what the figures do not tell."""
    voice, name = source.voice, source.facts.name
    lines = [
        voice(
            en="The figures hold for pictures from where the measured ones come from. Measure on your own pictures "
            f"first: `secondlook evaluate {name} YOUR_MANIFEST.csv`.",
            fr="Les chiffres valent pour des images de même provenance que celles évaluées. À évaluer d’abord sur ses "
            f"propres images : `secondlook evaluate {name} MON_MANIFESTE.csv`.",
        ),
        voice(
            en=f"Rare labels rest on few {source.groups}: read their intervals, not their values.",
            fr=f"Les classes rares reposent sur peu de {source.groups} : en lire les intervalles, pas les valeurs.",
        ),
        voice(
            en=f"Predictive values depend on how common {source.risk} is among the pictures measured; it may be rarer "
            "where you work.",
            fr=f"Les valeurs prédictives dépendent de la fréquence {source.of_risk} parmi les images évaluées ; elle "
            "peut être plus faible dans une autre pratique.",
        ),
        *(voice(en=line["en"], fr=line["fr"]) for line in ALWAYS),
        *_list_unmeasured(source),
    ]
    return join_parts(voice(en="## Limits", fr="## Limites"), write_list(lines))


def _list_unmeasured(source: Source) -> Iterator[str]:
    if not source.evidence.outside:
        yield source.voice(
            en="Expect less elsewhere: nothing was measured on pictures from other places.",
            fr="Ailleurs, s’attendre à de moins bons résultats : rien n’y a été mesuré.",
        )
    if not source.evidence.subgroups:
        yield _name_unmeasured(source)


def _name_unmeasured(source: Source) -> str:
    photograph = source.task.kind == "photograph"
    return source.voice(
        en=f"Figures by {'age, sex, body site and skin type' if photograph else 'age, sex and hospital'} were not "
        "measured.",
        fr="Aucun chiffre n’a été mesuré par "
        f"{'âge, sexe, localisation et phototype' if photograph else 'âge, sexe et hôpital'}.",
    )


def write_end(source: Source) -> str:
    """Return how to measure the bundle anew, its licence, and how to cite it."""
    facts, manifest, voice = source.facts, source.evidence.manifest, source.voice
    command = f"    secondlook evaluate {facts.name} MANIFEST --split {manifest['split']} --check"
    prints = (f"`{manifest['fingerprint']}`", f"`{facts.training.data_fingerprint}`")
    day = source.evidence.measured
    when = voice(en=f" on {day}", fr=f" le {day}") if day else ""
    version = facts.training.secondlook_version
    reproduce = voice(
        en=f"measures it anew and compares every figure with `evidence.json`, measured{when} with Secondlook "
        f"{source.evidence.secondlook_version}. The fingerprint of the measured pictures is {prints[0]}; that of the "
        f"manifest trained from, {prints[1]}; the recipe's SHA-256, `{facts.training.recipe_sha256}`. The model was "
        f"exported on {facts.created} with Secondlook {version}.",
        fr=f"évalue le modèle à nouveau et compare chaque chiffre à `evidence.json`, mesuré{when} avec Secondlook "
        f"{source.evidence.secondlook_version}. L’empreinte des images évaluées est {prints[0]} ; celle du manifeste "
        f"d’apprentissage, {prints[1]} ; le SHA-256 de la recette, `{facts.training.recipe_sha256}`. Le modèle a été "
        f"exporté le {facts.created} avec Secondlook {version}.",
    )
    return join_parts(
        voice(en="## Reproduce", fr="## Reproduire"),
        command,
        reproduce,
        voice(en="## Licence and citation", fr="## Licence et citation"),
        _tell_licence(source),
    )


def _tell_licence(source: Source) -> str:
    facts, voice = source.facts, source.voice
    asked, cited = "", ""
    if notes := find_notes(facts.training.data):
        asked = voice(
            en=", which the data it was trained on ask for", fr=", comme l’exigent les données d’apprentissage"
        )
        cites = "; ".join(note.cite for note in notes)
        cited = voice(en=f", and the data: {cites}", fr=f", et les données : {cites}")
    identity = f"{facts.name} {facts.version}"
    return voice(
        en=f"The weights carry the licence {facts.licence}{asked}. To cite: Secondlook, model {identity}, graph "
        f"SHA-256 `{facts.graph.sha256}`{cited}.",
        fr=f"Les poids sont sous licence {facts.licence}{asked}. Pour citer : Secondlook, modèle {identity}, SHA-256 "
        f"du graphe `{facts.graph.sha256}`{cited}.",
    )
