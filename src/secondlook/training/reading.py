"""Read a recipe from YAML, checked before anything starts; a wrong key or value is named with its line."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from secondlook.errors import RecipeError
from secondlook.training.recipe import Recipe
from secondlook.training.sections import nearest

SHIPPED = Path(__file__).resolve().parents[1] / "recipes"


def find_recipe(name: str | Path) -> Path:
    """Return the file of a recipe given by path or by shipped name.

    Raises:
        RecipeError: There is no such recipe.
    """
    path = Path(name)
    if path.is_file():
        return path
    shipped = SHIPPED / f"{path.name.removesuffix('.yaml')}.yaml"
    if shipped.is_file():
        return shipped
    names = sorted(file.stem for file in SHIPPED.glob("*.yaml"))
    raise RecipeError(
        f"Expected a recipe file or one of {', '.join(names)}; got {path.name!r}, the nearest is "
        f"{nearest(path.stem, names)!r}."
    )


def read_recipe(name: str | Path, *, changes: Sequence[str] = ()) -> Recipe:
    """Read a recipe by path or shipped name and apply ``key=value`` changes, for example ``stages.0.epochs=2``.

    Raises:
        RecipeError: The recipe or a change is wrong; key, line and the nearest valid name are told.
    """
    path = find_recipe(name)
    try:
        text = path.read_text(encoding="utf-8")
        content = yaml.safe_load(text)
        repeats = list(find_repeats(yaml.compose(text, Loader=yaml.SafeLoader)))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RecipeError(f"Expected YAML in UTF-8 in {path.name}; correct it: {error}") from error
    if not isinstance(content, dict):
        raise RecipeError(f"Expected keys and values in {path.name}, got {type(content).__name__}.")
    if repeats:
        # YAML would take the last one without a word.
        raise RecipeError(f"Expected each key of {path.name} once; remove one of {', '.join(repeats)}.")
    for change in changes:
        apply_change(content, change)
    try:
        return Recipe.model_validate(content)
    except ValidationError as error:
        lines = list(describe_faults(error, text, changes=changes))
        raise RecipeError("\n".join([f"{path.name} is not a valid recipe:", *lines])) from error


def find_repeats(node: yaml.Node | None) -> Iterator[str]:
    """Yield the keys that stand twice in one place of a YAML, with both lines."""
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from find_repeats(item)
    if isinstance(node, yaml.MappingNode):
        lines: dict[str, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            first = lines.setdefault(str(key.value), line)
            if first != line:
                yield f"`{key.value}` in lines {first} and {line}"
            yield from find_repeats(value)


def apply_change(content: dict[str, Any], change: str) -> None:
    """Set one value of a recipe, given as ``key.key=value`` with the value in YAML.

    Raises:
        RecipeError: The change has no ``=`` or leads to no place in the recipe.
    """
    path, sign, value = change.partition("=")
    if not sign or not path:
        raise RecipeError(f"Expected --set key=value, for example --set optimiser.rate=0.001; got {change!r}.")
    place: Any = content
    keys = path.split(".")
    try:
        for key in keys[:-1]:
            place = place[int(key)] if isinstance(place, list) else place.setdefault(key, {})
        last: Any = int(keys[-1]) if isinstance(place, list) else keys[-1]
        place[last] = yaml.safe_load(value)
    except (IndexError, ValueError, TypeError, AttributeError, yaml.YAMLError) as error:
        raise RecipeError(f"Expected --set to name a place in the recipe; {path!r} is none ({error}).") from error


def describe_faults(error: ValidationError, text: str, *, changes: Sequence[str]) -> Iterator[str]:
    """Yield one line per fault: where it stands, what is wrong, and the nearest valid key or value."""
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    changed = tuple(f"{change.partition('=')[0]}." for change in changes)
    faults = [fault for fault in error.errors() if fault["type"] != "too_short" or not fault["input"]]
    for fault in faults:
        keys = list(fault["loc"])
        place = ".".join(map(str, keys))
        line = find_line(root, keys)
        where = f"line {line}: " if line else ""
        if f"{place}.".startswith(changed):
            where = "--set: "
        yield f"  - {where}`{place or 'recipe'}`: {explain_fault(fault, keys)}"


def explain_fault(fault: Any, keys: list[Any]) -> str:
    """Return what is wrong with one key or value, and the nearest that would be right."""
    message = str(fault["msg"]).removeprefix("Value error, ")
    if fault["type"] == "extra_forbidden":
        valid = list_fields(keys[:-1])
        return f"unknown key; the nearest is `{nearest(str(keys[-1]), valid)}` (valid: {', '.join(valid)})"
    if fault["type"] == "literal_error":
        choices = [choice.strip(" '") for choice in str(fault["ctx"]["expected"]).replace(" or ", ",").split(",")]
        return f"{message}, got {fault['input']!r}; the nearest is `{nearest(fault['input'], choices)}`"
    if fault["type"] == "missing":
        return "this key is required"
    return message if isinstance(fault["input"], dict | list) else f"{message}, got {fault['input']!r}"


def list_fields(keys: list[Any]) -> list[str]:
    """Return the valid keys of the section at this place of a recipe."""
    section: type[BaseModel] = Recipe
    for key in keys:
        if isinstance(key, int):
            continue
        annotation: Any = section.model_fields[key].annotation
        arguments = getattr(annotation, "__args__", None)
        section = arguments[0] if arguments else annotation
    return list(section.model_fields)


def find_line(node: Any, keys: list[Any]) -> int | None:
    """Return the line (from 1) of the deepest part of this path that stands in the file."""
    line = None
    for key in keys:
        if isinstance(node, yaml.MappingNode):
            pair = next(((k, v) for k, v in node.value if k.value == str(key)), None)
            if pair is None:
                return line
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
            node = node.value[key]
            line = node.start_mark.line + 1
        else:
            return line
    return line
