"""What a bundle of each task is for and not for, for whom, and what is known of the data sets: words of the card."""

from collections.abc import Mapping
from dataclasses import dataclass

from secondlook.conditions import Language, Task
from secondlook.data.wording import count

Words = Mapping[Language, str]


@dataclass(frozen=True, slots=True)
class Scope:
    """What the card says of a task.

    Attributes:
        subject: What one picture shows.
        users: Who it is made for.
        excluded: What the task's bundles are not for, one line each.
    """

    subject: Words
    users: Words
    excluded: tuple[Words, ...]


@dataclass(frozen=True, slots=True)
class DataNote:
    """What is known of a data set.

    Attributes:
        text: Where its pictures come from, whom they show, and how they were labelled.
        cite: How to cite it.
        excluded: Whom and what it does not stand for, one line each.
    """

    text: Words
    cite: str
    excluded: tuple[Words, ...] = ()


RADIOLOGY: Words = {
    "en": "physicians who read the X-ray themselves, or have it read: radiologists, emergency and ward physicians, "
    "general practitioners",
    "fr": "les médecins qui lisent eux-mêmes la radiographie ou la font lire : radiologues, urgentistes, médecins "
    "hospitaliers et généralistes",
}
DERMATOLOGY: Words = {
    "en": "physicians who have examined the lesion themselves, above all general practitioners who decide whether to "
    "refer, and dermatologists who want a second look",
    "fr": "les médecins qui ont examiné eux-mêmes la lésion, au premier chef les généralistes qui décident d’adresser "
    "ou non, et les dermatologues qui souhaitent un second regard",
}
NOT_A_LESION: Words = {
    "en": "Lesions of mucosa and nails, wounds, rashes, inflammation, and every condition that is not among its "
    "labels: it names one of its labels whatever it is shown.",
    "fr": "Les lésions des muqueuses et des ongles, les plaies, les éruptions, les inflammations et toute affection "
    "absente de ses classes : quoi qu’on lui montre, il nomme l’une d’elles.",
}
OTHER_IMAGES: Words = {
    "en": "Other pictures: side views, photographs of a screen or of a light box, computed tomography and other "
    "imaging.",
    "fr": "Les autres images : incidences de profil, photographies d’un écran ou d’un négatoscope, scanner et autres "
    "modalités d’imagerie.",
}

SCOPES: Mapping[str, Scope] = {
    "skin": Scope(
        {"en": "one skin lesion on one picture", "fr": "une lésion cutanée sur une image"}, DERMATOLOGY, (NOT_A_LESION,)
    ),
    "mole": Scope(
        {"en": "one mole on one picture", "fr": "un grain de beauté sur une image"}, DERMATOLOGY, (NOT_A_LESION,)
    ),
    "chest": Scope(
        {"en": "one frontal chest X-ray", "fr": "une radiographie du thorax de face"},
        RADIOLOGY,
        (
            {
                "en": "Whatever else a chest X-ray may show (effusion, pneumothorax, foreign body, fracture, tumour, "
                "heart disease, tubes), and telling what causes a pneumonia: it names one of its labels whatever it "
                "is shown.",
                "fr": "Tout ce qu’une radiographie du thorax peut montrer d’autre (épanchement, pneumothorax, corps "
                "étranger, fracture, tumeur, cardiopathie, sondes), et la cause d’une pneumonie : quoi qu’on lui "
                "montre, il nomme l’une de ses classes.",
            },
            OTHER_IMAGES,
        ),
    ),
    "knee": Scope(
        {"en": "one X-ray of one knee from the front", "fr": "une radiographie d’un seul genou de face"},
        RADIOLOGY,
        (
            {
                "en": "Whatever else a knee's X-ray may show (fracture, infection, tumour, implant): it names one of "
                "its labels whatever it is shown.",
                "fr": "Tout ce qu’une radiographie du genou peut montrer d’autre (fracture, infection, tumeur, "
                "prothèse) : quoi qu’on lui montre, il nomme l’une de ses classes.",
            },
            {
                "en": "Choosing a treatment: the grade of an X-ray and the complaints often disagree.",
                "fr": "Le choix d’un traitement : le stade radiographique et les plaintes concordent souvent mal.",
            },
            {"en": "Both knees on one picture.", "fr": "Les deux genoux sur une même image."},
            OTHER_IMAGES,
        ),
    ),
    "bone": Scope(
        {
            "en": "one X-ray of an arm, a hand or a part of them",
            "fr": "une radiographie d’un bras, d’une main ou d’une partie de ceux-ci",
        },
        RADIOLOGY,
        (
            {
                "en": "Saying what is abnormal (a fracture, an implant, a worn joint, a tumour): it tells normal from "
                "abnormal alone, and other parts of the body not at all.",
                "fr": "La nature de l’anomalie (fracture, matériel, arthrose, tumeur) : il ne distingue que le normal "
                "de l’anormal, et ne connaît pas les autres parties du corps.",
            },
            {
                "en": "Judging one view where several were taken: a fine fracture hides in most of them.",
                "fr": "Juger une seule incidence quand il y en a plusieurs : une fracture fine échappe à la plupart.",
            },
        ),
    ),
}

