"""What ``spreadsheet.yaml`` may say: which column holds what, and which words make a label."""

import difflib
from collections import Counter
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from secondlook.data.wording import count
from secondlook.errors import DatasetError

FILE = "spreadsheet.yaml"
Choice = Literal["refuse", "leave_out"]


class Section(BaseModel):
    """A part of the YAML; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


class Columns(Section):
    """Which column of the sheet holds what; only picture and diagnosis must be there."""

    image: str
    label: str
    group: str | None = None
    study: str | None = None
    age_years: str | None = None
    sex: str | None = None
    site: str | None = None
    skin_tone: str | None = None
    reference: str | None = None


class Plan(Section):
    """How a sheet and folders of pictures become a manifest.

    Attributes:
        sheet: The file, relative to the YAML's folder.
        page: Name of the page of an Excel file; the first where none is given.
        folders: Folders of pictures, relative to the YAML's folder.
        columns: Columns of the sheet.
        regroup: For a column, the words of the sheet that become one value: the diagnoses of a label, say.
        leave_out: Diagnoses whose rows are left out.
        rows_without_picture: Whether such a row is a fault, or left out with a note.
        pictures_without_row: Whether such a picture is a fault, or left out with a note.
    """

    sheet: str
    page: str | None = None
    folders: list[str] = Field(min_length=1)
    columns: Columns
    regroup: dict[str, dict[str, list[str]]] = Field(default_factory=dict)
    leave_out: list[str] = Field(default_factory=list)
    rows_without_picture: Choice = "refuse"
    pictures_without_row: Choice = "refuse"

    @model_validator(mode="after")
    def _check_words(self) -> "Plan":
        """Refuse words of a column that is not mapped, and words that stand for two values."""
        mapped = self.columns.model_dump(exclude_none=True)
        for column, groups in self.regroup.items():
            if column not in mapped:
                raise ValueError(f"regroup.{column}: no such entry among columns, which has {', '.join(mapped)}")
            counts = Counter(word.casefold() for words in groups.values() for word in words)
            twice = [word for word, count in counts.items() if count > 1]
            if twice:
                raise ValueError(f"regroup.{column}: {', '.join(twice)} stands in two places")
        return self


def read_plan(folder: Path) -> Plan:
    """Read the YAML of a folder.

    Raises:
        DatasetError: It is missing, is no YAML, or says something wrong; every fault is listed with what is valid.
    """
    try:
        content = yaml.safe_load((folder / FILE).read_text(encoding="utf-8-sig"))
        return Plan.model_validate(content)
    except FileNotFoundError:
        raise DatasetError(
            f"Expected {FILE} in {folder.name}; it is not there. `secondlook data import --help` shows one."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"Expected {FILE} as UTF-8 text; it cannot be read: {error.__class__.__name__}.") from error
    except yaml.YAMLError as error:
        where = getattr(error, "problem_mark", None)
        line = f" at line {where.line + 1}" if where else ""
        raise DatasetError(f"Expected YAML in {FILE}; it is broken{line}.") from error
    except ValidationError as error:
        faults = [describe_fault(fault) for fault in error.errors()]
        raise DatasetError(
            f"Expected a plan in {FILE}; found {count(len(faults), 'fault', 'faults')}.", faults
        ) from error


def describe_fault(fault: Any) -> str:
    """Return one line on a fault that pydantic found: where, what, and what would be valid."""
    place = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        valid = list((Columns if fault["loc"][0] == "columns" else Plan).model_fields)
        near = difflib.get_close_matches(str(fault["loc"][-1]), valid, n=1)
        meant = f"did you mean {near[0]}?" if near else f"valid are {', '.join(valid)}"
        return f"{place}: unknown; {meant}"
    if fault["type"] == "missing":
        return f"{place}: missing"
    if fault["type"] == "string_type":
        return f"{place}: expected text, got {fault['input']!r}; quote words such as yes, no, on and off"
    return ": ".join(part for part in (place, fault["msg"].removeprefix("Value error, ")) if part)
