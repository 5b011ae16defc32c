"""What a prediction rests on, as figures for machines and as sentences in English and French."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from secondlook.conditions import Kind, Language, Task, find_task
from secondlook.imaging.quality import QualityFlag

ReasonCode = Literal[
    "quality",
    "outlier",
    "unplaced",
    "not_offered",
    "urgent",
    "refer",
    "refer_at_most",
    "routine",
    "above_usual_share",
    "not_told_apart",
    "undecided",
    "decision_support",
]

SENTENCES: dict[str, dict[Language, str]] = {
    "outlier": {
        "en": "The picture does not resemble those that the model was calibrated on (distance {score}, limit {limit}), "
        "so its answer would mean nothing. {advice}",
        "fr": "L’image ne ressemble pas à celles qui ont servi à étalonner le modèle (distance {score}, limite "
        "{limit}) : sa réponse n’aurait pas de sens. {advice}",
    },
    "unplaced": {
        "en": "The picture resembles nothing that is looked at here. It comes nearest to this: {thing}; but it lies "
        "{score} times as far from such pictures as is accepted. If it is one all the same, choose so.",
        "fr": "L’image ne ressemble à rien de ce qui est examiné ici. Le plus proche : {thing} ; mais elle en est "
        "{score} fois plus éloignée qu’il n’est admis. Si c’en est une malgré tout, choisissez-le.",
    },
    "not_offered": {
        "en": "The picture seems to be this: {thing}; no model for that is on offer here. If it is something else, "
        "choose what it is.",
        "fr": "L’image semble être ceci : {thing} ; aucun modèle n’est proposé ici pour cela. Si c’est autre chose, "
        "choisissez ce que c’est.",
    },
    "urgent": {
        "en": "{name}: the probability is {risk}, at or above the higher threshold of {threshold}. On the calibration "
        "pictures that threshold found {sensitivity} of those with it (at least {sensitivity_lower} with 95% "
        "confidence), and {specificity} of those without it lay below.",
        "fr": "{name} : la probabilité est de {risk} ; elle atteint le seuil supérieur de {threshold}. Sur les images "
        "d’étalonnage, ce seuil a trouvé {sensitivity} des images atteintes (au moins {sensitivity_lower} avec une "
        "confiance de 95 %), et {specificity} des autres étaient en dessous.",
    },
    "refer": {
        "en": "{name}: the probability is {risk}, at or above the lower threshold of {threshold}, but below the higher "
        "one of {threshold_urgent}. On the calibration pictures the lower threshold found {sensitivity} of those with "
        "it (at least {sensitivity_lower} with 95% confidence), and {specificity} of those without it lay below.",
        "fr": "{name} : la probabilité est de {risk} ; elle atteint le seuil inférieur de {threshold}, mais pas le "
        "seuil supérieur de {threshold_urgent}. Sur les images d’étalonnage, le seuil inférieur a trouvé {sensitivity} "
        "des images atteintes (au moins {sensitivity_lower} avec une confiance de 95 %), et {specificity} des autres "
        "étaient en dessous.",
    },
    "refer_at_most": {
        "en": "{name}: the probability is {risk}, at or above the threshold of {threshold}. On the calibration "
        "pictures that threshold found {sensitivity} of those with it (at least {sensitivity_lower} with 95% "
        "confidence), and {specificity} of those without it lay below.",
        "fr": "{name} : la probabilité est de {risk} ; elle atteint le seuil de {threshold}. Sur les images "
        "d’étalonnage, ce seuil a trouvé {sensitivity} des images atteintes (au moins {sensitivity_lower} avec une "
        "confiance de 95 %), et {specificity} des autres étaient en dessous.",
    },
    "routine": {
        "en": "{name}: the probability is {risk}, below the lower threshold of {threshold}. On the calibration "
        "pictures that threshold found {sensitivity} of those with it (at least {sensitivity_lower} with 95% "
        "confidence); it missed {missed}, so a low probability does not rule it out.",
        "fr": "{name} : la probabilité est de {risk}, sous le seuil inférieur de {threshold}. Sur les images "
        "d’étalonnage, ce seuil a trouvé {sensitivity} des images atteintes (au moins {sensitivity_lower} avec une "
        "confiance de 95 %) ; il en a manqué {missed} : une probabilité faible ne l’exclut pas.",
    },
    "above_usual_share": {
        "en": "The label named is {label} because its probability of {probability} stands highest above its usual "
        "share of {share}. The most probable label is {top}, with {top_probability} and a usual share of {top_share}.",
        "fr": "Le diagnostic nommé est {label}, car c’est sa probabilité de {probability} qui dépasse le plus sa part "
        "habituelle de {share}. Le plus probable est {top}, avec {top_probability} pour une part habituelle de "
        "{top_share}.",
    },
    "not_told_apart": {
        "en": "Cannot be told apart: {labels}. Such lists are made so that, for pictures of each condition, about "
        "{level} of them hold the true one.",
        "fr": "Impossible à départager : {labels}. Ces listes sont faites pour que, pour chaque affection, environ "
        "{level} d’entre elles contiennent la bonne.",
    },
    "undecided": {
        "en": "The model does not commit itself to one condition; too many cannot be told apart: {labels}. Such lists "
        "are made so that, for pictures of each condition, about {level} of them hold the true one.",
        "fr": "Le modèle ne se prononce pour aucune affection ; trop d’entre elles sont impossibles à départager : "
        "{labels}. Ces listes sont faites pour que, pour chaque affection, environ {level} d’entre elles contiennent "
        "la bonne.",
    },
    "decision_support": {
        "en": "This result supports a clinician’s decision; it is no diagnosis.",
        "fr": "Ce résultat aide un clinicien à décider ; ce n’est pas un diagnostic.",
    },
}
ADVICE: dict[str, dict[Language, str]] = {
    "photograph": {
        "en": "Take a close picture of one lesion, in focus and evenly lit.",
        "fr": "Prenez une image rapprochée d’une seule lésion, nette et éclairée uniformément.",
    },
    "radiograph": {
        "en": "Choose the model for this part of the body, and send the whole X-ray rather than a photograph of it.",
        "fr": "Choisissez le modèle de cette partie du corps et envoyez la radiographie entière, non sa photographie.",
    },
}
DISTANCES = frozenset({"score", "limit"})
NAMED = frozenset({"label", "top"})
PROBABILITIES = frozenset({"risk", "probability", "top_probability"})


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that a prediction rests on.

    Attributes:
        code: What it is about.
        figures: Its numbers and keys, under the names that the sentences use.
    """

    code: ReasonCode
    figures: Mapping[str, float | str]

    def describe(self, language: Language = "en") -> str:
        """Return one or two sentences for a reader."""
        if self.code == "quality":
            return _restore_flag(self.figures).describe(language)
        task = find_task(str(self.figures["task"])) if "task" in self.figures else None
        words = {key: _write_figure(key, value, task, language) for key, value in self.figures.items()}
        if task:
            words |= {"name": task.risk[language], "thing": task.names[language][0].lower() + task.names[language][1:]}
        if "kind" in self.figures:
            words["advice"] = ADVICE[str(self.figures["kind"])][language]
        return SENTENCES[self.code][language].format(**words)