HAM10000 = DataNote(
    {
        "en": "HAM10000 (Tschandl, Rosendahl and Kittler 2018, doi 10.1038/sdata.2018.161): 10,015 dermoscopic "
        "pictures of 7,470 lesions, collected in Vienna (Austria) and Queensland (Australia). More than half of the "
        "lesions were confirmed by histology, the rest by follow-up, expert consensus or confocal microscopy. Skin "
        "type is not recorded; people with dark skin are hardly among them.",
        "fr": "HAM10000 (Tschandl, Rosendahl et Kittler 2018, doi 10.1038/sdata.2018.161) : 10 015 images "
        "dermoscopiques de 7 470 lésions, recueillies à Vienne (Autriche) et dans le Queensland (Australie). Plus de "
        "la moitié des lésions ont été confirmées par l’histologie, les autres par le suivi, le consensus d’experts ou "
        "la microscopie confocale. Le phototype n’est pas renseigné ; les peaux foncées y sont presque absentes.",
    },
    "Tschandl, Rosendahl, Kittler 2018, doi 10.1038/sdata.2018.161",
)

DATA_NOTES: Mapping[str, DataNote] = {
    "ham10000": HAM10000,
    "ham10000_squares": HAM10000,
    "pad_ufes20": DataNote(
        {
            "en": "PAD-UFES-20 (Pacheco et al. 2020, doi 10.1016/j.dib.2020.106221): photographs of skin lesions taken "
            "with telephones in a public dermatology programme in Espírito Santo (Brazil), with age, site and skin "
            "type. Cancers were confirmed by histology, other lesions mostly by consensus of dermatologists.",
            "fr": "PAD-UFES-20 (Pacheco et al. 2020, doi 10.1016/j.dib.2020.106221) : photographies de lésions "
            "cutanées prises au téléphone dans un programme public de dermatologie de l’Espírito Santo (Brésil), avec "
            "l’âge, la localisation et le phototype. Les cancers ont été confirmés par l’histologie, les autres "
            "lésions le plus souvent par le consensus de dermatologues.",
        },
        "Pacheco et al. 2020, doi 10.1016/j.dib.2020.106221",
    ),
    "chest_xray": DataNote(
        {
            "en": "The chest X-rays of Kermany et al. 2018 (doi 10.1016/j.cell.2018.02.010): children of one to five "
            "years, X-rayed from the front in routine care at one hospital, the Women and Children's Medical Center in "
            "Guangzhou (China). Unreadable pictures were sorted out; two physicians graded the rest, from the picture. "
            "About three in four show a pneumonia, far more than where pneumonia is only suspected.",
            "fr": "Les radiographies du thorax de Kermany et al. 2018 (doi 10.1016/j.cell.2018.02.010) : enfants d’un "
            "à cinq ans, radiographiés de face en soins courants dans un seul hôpital, le Women and Children’s Medical "
            "Center de Guangzhou (Chine). Les clichés illisibles ont été écartés ; deux médecins ont classé les autres "
            "d’après l’image. Environ trois sur quatre montrent une pneumonie, bien plus que là où elle n’est que "
            "suspectée.",
        },
        "Kermany et al. 2018, doi 10.1016/j.cell.2018.02.010",
        (
            {
                "en": "Adults and older children: its data show children of one to five years.",
                "fr": "Les adultes et les grands enfants : ses données montrent des enfants d’un à cinq ans.",
            },
        ),
    ),
    "knee_oa": DataNote(
        {
            "en": "The Osteoarthritis Initiative, a study of people of 45 to 79 years with osteoarthritis of the knee "
            "or at risk of it, at four centres in the United States; Chen 2018 (Mendeley Data, doi "
            "10.17632/56rmx5bjcr.1) cut out each knee and published it with its grade after Kellgren and Lawrence 1957 "
            "(doi 10.1136/ard.16.4.494). The knees stand under load, are cut out alike, and were read by experts of "
            "one study; grades 0 and 1, and 1 and 2, are hard to tell apart for experts, too.",
            "fr": "L’Osteoarthritis Initiative, une étude de personnes de 45 à 79 ans atteintes d’arthrose du genou ou "
            "à risque, dans quatre centres des États-Unis ; Chen 2018 (Mendeley Data, doi 10.17632/56rmx5bjcr.1) a "
            "découpé chaque genou et l’a publié avec son stade de Kellgren et Lawrence 1957 (doi "
            "10.1136/ard.16.4.494). Les genoux sont en charge, découpés de la même façon et lus par les experts d’une "
            "seule étude ; les stades 0 et 1, comme 1 et 2, sont difficiles à distinguer même pour eux.",
        },
        "Chen 2018, doi 10.17632/56rmx5bjcr.1, from the Osteoarthritis Initiative",
        (
            {
                "en": "People younger than 45, and knees after an injury or an operation: its data hardly hold any.",
                "fr": "Les personnes de moins de 45 ans et les genoux traumatisés ou opérés : ses données n’en "
                "contiennent presque pas.",
            },
        ),
    ),
}


def find_notes(data: str) -> tuple[DataNote, ...]:
    """Return what is known of the data sets that a bundle says it was trained on, ``one + another``."""
    return tuple(DATA_NOTES[name] for name in data.split(" + ") if name in DATA_NOTES)


def count_groups(task: Task, number: int) -> str:
    """Return a number of groups in words, for example ``729 lesions or patients``."""
    one = "lesion or patient" if task.kind == "photograph" else "patient"
    return count(number, one, name_groups(task))


def name_groups(task: Task, language: Language = "en") -> str:
    """Return what pictures' groups are called: what splits and resampling keep whole."""
    if task.kind == "photograph":
        return {"en": "lesions or patients", "fr": "lésions ou patients"}[language]
    return "patients"
