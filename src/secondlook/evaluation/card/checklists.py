"""The page that says where each item of the reporting guidelines is answered, or that it is not."""

from secondlook.conditions import Language
from secondlook.evaluation.card.claim import CLAIM
from secondlook.evaluation.card.places import INAPPLICABLE, KINDS, LACKS, PLACES, Checklist, Item, Place
from secondlook.evaluation.card.stard import STARD_AI
from secondlook.evaluation.card.tripod import TRIPOD_AI
from secondlook.evaluation.card.voice import Voice, capitalise, join_parts, write_table
from secondlook.evaluation.scope import find_notes
from secondlook.inference.bundle import CARDS, BundleFacts, Evidence, list_bundles

LISTS = (TRIPOD_AI, CLAIM, STARD_AI)


def render_checklists(evidence: Evidence, facts: BundleFacts, language: Language = "en") -> str:
    """Return the checklists as Markdown; where an answer would rest on what was not measured, it says so."""
    voice = Voice(language)
    known = {name for name in type(evidence).model_fields if getattr(evidence, name)}
    known |= {"data"} if find_notes(facts.training.data) else set()
    known |= {"shipped"} if facts.name in list_bundles() else set()
    title = voice(
        en=f"# {facts.name} {facts.version}: reporting checklists",
        fr=f"# {facts.name} {facts.version} : listes de contrôle de publication",
    )
    intro = voice(
        en="Where each item of three reporting guidelines is answered for this model. Numbers are the guidelines'; the "
        "topics are told in our own words, which do not replace theirs. The card is "
        f"[{CARDS[language]}]({CARDS[language]}); the report is what `secondlook evaluate {facts.name} MANIFEST.csv "
        "-o FOLDER` writes; the documentation is Secondlook's own.",
        fr="Où chaque point de trois recommandations de publication trouve sa réponse pour ce modèle. Les numéros sont "
        "ceux des recommandations ; les sujets sont résumés dans nos propres termes, qui ne les remplacent pas. "
        f"La fiche est [{CARDS[language]}]({CARDS[language]}) ; le rapport, ce qu’écrit `secondlook evaluate "
        f"{facts.name} MANIFEST.csv -o DOSSIER` ; la documentation, celle de Secondlook. Ces deux derniers sont en "
        "anglais.",
    )
    return join_parts(title, intro, *(_render_list(checklist, known, voice) for checklist in LISTS)) + "\n"


def _render_list(checklist: Checklist, known: set[str], voice: Voice) -> str:
    rows = [
        (item.number, capitalise(voice(en=item.en, fr=item.fr)), answer_item(item, known, voice))
        for item in checklist.items
    ]
    answered = sum(bool(_list_places(item, known)) for item in checklist.items)
    counted = voice(
        en=f"Answered, in whole or in part: {answered} of {len(rows)}.",
        fr=f"Points traités, en tout ou en partie : {answered} sur {len(rows)}.",
    )
    headings = voice(en="Item|Topic|Where", fr="Point|Sujet|Où").split("|")
    source = voice(en=checklist.source, fr=checklist.source.replace("as updated by", "mis à jour par"))
    return join_parts(f"## {checklist.name}", f"{source}. {counted}", write_table(headings, rows))


def answer_item(item: Item, known: set[str], voice: Voice) -> str:
    """Return where an item is answered, or why it is not.

    Args:
        item: The item.
        known: The parts of the evidence that hold something, ``data`` where the data sets are known, and ``shipped``
            for a model that Secondlook ships.
        voice: The language.
    """
    places, lack = _list_places(item, known), item.lack
    if not places and not lack:
        lack = "unknown" if any(PLACES[key].needs == "data" for key in item.places.split()) else "unmeasured"
    parts = []
    for kind, title in KINDS.items():
        names = dict.fromkeys(place.name[voice.language] for place in places if place.kind == kind)
        if names:
            parts.append(_write_part(voice, title[voice.language], "; ".join(names)))
    if lack:
        refusal = voice(en="Not applicable", fr="Sans objet") if lack in INAPPLICABLE else _name_lack(voice, parts)
        parts.append(_write_part(voice, refusal, LACKS[lack][voice.language]))
    return " · ".join(parts)


def _name_lack(voice: Voice, parts: list[str]) -> str:
    return (
        voice(en="Not answered in full", fr="Réponse partielle")
        if parts
        else voice(en="Not answered", fr="Sans réponse")
    )


def _write_part(voice: Voice, title: str, text: str) -> str:
    return voice(en=f"**{title}:** {text}", fr=f"**{title} :** {text.replace('; ', ' ; ').replace('  ;', ' ;')}")


def _list_places(item: Item, known: set[str]) -> list[Place]:
    places = [PLACES[key] for key in item.places.split()]
    return [place for place in places if not place.needs or place.needs in known]
