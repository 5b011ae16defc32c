"""The card's section on operating points and triage."""

from typing import Any

from secondlook.evaluation.card.figures import PER_LABEL
from secondlook.evaluation.card.source import Source
from secondlook.evaluation.card.voice import join_parts, write_table

RATES = ("sensitivity", "specificity", "ppv", "npv")


def write_points(source: Source) -> str:
    """Return how thresholds were chosen, what they give, and what the measured pictures were answered."""
    voice = source.voice
    measured = voice(
        en="What the same thresholds gave on the measured pictures:",
        fr="Ce que les mêmes seuils ont donné sur les images évaluées :",
    )
    answered = voice(
        en="What the pictures of the measuring split were answered:", fr="Réponses données aux images évaluées :"
    )
    heading = voice(en="## Operating points and triage", fr="## Seuils et triage")
    return join_parts(
        heading,
        _tell_choice(source),
        _tabulate_points(source),
        _judge_support(source),
        measured,
        _tabulate_rates(source),
        answered,
        _tabulate_triage(source),
    )


def _tell_choice(source: Source) -> str:
    voice = source.voice
    urgent = source.task.urgency == "urgent"
    words = voice(
        en="*urgent* from the first on, *refer* from the second on"
        if urgent
        else "*refer* from the second on; the first stands here for comparison alone",
        fr="« urgent » à partir du premier, « à adresser » à partir du second"
        if urgent
        else "« à adresser » à partir du second ; le premier n’est là que pour comparaison",
    )
    return voice(
        en=f"Thresholds on the probability {source.of_risk}, chosen on the calibration split; they aim at a "
        f"sensitivity of 90 % and 95 %: {words}. The bound in brackets is one-sided, at 95 %: the lower of "
        f"Clopper–Pearson's and a bootstrap over {source.groups}.",
        fr=f"Seuils sur la probabilité {source.of_risk}, choisis sur la partie « calibration » ; ils visent une "
        f"sensibilité de 90 % et 95 % : {words}. La borne entre parenthèses est unilatérale, à 95 % : la plus basse de "
        f"celles de Clopper–Pearson et d’un bootstrap sur les groupes ({source.groups}).",
    )


def _tabulate_points(source: Source) -> str:
    voice, rows = source.voice, []
    for point in source.calibration.operating_points:
        lower, threshold = voice.decimal(point.sensitivity_lower), voice.decimal(point.threshold, 4)
        fitted = voice.decimal(point.sensitivity) + voice(en=f" (at least {lower})", fr=f" (au moins {lower})")
        rows.append((source.name_point(point.name), threshold, fitted, voice.decimal(point.specificity)))
    headings = voice(
        en="Triage|Threshold|Sensitivity, calibration|Specificity, calibration",
        fr="Triage|Seuil|Sensibilité, calibration|Spécificité, calibration",
    )
    return write_table(headings.split("|"), rows)


def _tabulate_rates(source: Source) -> str:
    voice, points = source.voice, source.measures["risk"]["operating_points"]
    rows = [
        (source.name_point(point.name), *(voice.figure(points[point.name][rate]) for rate in RATES))
        for point in source.calibration.operating_points
    ]
    names = (PER_LABEL[rate][voice.language] for rate in RATES)
    return write_table((voice(en="Triage, measured", fr="Triage, mesuré"), *names), rows)


def _judge_support(source: Source) -> str:
    voice = source.voice
    weak = [source.name_point(point.name) for point in source.calibration.operating_points if not point.supported]
    if not weak:
        return voice(
            en="The lower bounds reach the targets.", fr="Les bornes inférieures atteignent les sensibilités visées."
        )
    return voice(
        en=f"The calibration pictures are too few, or the model too weak, to promise the target itself for "
        f"{voice.join(weak)}: the lower bound lies below it.",
        fr=f"Les images de calibration sont trop peu nombreuses, ou le modèle trop faible, pour garantir la cible même "
        f"pour {voice.join(weak)} : la borne inférieure reste au-dessous.",
    )


def _tabulate_triage(source: Source) -> str:
    measures: Any = source.measures
    voice, urgent = source.voice, source.task.urgency == "urgent"
    words = [word for word in measures["triage"]["alarming"] if word != "urgent" or urgent]
    sides = {"alarming": ", ".join(source.task.alarming), "other": voice(en="all others", fr="toutes les autres")}
    rows = [
        (sides[side], *(voice.share(shares[word]) for word in words)) for side, shares in measures["triage"].items()
    ]
    return write_table((voice(en="True label", fr="Classe vraie"), *map(source.name_triage, words)), rows)
