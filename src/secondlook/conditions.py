"""What can be recognised: tasks, their labels, how severe each is, and their names in English and French."""

from dataclasses import dataclass
from typing import Literal

from secondlook.errors import InputError

Severity = Literal["malignant", "benign"]
Language = Literal["en", "fr"]


@dataclass(frozen=True, slots=True)
class Label:
    """One condition that a task can name.

    Attributes:
        key: Short key as data sets write it, for example ``mel``.
        severity: Whether the condition is malignant (or a forerunner that is treated as such) or benign.
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
    """

    key: str
    names: dict[Language, str]
    labels: tuple[Label, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        """The labels' keys in the order of the model's outputs."""
        return tuple(label.key for label in self.labels)

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
        raise InputError(f"Expected a label of the task {self.key} ({', '.join(self.keys)}), got {key!r}.")


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
)

MOLE = Task(
    key="mole",
    names={"en": "Mole, benign or malignant", "fr": "Grain de beauté, bénin ou malin"},
    labels=(
        Label("benign", "benign", {"en": "Benign", "fr": "Bénin"}),
        Label("malignant", "malignant", {"en": "Malignant", "fr": "Malin"}),
    ),
)

TASKS: dict[str, Task] = {task.key: task for task in (SKIN, MOLE)}


def find_task(key: str) -> Task:
    """Return the task with this key.

    Raises:
        InputError: There is no such task.
    """
    try:
        return TASKS[key]
    except KeyError:
        raise InputError(f"Expected a task, one of {', '.join(TASKS)}; got {key!r}.") from None
