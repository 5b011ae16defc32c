"""The card's section on calibration, prediction sets and refusals: what the bundle says of its own doubt."""

from typing import Any

from secondlook.evaluation.card.source import Source
from secondlook.evaluation.card.voice import join_parts, write_table

METHODS = {
    "temperature": {"en": "one temperature", "fr": "une température unique"},
    "vector": {"en": "vector scaling", "fr": "une calibration par classe (vector scaling)"},
    "dirichlet": {"en": "Dirichlet scaling", "fr": "une calibration de Dirichlet"},
}


def write_certainty(source: Source) -> str:
    """Return how far probabilities, prediction sets and refusals can be trusted, as measured."""
    heading = source.voice(
        en="## Calibration, prediction sets, refusals", fr="## Calibration, ensembles de prédiction, refus"
    )
    return join_parts(
        heading,
        _describe_calibration(source),
        _describe_sets(source),
        _describe_refusals(source),
        _tabulate_strangers(source),
    )


def _describe_calibration(source: Source) -> str:
    voice, scaling = source.voice, source.calibration.scaling
    method = METHODS[scaling.method if scaling else "temperature"][voice.language]
    made = voice(
        en=f"Probabilities are corrected by {method}, chosen on the calibration split alone.",
        fr=f"Les probabilités sont corrigées par {method}, d’après la seule partie « calibration ».",
    )
    stages: Any = source.evidence.reliability.get("risk", {})
    if "after" not in stages:
        error = voice.figure(source.measures["risk"]["expected_calibration_error"])
        return f"{made} " + voice(
            en=f"The expected calibration error of the probability {source.of_risk} is {error}.",
            fr=f"L’erreur de calibration attendue de la probabilité {source.of_risk} est de {error}.",
        )
    errors = {name: voice.figure(stage["expected_calibration_error"]) for name, stage in stages.items()}
    adaptive = voice.figure(stages["after"]["adaptive_calibration_error"])
    before = ""
    if "before" in errors:
        before = voice(
            en=f"; before, it was {errors['before']}", fr=f" ; avant correction, elle était de {errors['before']}"
        )
    return f"{made} " + voice(
        en=f"The expected calibration error of the probability {source.of_risk} is {errors['after']}{before}; the "
        f"adaptive one, {adaptive}.",
        fr=f"L’erreur de calibration attendue de la probabilité {source.of_risk} est de {errors['after']}{before} ; "
        f"l’erreur adaptative, de {adaptive}.",
    )


def _describe_sets(source: Source) -> str:
    sets: Any = source.evidence.sets
    whole = sets.get("slices", {}).get("all", {})
    if "coverage" not in whole or whole["coverage"]["value"] is None:
        return ""
    voice = source.voice
    coverage, undecided = voice.share(whole["coverage"]), voice.share(whole["undecided"])
    target, size = voice.percent(sets["target"], 0), voice.decimal(whole["size"]["value"], 1)
    text = voice(
        en=f"With each answer comes the set of labels that cannot be ruled out, made to hold the true one for {target} "
        f"of new pictures of each label. Measured, it held it for {coverage} of the pictures, with {size} labels on "
        f"average; {undecided} of the sets held more than {sets['widest']} labels, and the model then names none.",
        fr="Chaque réponse s’accompagne de l’ensemble des classes qu’on ne peut exclure, construit pour contenir la "
        f"vraie sur {target} des nouvelles images de chaque classe. À l’évaluation, il la contenait sur {coverage} "
        f"des images, avec {size} classes en moyenne ; {undecided} des ensembles en comptaient plus de "
        f"{sets['widest']}, et le modèle n’en nomme alors aucune.",
    )
    return f"{text} {_tell_short(source, sets)}".strip()


def _tell_short(source: Source, sets: Any) -> str:
    """Name the labels whose sets hold the true one less often than promised, interval included."""
    voice, short = source.voice, []
    for label in source.task.labels:
        part, level = sets["slices"].get(f"labels/{label.key}", {}), sets["levels"][label.key]["level"]
        upper = part.get("coverage", {}).get("upper")
        if upper is not None and upper < level:
            short.append(f"{label.names[voice.language]} ({voice.share(part['coverage'])})")
    if not short:
        return voice(
            en="For no label was that less than promised, beyond chance.",
            fr="Pour aucune classe, ce n’était moins que promis au-delà du hasard.",
        )
    names = voice.join(short)
    return voice(
        en=f"Less often than promised, beyond chance: {names}.", fr=f"Moins que promis, au-delà du hasard : {names}."
    )


def _describe_refusals(source: Source) -> str:
    voice, outlier, refusals = source.voice, source.calibration.outlier, source.measures["refusals"]
    beyond, refused = voice.share(refusals["outlier"]), voice.share(refusals["not_evaluable"])
    limit = voice.decimal(outlier.limit, 2)
    text = voice(
        en=f"A picture beyond the outlier limit ({outlier.method.value}, {limit}), or of too bad a quality, is not "
        f"evaluable. Of the pictures measured, {beyond} lay beyond the limit, and {refused} were not evaluable for any "
        "reason.",
        fr=f"Une image au-delà de la limite d’atypie ({outlier.method.value}, {limit}), ou de trop mauvaise qualité, "
        f"est non évaluable. Parmi les images évaluées, {beyond} dépassaient la limite et {refused} étaient non "
        "évaluables pour une raison quelconque.",
    )
    outside = refusals.get("outside")
    if outside is None:
        return f"{text} " + voice(
            en="How many pictures of something else are refused was not measured.",
            fr="La part refusée d’images montrant autre chose n’a pas été mesurée.",
        )
    count, folder = voice.count(outside["pictures"]), outside["folder"]
    beyond, refused = voice.share(outside["outlier"]), voice.share(outside["not_evaluable"])
    return f"{text} " + voice(
        en=f"Of {count} pictures of something else (`{folder}`), {beyond} lay beyond the limit, and {refused} were not "
        "evaluable.",
        fr=f"Sur {count} images montrant autre chose (`{folder}`), {beyond} dépassaient la limite et {refused} "
        "étaient non évaluables.",
    )


def _tabulate_strangers(source: Source) -> str:
    found: Any = source.evidence.outliers
    if not found:
        return ""
    voice = source.voice
    served = next(method for method in found["methods"] if method["served"])
    text = voice(
        en="Pictures that it is not for, other than those that chose the method (near: like its own, but not what it "
        "was made for):",
        fr="Images pour lesquelles il n’est pas fait, autres que celles qui ont fait choisir la méthode (proches : "
        "semblables aux siennes, mais hors de son domaine) :",
    )
    rows = [
        (
            f"`{kind['name']}`",
            voice(en="near", fr="proches") if kind["near"] else voice(en="far", fr="éloignées"),
            voice.count(kind["pictures"]),
            voice.share(served["refused"][kind["name"]]),
            voice.figure(served["auc"][kind["name"]]),
        )
        for kind in found["sets"]
    ]
    headings = voice(en="Pictures|Kind|Number|Refused|AUC", fr="Images|Type|Nombre|Refusées|AUC").split("|")
    return f"{text}\n\n{write_table(headings, rows)}"
