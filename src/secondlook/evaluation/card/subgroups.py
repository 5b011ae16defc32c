"""The card's section on subgroups: whether it serves everybody alike, and of whom nobody can say."""

import re
from collections.abc import Mapping
from typing import Any

from secondlook.evaluation.card.source import Source
from secondlook.evaluation.card.voice import join_parts, write_list

# Titles and values as secondlook.data.explore writes them; a value of the data's own stays as it is.
TITLES: Mapping[str, str] = {
    "How the diagnosis was confirmed": "mode de confirmation du diagnostic",
    "Part of the body": "localisation",
    "Age": "âge",
    "Sex": "sexe",
    "Skin type": "phototype",
    "Resolution": "résolution",
    "Resolution, shorter side": "résolution, petit côté",
    "Device": "appareil",
}
VALUES: Mapping[str, str] = {
    "Not recorded": "non renseigné",
    "Female": "femmes",
    "Male": "hommes",
    "Histology": "histologie",
    "Confocal microscopy": "microscopie confocale",
    "Follow-up": "suivi",
    "Consensus of experts": "consensus d’experts",
    "Abdomen": "abdomen",
    "Acral": "extrémités",
    "Arm": "bras",
    "Back": "dos",
    "Chest": "thorax",
    "Ear": "oreille",
    "Face": "visage",
    "Foot": "pied",
    "Forearm": "avant-bras",
    "Genital": "organes génitaux",
    "Hand": "main",
    "Lower extremity": "membre inférieur",
    "Neck": "cou",
    "Nose": "nez",
    "Scalp": "cuir chevelu",
    "Thigh": "cuisse",
    "Trunk": "tronc",
    "Upper extremity": "membre supérieur",
    "Yes": "oui",
    "No": "non",
}
RATES: Mapping[str, Mapping[str, str]] = {
    "sensitivity": {"en": "sensitivity", "fr": "sensibilité"},
    "specificity": {"en": "specificity", "fr": "spécificité"},
}


def write_subgroups(source: Source) -> str:
    """Return the largest gaps at the operating point, and the groups that are too few to say."""
    voice, found = source.voice, source.evidence.subgroups
    factors: Any = found.get("factors", {})
    heading = voice(en="## Subgroups", fr="## Sous-groupes")
    if not factors:
        return join_parts(
            heading,
            voice(
                en="Nobody knows whether it serves everybody alike: no figures by age, sex, site or skin type were "
                "measured.",
                fr="On ignore s’il sert tout le monde également : aucun chiffre par âge, sexe, localisation ou "
                "phototype n’a été mesuré.",
            ),
        )
    point = source.name_point(str(found["point"]))
    names = voice.join(translate(factor["title"], voice.language, lower=True) for factor in factors.values())
    text = voice(
        en=f"At the threshold for {point}, sensitivity and specificity were compared between groups by {names}. The "
        "largest of many gaps is large by the choice alone; a gap whose interval reaches 0 may be chance.",
        fr=f"Au seuil {point}, la sensibilité et la spécificité ont été comparées entre groupes selon : {names}. Le "
        "plus grand de nombreux écarts est grand du seul fait de ce choix ; un écart dont l’intervalle atteint 0 peut "
        "être dû au hasard.",
    )
    gaps: Any = found["gaps"]
    lines = [_write_gap(source, rate, gaps[rate], factors) for rate in RATES]
    return join_parts(heading, text, write_list(lines), _list_few(source, factors))


def _write_gap(source: Source, rate: str, gap: Any, factors: Any) -> str:
    voice, language = source.voice, source.voice.language
    name = RATES[rate][language]
    if gap is None:
        return voice(
            en=f"Largest gap in {name}: too few to say.", fr=f"Plus grand écart de {name} : effectifs insuffisants."
        )
    values = next(factor["values"] for factor in factors.values() if factor["title"] == gap["factor"])
    figures = {part["value"]: part[rate] for part in values}
    title, high, low = (translate(gap[key], language, lower=key == "factor") for key in ("factor", "high", "low"))
    points = voice.share(gap["gap"]).replace("%", "points")
    sides = [voice.share(figures[gap[key]]) for key in ("high", "low")]
    return voice(
        en=f"Largest gap in {name}, by {title}: {points}, between {high} ({sides[0]}) and {low} ({sides[1]}).",
        fr=f"Plus grand écart de {name}, selon {title} : {points}, entre {high} ({sides[0]}) et {low} ({sides[1]}).",
    )


def _list_few(source: Source, factors: Any) -> str:
    voice, least = source.voice, source.evidence.subgroups["least_groups"]
    lines = []
    for factor in factors.values():
        few = [part for part in factor["values"] if part["sensitivity"]["value"] is None]
        if few:
            names = ", ".join(
                f"{translate(part['value'], voice.language)} ({voice.count(part['alarming_groups'])})" for part in few
            )
            title = translate(factor["title"], voice.language)
            lines.append(voice(en=f"{title}: {names}", fr=f"{title} : {names}"))
    if not lines:
        return ""
    head = voice(
        en=f"Too few to say anything of their sensitivity (fewer than {least} {source.groups} with the disease; their "
        "number in brackets):",
        fr=f"Effectifs insuffisants pour juger de la sensibilité (moins de {least} {source.groups} avec la maladie ; "
        "leur nombre entre parenthèses) :",
    )
    return f"{head}\n\n{write_list(lines)}"


def translate(text: object, language: str, *, lower: bool = False) -> str:
    """Return a title or value of a subgroup in this language; ages, sizes and unknown words as far as rules go."""
    words = str(text)
    if language == "en":
        return words[:1].lower() + words[1:] if lower else words
    if words in TITLES or words in VALUES:
        found = TITLES.get(words) or VALUES[words]
        return found if lower or words in VALUES else found[:1].upper() + found[1:]
    words = re.sub(r"^below (\d+)", r"moins de \1", words)
    words = re.sub(r"^(\d+)(.*) or more$", r"\1\2 ou plus", words)
    return re.sub(r"^(\d+) to (\d+)", r"\1 à \2", words)
