"""What can be recognised: tasks, their labels, how severe each is, and their names in English and French."""

from dataclasses import dataclass
from typing import Literal

from secondlook.errors import InputError

Severity = Literal["malignant", "abnormal", "benign", "normal"]
Urgency = Literal["urgent", "refer"]
Kind = Literal["photograph", "radiograph"]
Language = Literal["en", "fr"]


@dataclass(frozen=True, slots=True)
class Label:
    """One condition that a task can name.

    Attributes:
        key: Short key as data sets write it, for example ``mel``.
        severity: ``malignant`` (a forerunner that is treated as such too) or ``abnormal``: somebody must look at it;
            ``benign`` or ``normal``: not for this.
        names: Name for a reader, by language.
    """

    key: str
    severity: Severity
    names: dict[Language, str]


@dataclass(frozen=True, slots=True)
class Task:
    """A question that a model answers about one picture.

    Attributes:
        key: Short key, for example ``skin``.
        names: Name for a reader, by language.
        labels: The labels in the order of the model's outputs.
        risk: Name of what triage asks for: the probability that one of the alarming labels is true.
        kind: What its pictures are; their quality is judged accordingly.
        urgency: The most that an alarming answer asks for.
        ordered: Whether the labels are grades, each worse than the one before.
    """

    key: str
    names: dict[Language, str]
    labels: tuple[Label, ...]
    risk: dict[Language, str]
    kind: Kind = "photograph"
    urgency: Urgency = "urgent"
    ordered: bool = False

    @property
    def keys(self) -> tuple[str, ...]:
        """The labels' keys in the order of the model's outputs."""
        return tuple(label.key for label in self.labels)

    @property
    def alarming(self) -> tuple[str, ...]:
        """The keys of the malignant and the abnormal labels."""
        return tuple(label.key for label in self.labels if label.severity in ("malignant", "abnormal"))

    @property
    def malignant(self) -> tuple[str, ...]:
        """The keys of the malignant labels."""
        return tuple(label.key for label in self.labels if label.severity == "malignant")

    def find_label(self, key: str) -> Label:
        """Return the label with this key.

        Raises:
            InputError: No label of this task has that key.
        """
        for label in self.labels:
            if label.key == key:
                return label
        known = ", ".join(self.keys)
        raise InputError(
            f"Expected a label of the task {self.key} ({known}), got {key!r}.",
            french=f"Attendu : un diagnostic de la tâche {self.key} ({known}). Reçu : {key!r}.",
        )


SKIN = Task(
    key="skin",
    names={"en": "Skin lesion", "fr": "Lésion cutanée"},
    labels=(
        Label(
            "akiec",
            "malignant",
            {
                "en": "Actinic keratosis / intraepithelial carcinoma",
                "fr": "Kératose actinique / carcinome intraépithélial",
            },
        ),
        Label("bcc", "malignant", {"en": "Basal cell carcinoma", "fr": "Carcinome basocellulaire"}),
        Label("bkl", "benign", {"en": "Benign keratosis", "fr": "Kératose bénigne"}),
        Label("df", "benign", {"en": "Dermatofibroma", "fr": "Dermatofibrome"}),
        Label("mel", "malignant", {"en": "Melanoma", "fr": "Mélanome"}),
        Label("nv", "benign", {"en": "Melanocytic nevus", "fr": "Nævus mélanocytaire"}),
        Label("vasc", "benign", {"en": "Vascular lesion", "fr": "Lésion vasculaire"}),
    ),
    risk={"en": "Malignancy", "fr": "Malignité"},
)

MOLE = Task(
    key="mole",
    names={"en": "Mole, benign or malignant", "fr": "Grain de beauté, bénin ou malin"},
    labels=(
        Label("benign", "benign", {"en": "Benign", "fr": "Bénin"}),
        Label("malignant", "malignant", {"en": "Malignant", "fr": "Malin"}),
    ),
    risk={"en": "Malignancy", "fr": "Malignité"},
)

CHEST = Task(
    key="chest",
    names={"en": "Chest X-ray", "fr": "Radiographie du thorax"},
    labels=(
        Label("normal", "normal", {"en": "No pneumonia", "fr": "Pas de pneumonie"}),
        Label("pneumonia", "abnormal", {"en": "Pneumonia", "fr": "Pneumonie"}),
    ),
    risk={"en": "Pneumonia", "fr": "Pneumonie"},
    kind="radiograph",
)

# Kellgren and Lawrence 1957, doi 10.1136/ard.16.4.494; from grade 2 on, osteoarthritis is held to be there.
KNEE = Task(
    key="knee",
    names={"en": "Knee X-ray", "fr": "Radiographie du genou"},
    labels=(
        Label("0", "normal", {"en": "Grade 0: no osteoarthritis", "fr": "Stade 0 : pas d’arthrose"}),
        Label("1", "normal", {"en": "Grade 1: doubtful osteoarthritis", "fr": "Stade 1 : arthrose douteuse"}),
        Label("2", "abnormal", {"en": "Grade 2: mild osteoarthritis", "fr": "Stade 2 : arthrose minime"}),
        Label("3", "abnormal", {"en": "Grade 3: moderate osteoarthritis", "fr": "Stade 3 : arthrose modérée"}),
        Label("4", "abnormal", {"en": "Grade 4: severe osteoarthritis", "fr": "Stade 4 : arthrose sévère"}),
    ),
    risk={"en": "Osteoarthritis (grade 2 or more)", "fr": "Arthrose (stade 2 ou plus)"},
    kind="radiograph",
    urgency="refer",
    ordered=True,
)

BONE = Task(
    key="bone",
    names={"en": "X-ray of an arm or a hand", "fr": "Radiographie du membre supérieur"},
    labels=(
        Label("normal", "normal", {"en": "Normal", "fr": "Normale"}),
        Label("abnormal", "abnormal", {"en": "Abnormal", "fr": "Anormale"}),
    ),
    risk={"en": "Abnormality", "fr": "Anomalie"},
    kind="radiograph",
)

TASKS: dict[str, Task] = {task.key: task for task in (SKIN, MOLE, CHEST, KNEE, BONE)}


def find_task(key: str) -> Task:
    """Return the task with this key.

    Raises:
        InputError: There is no such task.
    """
    try:
        return TASKS[key]
    except KeyError:
        raise InputError(f"Expected a task, one of {', '.join(TASKS)}; got {key!r}.") from None