def explain_flag(flag: QualityFlag) -> Reason:
    """Return the reason that a quality flag gives."""
    return Reason("quality", {"flag": flag.code, "figure": flag.figure, "limit": flag.limit, "kind": flag.kind})


def _restore_flag(figures: Mapping[str, float | str]) -> QualityFlag:
    kind: Kind = "radiograph" if figures["kind"] == "radiograph" else "photograph"
    return QualityFlag(str(figures["flag"]), float(figures["figure"]), float(figures["limit"]), kind)


def _write_figure(key: str, value: float | str, task: Task | None, language: Language) -> str:
    if key == "labels" and task:
        names = [task.find_label(label).names[language] for label in str(value).split(";")]
        return ", ".join(names)
    if isinstance(value, str):
        return task.find_label(value).names[language] if task and key in NAMED else value
    text = f"{value:.3f}" if key in DISTANCES else _write_share(value, exact=key not in PROBABILITIES)
    return text if language == "en" else text.replace(".", ",").replace("%", "\N{NO-BREAK SPACE}%")


def _write_share(share: float, *, exact: bool) -> str:
    # No model is certain: what rounds to nothing or to all is written as below or above.
    if not exact and share < 0.0005:
        return "<0.1%"
    if not exact and share > 0.9995:
        return ">99.9%"
    return f"{100 * share:.1f}%"
