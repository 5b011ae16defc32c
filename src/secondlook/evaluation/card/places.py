"""Where the items of the checklists are answered, and why some are not."""

from collections.abc import Mapping
from dataclasses import dataclass

from secondlook.evaluation.scope import Words

KINDS: Mapping[str, Words] = {
    "card": {"en": "Card", "fr": "Fiche"},
    "report": {"en": "Report", "fr": "Rapport"},
    "docs": {"en": "Documentation", "fr": "Documentation"},
    "other": {"en": "Elsewhere", "fr": "Ailleurs"},
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where an item is answered.

    Attributes:
        kind: Key of ``KINDS``.
        name: For a reader.
        needs: The part of the evidence without which it says nothing; ``data`` stands for data sets that Secondlook
            knows, ``shipped`` for a model that it ships.
    """

    kind: str
    name: Words
    needs: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """An item of a checklist, in our own words.

    Attributes:
        number: As the checklist numbers it.
        en: What it asks for, in English.
        fr: The same in French.
        places: Keys of ``PLACES`` where it is answered, separated by spaces.
        lack: Key of ``LACKS``: what is not answered of it, and why.
    """

    number: str
    en: str
    fr: str
    places: str = ""
    lack: str = ""


@dataclass(frozen=True, slots=True)
class Checklist:
    """A reporting guideline.

    Attributes:
        name: Its name.
        source: How to find it.
        items: Its items, in its order.
    """

    name: str
    source: str
    items: tuple[Item, ...]


def _card(en: str, fr: str, needs: str = "") -> Place:
    return Place("card", {"en": en, "fr": fr}, needs)


def _report(title: str, needs: str) -> Place:
    return Place("report", {"en": title, "fr": title}, needs)


def _page(name: str, needs: str = "") -> Place:
    return Place("docs", {"en": f"{name}.md", "fr": f"{name}.md"}, needs)


def _other(en: str, fr: str, needs: str = "") -> Place:
    return Place("other", {"en": en, "fr": fr}, needs)


STRESS = ("Robustness, repeatability, heatmaps", "Robustesse, répétabilité, cartes de chaleur")
PLACES: Mapping[str, Place] = {
    "title": _card("title", "titre"),
    "purpose": _card("What it is for", "À quoi il sert"),
    "users": _card("Who it is for", "À qui il s’adresse"),
    "not_for": _card("What it is not for", "À quoi il ne sert pas"),
    "data": _card("Data", "Données"),
    "sources": _card("Data", "Données", "data"),
    "labels": _card("Labels", "Classes"),
    "figures": _card("Figures", "Chiffres"),
    "triage": _card("Operating points and triage", "Seuils et triage"),
    "certainty": _card("Calibration, prediction sets, refusals", "Calibration, ensembles de prédiction, refus"),
    "subgroups": _card("Subgroups", "Sous-groupes", "subgroups"),
    "outside": _card("Outside tests", "Évaluation externe", "outside"),
    "robustness": _card(*STRESS, "robustness"),
    "heatmaps": _card(*STRESS, "explanations"),
    "limits": _card("Limits", "Limites"),
    "reproduce": _card("Reproduce", "Reproduire"),
    "licence": _card("Licence and citation", "Licence et citation"),
    "report.flow": _report("Flow of pictures and leak audit", "flow"),
    "report.composition": _report("Who was measured", "composition"),
    "report.discrimination": _report("How well conditions are told apart", "curves"),
    "report.thresholds": _report("What the thresholds give", "operating"),
    "report.confusion": _report("What is mistaken for what", "measures"),
    "report.reliability": _report("Do probabilities hold what they say?", "reliability"),
    "report.decision": _report("Is it worth acting on?", "decision"),
    "report.subgroups": _report("Does it serve everybody alike?", "subgroups"),
    "report.outside": _report("Outside tests", "outside"),
    "report.outliers": _report("Pictures that it is not for", "outliers"),
    "report.robustness": _report("What do bad pictures cost?", "robustness"),
    "report.explanations": _report("Do heatmaps tell the truth?", "explanations"),
    "docs.data": _page("data"),
    "docs.training": _page("training"),
    "docs.compare": _page("compare"),
    "docs.models": _page("models", "shipped"),
    "docs.evidence": _page("evidence"),
    "docs.predict": _page("predict"),
    "docs.pictures": _page("pictures"),
    "files": _page("bundle"),
    "origin": _other(
        "publications of the data sets, which the card cites",
        "publications des jeux de données, citées par la fiche",
        "data",
    ),
    "recipe": _other(
        "the recipe (`secondlook train RECIPE --preview`)", "la recette (`secondlook train RECIPE --preview`)"
    ),
    "code": _other("the source code of Secondlook", "le code source de Secondlook"),
}

LACKS: Mapping[str, Words] = {
    "acquisition": {
        "en": "devices and settings are not recorded with the pictures",
        "fr": "appareils et réglages ne sont pas enregistrés avec les images",
    },
    "alternatives": {
        "en": "what the pictures without an alarming label show beyond their label is not recorded",
        "fr": "ce que montrent les images des classes bénignes ou normales, hors leur classe, n’est pas enregistré",
    },
    "blinding": {
        "en": "whether those who set the reference standard were blinded is not recorded",
        "fr": "on ne sait si ceux qui ont établi la référence travaillaient en aveugle",
    },
    "clusters": {
        "en": "hospitals and countries are not told apart by the data",
        "fr": "les données ne distinguent ni hôpitaux ni pays",
    },
    "dates": {"en": "dates are not recorded with the pictures", "fr": "les dates ne sont pas enregistrées"},
    "ethics": {
        "en": "the bundle does not record it; the publications of data sets tell of their own approval",
        "fr": "non consigné ; les publications des jeux de données indiquent leur propre accord",
    },
    "events": {
        "en": "no adverse events were looked for: stored pictures were measured, nobody was examined for it",
        "fr": "aucun événement indésirable n’a été recherché : images archivées, personne n’a été examiné pour cela",
    },
    "funding": {"en": "the bundle does not record it", "fr": "non consigné dans le modèle"},
    "inequalities": {
        "en": "known inequalities in care are not reviewed",
        "fr": "les inégalités connues de prise en charge ne sont pas passées en revue",
    },
    "interval": {
        "en": "the time between picture and diagnosis is not recorded",
        "fr": "le délai entre l’image et le diagnostic n’est pas enregistré",
    },
    "next": {
        "en": "the bundle plans no further research",
        "fr": "le modèle ne prévoit pas de recherche ultérieure",
    },
    "no_updating": {
        "en": "nothing was refitted on the measured pictures",
        "fr": "rien n’a été réajusté sur les images évaluées",
    },
    "one_split": {
        "en": "the measured pictures alone are described; those trained on are only counted",
        "fr": "seules les images évaluées sont décrites ; celles de l’apprentissage sont seulement comptées",
    },
    "picture_only": {
        "en": "the picture alone goes in, and no reader judges it first",
        "fr": "seule l’image entre dans le modèle, sans lecture préalable",
    },
    "protocol": {
        "en": "no protocol from before the work is recorded",
        "fr": "aucun protocole antérieur au travail n’est consigné",
    },
    "public": {
        "en": "whether patients or the public took part is not recorded",
        "fr": "on ne sait si des patients ou le public y ont pris part",
    },
    "readers": {
        "en": "how much readers agree, and who they were, is not recorded with the pictures",
        "fr": "la concordance des lecteurs et leur identité ne sont pas enregistrées avec les images",
    },
    "registration": {
        "en": "no registration is recorded; this is no clinical trial",
        "fr": "aucun enregistrement n’est consigné ; il ne s’agit pas d’un essai clinique",
    },
    "series": {
        "en": "whether patients came one after the other is not recorded",
        "fr": "on ne sait si les patients étaient consécutifs",
    },
    "sharing": {
        "en": "Secondlook shares no pictures; the data sets are had from their publishers",
        "fr": "Secondlook ne diffuse aucune image ; les jeux de données s’obtiennent auprès de leurs éditeurs",
    },
    "size": {
        "en": "no calculation from beforehand is recorded; the intervals show what the size suffices for",
        "fr": "aucun calcul préalable n’est consigné ; les intervalles montrent ce que l’effectif permet",
    },
    "stored": {
        "en": "Secondlook keeps no pictures or answers of its users",
        "fr": "Secondlook ne conserve ni les images ni les réponses de ses utilisateurs",
    },
    "unknown": {
        "en": "the data set is none that Secondlook knows",
        "fr": "le jeu de données n’est pas de ceux que connaît Secondlook",
    },
    "unmeasured": {"en": "not measured for this model", "fr": "non mesuré pour ce modèle"},
    "treatments": {"en": "treatments are not recorded", "fr": "les traitements ne sont pas enregistrés"},
}
# What cannot be asked of such a model, in place of what was left unanswered.
INAPPLICABLE = ("no_updating", "picture_only")
