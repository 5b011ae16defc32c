"""The card's figures: over all labels, by label, and what is mistaken for what."""

from collections.abc import Iterator, Mapping
from typing import Any

from secondlook.evaluation.card.source import Source
from secondlook.evaluation.card.voice import capitalise, join_parts, write_table
from secondlook.evaluation.scope import Words

OVERALL: Mapping[str, Words] = {
    "macro_auc": {"en": "Macro AUC", "fr": "AUC macro"},
    "balanced_accuracy": {"en": "Balanced accuracy", "fr": "Exactitude équilibrée"},
    "accuracy": {"en": "Accuracy of the named label", "fr": "Exactitude de la classe nommée"},
    "accuracy_of_most_probable": {
        "en": "Accuracy of the most probable label",
        "fr": "Exactitude de la classe la plus probable",
    },
    "macro_f1": {"en": "Macro F1", "fr": "F1 macro"},
    "quadratic_kappa": {"en": "Quadratic kappa, over the grades", "fr": "Kappa quadratique, sur les stades"},
    "kappa": {"en": "Cohen's kappa", "fr": "Kappa de Cohen"},
    "matthews": {"en": "Matthews correlation", "fr": "Corrélation de Matthews"},
    "expected_calibration_error": {"en": "Expected calibration error", "fr": "Erreur de calibration attendue"},
    "brier": {"en": "Brier score (0 … 2)", "fr": "Score de Brier (0 … 2)"},
}
RISK: Mapping[str, Words] = {
    "auc": {"en": "AUC", "fr": "AUC"},
    "expected_calibration_error": {"en": "expected calibration error", "fr": "erreur de calibration attendue"},
    "brier": {"en": "Brier score (0 … 1)", "fr": "score de Brier (0 … 1)"},
}
PER_LABEL: Mapping[str, Words] = {
    "auc": {"en": "AUC", "fr": "AUC"},
    "sensitivity": {"en": "Sensitivity", "fr": "Sensibilité"},
    "specificity": {"en": "Specificity", "fr": "Spécificité"},
    "ppv": {"en": "PPV", "fr": "VPP"},
    "npv": {"en": "NPV", "fr": "VPN"},
}


def write_figures(source: Source) -> str:
    """Return all figures with their intervals."""
    voice, evidence = source.voice, source.evidence
    heading = voice(en="## Figures", fr="## Chiffres")
    text = voice(
        en=f"Measured on the split {evidence.manifest['split']}, through the predictor that serves. Values with 95 % "
        f"intervals, from {voice.count(evidence.resamples)} bootstrap resamples of whole {source.groups}.",
        fr=f"Mesurés sur la partie « {evidence.manifest['split']} », par le même code que celui qui répond aux "
        f"médecins. Valeurs avec intervalles à 95 %, par {voice.count(evidence.resamples)} rééchantillonnages "
        f"bootstrap de groupes entiers ({source.groups}).",
    )
    headings = (voice(en="Measure", fr="Mesure"), voice(en="Value", fr="Valeur"))
    parts = [heading, text, write_table(headings, _list_overall(source))]
    if "auc" in source.measures:
        parts.append(voice(en="Each label against all others:", fr="Chaque classe contre toutes les autres :"))
        parts.append(_tabulate_labels(source))
        parts.append(
            voice(
                en="True labels in rows, named labels in columns:",
                fr="Classes vraies en lignes, classes nommées en colonnes :",
            )
        )
        parts.append(_tabulate_confusion(source))
    return join_parts(*parts, *_list_notes(source))


def _list_overall(source: Source) -> Iterator[tuple[str, str]]:
    measures, voice, language = source.measures, source.voice, source.voice.language
    for key, names in OVERALL.items():
        if key in measures:
            yield names[language], voice.figure(measures[key])
    for key, names in RISK.items():
        name = voice(en=f": {names['en']}", fr=f" : {names['fr']}")
        yield f"{capitalise(source.risk)}{name}", voice.figure(measures["risk"][key])
    operating: Any = source.evidence.operating
    if "mel" in operating.get("specificity_at_95", {}):
        name = voice(en="Specificity at 95 % melanoma sensitivity", fr="Spécificité à 95 % de sensibilité au mélanome")
        yield name, voice.share(operating["specificity_at_95"]["mel"])


def _tabulate_labels(source: Source) -> str:
    voice, language, measures = source.voice, source.voice.language, source.measures
    manifest: Any = source.evidence.manifest
    rows = [
        (
            label,
            voice.count(manifest["labels"].get(label, 0)),
            voice.count(manifest["groups_by_label"].get(label, 0)),
            *(voice.figure(measures[key][label]) for key in PER_LABEL),
        )
        for label in measures["auc"]
    ]
    headings = (voice(en="Label", fr="Classe"), voice(en="Pictures", fr="Images"), source.groups.capitalize())
    return write_table((*headings, *(names[language] for names in PER_LABEL.values())), rows)


def _tabulate_confusion(source: Source) -> str:
    keys = list(source.measures["auc"])
    rows = [
        (f"**{key}**", *map(source.voice.count, row))
        for key, row in zip(keys, source.measures["confusion_matrix"], strict=True)
    ]
    return write_table((source.voice(en="True", fr="Vraie"), *keys), rows)


def _list_notes(source: Source) -> list[str]:
    notes: Any = source.evidence.manifest["notes"]
    if not notes or source.voice.language == "en":
        return list(notes)
    return [source.voice(en="", fr=f"Remarque de la mesure, en anglais : « {note} »") for note in notes]
