"""The card's sections on data and labels."""

from typing import Any

import numpy as np

from secondlook.conditions import Severity
from secondlook.evaluation.card.source import Source
from secondlook.evaluation.card.voice import join_parts, space_french, write_table
from secondlook.evaluation.scope import Words, find_notes

SEVERITIES: dict[Severity, Words] = {
    "malignant": {"en": "malignant", "fr": "maligne"},
    "abnormal": {"en": "abnormal", "fr": "anormale"},
    "benign": {"en": "benign", "fr": "bénigne"},
    "normal": {"en": "normal", "fr": "normale"},
}
SPLITS = {"train": "apprentissage", "calibration": "calibration", "test": "test"}


def write_data(source: Source) -> str:
    """Return where the pictures come from, how many were used for what, and how the parts were kept apart."""
    voice, training, manifest = source.voice, source.facts.training, source.evidence.manifest
    fitted, measured = source.calibration.fitted_on, _count(source, manifest)
    clean = source.evidence.leak == "none"
    notes = "\n\n".join(_localise(note.text, source) for note in find_notes(training.data))
    sizes = voice(
        en=f"Trained on the split train of `{training.data}` with the recipe `{training.recipe}`. Calibrated on "
        f"{source.count(fitted.pictures, fitted.groups)}. Measured on {measured}"
        f"{', which neither training nor calibration saw' if clean else ''}.",
        fr=f"Entraîné sur la partie « apprentissage » de `{training.data}` avec la recette `{training.recipe}`. "
        f"Calibré sur {source.count(fitted.pictures, fitted.groups)}. Évalué sur {measured}"
        f"{', vues ni à l’apprentissage ni à la calibration' if clean else ''}.",
    )
    apart = voice(
        en=f"Splits keep {source.groups} whole, and were searched for shared files, pictures and near-duplicates.",
        fr=f"Le découpage ne sépare jamais les images d’un même groupe ({source.groups}) ; fichiers, images et "
        "quasi-doublons communs à deux parties ont été recherchés.",
    )
    heading = voice(en="## Data", fr="## Données")
    return join_parts(heading, notes, f"{sizes} {apart if clean else ''}".strip(), _tabulate_flow(source))


def _tabulate_flow(source: Source) -> str:
    flow: Any = source.evidence.flow
    if not flow:
        return ""
    voice = source.voice
    rows = [
        *(
            (voice(en=f"Split {part['split']}", fr=f"Partie « {SPLITS.get(part['split'], part['split'])} »"), part)
            for part in flow["splits"]
        ),
        (voice(en="To be measured", fr="À évaluer"), flow["asked"]),
        (voice(en="Measured", fr="Évaluées"), flow["measured"]),
        (voice(en="Of these, evaluable", fr="Dont évaluables par le modèle"), flow["evaluable"]),
    ]
    headings = (voice(en="Step", fr="Étape"), "Pictures" if voice.language == "en" else "Images")
    return write_table(
        (*headings, source.groups.capitalize()),
        [(name, voice.count(part["pictures"]), voice.count(part["groups"])) for name, part in rows],
    )


def write_labels(source: Source) -> str:
    """Return the labels with severity and usual share, and how the named one is chosen."""
    voice, language = source.voice, source.voice.language
    shares = np.exp(source.calibration.log_prior)
    rows = [
        (f"`{label.key}`", _localise(label.names, source), SEVERITIES[label.severity][language], voice.percent(share))
        for label, share in zip(source.task.labels, shares.tolist(), strict=True)
    ]
    headings = voice(en="Key,Name,Severity,Usual share", fr="Clé,Nom,Gravité,Part habituelle").split(",")
    text = voice(
        en="The label that the model names is the one whose probability stands highest above its usual share, that "
        "among the calibration pictures, so that a rare label does not drown among common ones. It can differ from the "
        "most probable label.",
        fr="La classe que nomme le modèle est celle dont la probabilité dépasse le plus sa part habituelle, celle des "
        "images de calibration, pour qu’une classe rare ne se perde pas parmi les fréquentes. Ce n’est pas toujours la "
        "classe la plus probable.",
    )
    return join_parts(voice(en="## Labels", fr="## Classes"), write_table(headings, rows), text)


def _count(source: Source, manifest: Any) -> str:
    return source.count(manifest["pictures"], manifest["groups"])


def _localise(words: Words, source: Source) -> str:
    text = words[source.voice.language]
    return space_french(text) if source.voice.language == "fr" else text
