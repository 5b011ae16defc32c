"""What a bundle of each task is for and what it is not for, and what is known of the data sets: words of the card."""

from collections.abc import Mapping
from dataclasses import dataclass

from secondlook.conditions import Task


@dataclass(frozen=True, slots=True)
class Scope:
    """What the card says of a task.

    Attributes:
        subject: What one picture shows.
        excluded: What the task's bundles are not for, one line each.
    """

    subject: str
    excluded: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DataNote:
    """What is known of a data set.

    Attributes:
        text: Where its pictures come from, whom they show, and how they were labelled.
        excluded: Whom and what it does not stand for, one line each.
    """

    text: str
    excluded: tuple[str, ...] = ()


NAMES_WHATEVER = "it names one of its labels whatever it is shown."
NOT_A_LESION = (
    "Lesions of mucosa and nails, wounds, rashes, inflammation, and every condition that is not among its labels: "
    + NAMES_WHATEVER
)
NO_OTHER_IMAGES = "side views, photographs of a screen or of a light box, computed tomography and other imaging."

SCOPES: Mapping[str, Scope] = {
    "skin": Scope("one skin lesion on one picture", (NOT_A_LESION,)),
    "mole": Scope("one mole on one picture", (NOT_A_LESION,)),
    "chest": Scope(
        "one frontal chest X-ray",
        (
            "Whatever else a chest X-ray may show (effusion, pneumothorax, foreign body, fracture, tumour, heart "
            "disease, tubes), and telling what causes a pneumonia: " + NAMES_WHATEVER,
            "Other pictures: " + NO_OTHER_IMAGES,
        ),
    ),
    "knee": Scope(
        "one X-ray of one knee from the front",
        (
            "Whatever else a knee's X-ray may show (fracture, infection, tumour, implant): " + NAMES_WHATEVER,
            "Choosing a treatment: the grade of an X-ray and the complaints often disagree.",
            "Both knees on one picture, " + NO_OTHER_IMAGES,
        ),
    ),
    "bone": Scope(
        "one X-ray of an arm, a hand or a part of them",
        (
            "Saying what is abnormal (a fracture, an implant, a worn joint, a tumour): it tells normal from abnormal "
            "alone, and other parts of the body not at all.",
            "Judging one view where several were taken: a fine fracture hides in most of them.",
        ),
    ),
}

HAM10000 = DataNote(
    "The pictures come from HAM10000 (Tschandl, Rosendahl and Kittler 2018, doi 10.1038/sdata.2018.161): 10,015 "
    "dermoscopic pictures of 7,470 lesions, collected in Vienna (Austria) and Queensland (Australia). More than "
    "half of the lesions were confirmed by histology, the rest by follow-up, expert consensus or confocal "
    "microscopy. Skin type is not recorded; people with dark skin are hardly among them."
)

DATA_NOTES: Mapping[str, DataNote] = {
    "ham10000": HAM10000,
    "ham10000_squares": HAM10000,
    "chest_xray": DataNote(
        "The pictures come from the chest X-rays of Kermany et al. 2018 (doi 10.1016/j.cell.2018.02.010): children of "
        "one to five years, X-rayed from the front in routine care at one hospital, the Women and Children's Medical "
        "Center in Guangzhou (China). Unreadable pictures were sorted out; two physicians graded the rest, from the "
        "picture. About three in four show a pneumonia, far more than where pneumonia is only suspected.",
        ("Adults and older children: its data show children of one to five years.",),
    ),
    "knee_oa": DataNote(
        "The pictures come from the Osteoarthritis Initiative, a study of people of 45 to 79 years with osteoarthritis "
        "of the knee or at risk of it, at four centres in the United States; Chen 2018 (Mendeley Data, doi "
        "10.17632/56rmx5bjcr.1) cut out each knee and published it with its grade after Kellgren and Lawrence 1957 "
        "(doi 10.1136/ard.16.4.494). The knees stand under load, are cut out alike, and were read by experts of one "
        "study; grades 0 and 1, and 1 and 2, are hard to tell apart for experts, too.",
        ("People younger than 45, and knees after an injury or an operation: its data hardly hold any.",),
    ),
}


def describe_scope(task: Task, data: str, *, labels: int) -> str:
    """Return the card's sections on what a bundle of this task, trained on these data, is for and not for."""
    scope, note = SCOPES[task.key], DATA_NOTES.get(data)
    risk = task.risk["en"].lower()
    excluded = [
        f"Deciding alone, or reassuring anybody: a *routine* answer does not rule {risk} out.",
        *(note.excluded if note else ()),
        *scope.excluded,
        "Pictures from other instruments, cameras or hospitals, unless they were measured first: accuracy drops there.",
        "People whom its data hardly hold.",
    ]
    urgent = "urgent, " if task.urgency == "urgent" else ""
    return (
        "## What it is for\n\n"
        f"A second look at **{scope.subject} of the kind that it was trained on** (see Data), for clinicians who have "
        f"looked themselves. It gives calibrated probabilities of {labels} labels, from them the probability of "
        f"{risk}, a triage ({urgent}refer, routine or not evaluable) with its reasons, and a heatmap. It also serves "
        "research and teaching.\n\nIt supports a decision. It does not diagnose, and no regulator has cleared it.\n\n"
        "## What it is not for\n\n" + "\n".join(f"- {line}" for line in excluded)
    )


def describe_limits(task: Task, *, name: str) -> str:
    """Return the card's section on limits."""
    unmeasured = "age, sex, body site and skin type" if task.kind == "photograph" else "age, sex and hospital"
    return (
        "## Limits\n\n"
        "- The figures hold for pictures from where the measured ones come from. Expect less elsewhere, and measure on "
        f"your own pictures first: `secondlook evaluate {name} YOUR_MANIFEST.csv`.\n"
        f"- Rare labels rest on few {name_groups(task)}: read their intervals, not their values.\n"
        f"- Predictive values depend on how common {task.risk['en'].lower()} is among the pictures measured; it may be "
        "rarer where you work.\n"
        "- Probabilities are calibrated for the class shares of the training data.\n"
        "- The outlier limit refuses most of what is no such picture at all, not everything.\n"
        f"- Figures by {unmeasured} were not measured."
    )


def name_groups(task: Task) -> str:
    """Return what a picture's group is called: what splits and resampling keep whole."""
    return "lesions or patients" if task.kind == "photograph" else "patients"
