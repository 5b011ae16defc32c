"""A page that shows what is in a data set, and whether its classes can be told without looking at the disease."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np

from secondlook.conditions import find_task
from secondlook.data.check import check_manifest
from secondlook.data.explore import (
    Factor,
    cut_groups,
    cut_labels,
    find_gaps,
    list_factors,
    list_file_factors,
    list_labels,
)
from secondlook.data.facts import read_facts
from secondlook.data.fingerprint import Track, track_silently
from secondlook.data.manifest import Manifest
from secondlook.data.page import draw_picture, write_page
from secondlook.data.wording import count
from secondlook.evaluation.figures import (
    Mark,
    Reach,
    draw_bars,
    draw_matrix,
    draw_reaches,
    draw_shares,
    write_auc,
    write_bounds,
    write_percent,
)
from secondlook.evaluation.intervals import Interval
from secondlook.evaluation.shares import Composition, compose_factors
from secondlook.evaluation.shortcuts import CHANCE, LEAST_GROUPS, LIMIT, TOGETHER, Guess, Shortcuts, measure_shortcuts

SAMPLE_PX = 320
FEW_CLASSES = 3
GROUPS = "patients or lesions"


@dataclass(frozen=True)
class Overview:
    """All that the page shows, apart from sample pictures.

    Attributes:
        name: Name of the data set, for the heading.
        manifest: The pictures.
        classes: The classes themselves.
        recorded: What the manifest says about each picture.
        gaps: What it does not say; nothing where it has no such column.
        repeats: How many pictures the patients or lesions have.
        files: What the files are.
        shortcuts: What a model could tell without the disease.
    """

    name: str
    manifest: Manifest
    classes: Composition
    recorded: tuple[Composition, ...]
    gaps: Composition | None
    repeats: Composition
    files: tuple[Composition, ...]
    shortcuts: Shortcuts

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that have pictures."""
        return list_labels(self.manifest)

    def name_label(self, key: str) -> str:
        """Return a label's name for a reader."""
        return find_task(self.manifest.task).find_label(key).names["en"]

    def describe_guess(self, guess: Guess) -> str:
        """Return how well a family of facts tells the class, in a sentence."""
        name = f"{guess.family.title} ({guess.family.detail})"
        if guess.macro.lower > LIMIT or not guess.told:
            return f"{name}: AUC {write_auc(guess.macro)}."
        told = ", ".join(f"{write_auc(guess.by_label[key])} for {self.name_label(key)}" for key in guess.told)
        return f"{name}: AUC {told}."


def explore_manifest(
    manifest: Manifest, *, name: str, seed: int = 0, resamples: int = 1000, track: Track = track_silently
) -> Overview:
    """Count what is in a data set, and look for shortcuts.

    Args:
        manifest: The pictures; all of them are read.
        name: Name of the data set, for the heading.
        seed: Seed of folds, trees and bootstraps.
        resamples: Number of bootstrap resamples.
        track: Shows progress.

    Raises:
        DatasetError: The manifest is not sound, or pictures cannot be read; every fault is listed.
    """
    check_manifest(manifest, decode=False)
    facts = read_facts(manifest, track=track)
    labels, gaps = list_labels(manifest), find_gaps(manifest)
    about, files = list_factors(manifest), list_file_factors(facts)
    by_class = [*about, *([gaps] if gaps.rows else []), cut_groups(manifest), *files]

    def compose(factors: Sequence[Factor], labels: Sequence[str]) -> Iterator[Composition]:
        return compose_factors(manifest, factors, labels, seed=seed, resamples=resamples)

    (classes,) = compose([cut_labels(manifest)], ())
    made = list(track(compose(by_class, labels), "Counting", len(by_class)))
    rest = made[len(about) : len(made) - len(files)]
    return Overview(
        name,
        manifest,
        classes,
        recorded=tuple(made[: len(about)]),
        gaps=rest[0] if gaps.rows else None,
        repeats=rest[-1],
        files=tuple(made[len(made) - len(files) :]),
        shortcuts=measure_shortcuts(manifest, facts, seed=seed, resamples=resamples, track=track),
    )


def write_overview(overview: Overview, path: Path, *, samples: int, seed: int = 0) -> None:
    """Write the page as one HTML file, replaced atomically.

    Args:
        overview: What to show.
        path: The file.
        samples: Number of sample pictures per class; none for a page without any patient's picture.
        seed: Seed of the choice of samples.

    Raises:
        DatasetError: The file cannot be written.
        InputError: A sample picture cannot be read.
    """
    sections = list(_list_sections(overview, samples, seed))
    links = "".join(f'<li><a href="#{key}">{escape(title)}</a></li>' for key, title, _ in sections)
    shown = "\n".join(
        f'<section id="{key}" aria-labelledby="{key}-title"><h2 id="{key}-title">{escape(title)}</h2>\n{body}</section>'
        for key, title, body in sections
    )
    body = (
        f'<a class="skip" href="#page">Skip to the figures</a>\n<main>\n<h1>What is in {escape(overview.name)}</h1>\n'
        f"{_render_lead(overview, samples)}\n"
        f'<nav aria-label="On this page"><ul>{links}</ul></nav>\n<div id="page">{shown}</div>\n</main>'
    )
    write_page(path, title=f"What is in {overview.name}", body=body)


def describe_shortcuts(overview: Overview) -> str:
    """Return in a sentence whether there is a possible shortcut."""
    shortcuts = overview.shortcuts
    if shortcuts.obstacle:
        return f"Shortcuts were not looked for. {shortcuts.obstacle}"
    found = list_single(shortcuts) or list(shortcuts.suspicious)
    weak = [guess for guess in shortcuts.guesses if guess.weak]
    if not found and weak:
        return f"No shortcut found, but weak signs of one. {' '.join(map(overview.describe_guess, weak))}"
    if not found:
        return "No shortcut found: what the files give away besides the disease does not tell the class."
    lead = "Possible shortcut"
    if all(guess.family.from_the_lesion for guess in found):
        lead += ", or the disease itself"
    return f"{lead}: this alone tells the class better than guessing. {' '.join(map(overview.describe_guess, found))}"


def list_single(shortcuts: Shortcuts) -> list[Guess]:
    """Return the suspicious families without that of all facts together."""
    return [guess for guess in shortcuts.suspicious if guess.family is not TOGETHER]


def mark_guess(guess: Guess) -> Mark:
    """Return how a family of facts is marked: a style and a few words."""
    if not guess.varies:
        return "clean", "The same in all pictures"
    if guess.suspicious:
        return "doubt", "Possible shortcut, or the disease" if guess.family.from_the_lesion else "Possible shortcut"
    if np.isnan(guess.macro.lower):
        return "unknown", "Too few to say"
    if guess.weak:
        return "unknown", "Weak sign"
    return ("clean", "No sign of a shortcut") if guess.macro.upper <= LIMIT else ("unknown", "Not ruled out")


def describe_difference(composition: Composition, overview: Overview) -> str:
    """Return the clearest difference between two classes in a sentence: the one whose intervals lie furthest apart."""
    best, sentence = 0.0, "The intervals of all classes overlap in every line: no clear difference."
    for value, shares in zip(composition.factor.rows, composition.shares, strict=True):
        known = [(share, label) for share, label in zip(shares[1:], overview.labels, strict=True) if share.lower >= 0]
        if len(known) < 2:
            continue
        low, low_label = min(known, key=lambda pair: pair[0].upper)
        high, high_label = max(known, key=lambda pair: pair[0].lower)
        if high.lower - low.upper > best:
            best = high.lower - low.upper
            sides = [
                f"{write_percent(share.value)} ({write_bounds(share)}) of “{overview.name_label(label)}”"
                for share, label in ((high, high_label), (low, low_label))
            ]
            sentence = f"Clearest difference: “{value}” is {sides[0]}, and {sides[1]}."
    return sentence


def pick_samples(manifest: Manifest, label: str, number: int, *, seed: int) -> list[str]:
    """Return up to ``number`` pictures of a label, drawn at random, each of another patient or lesion."""
    frame = manifest.frame[manifest.frame["label"] == label].sort_values("image")
    shuffled = frame.sample(frac=1, random_state=seed)
    return [str(name) for name in shuffled.drop_duplicates("group")["image"].head(number)]


def _render_lead(overview: Overview, samples: int) -> str:
    manifest, shortcuts = overview.manifest, overview.shortcuts
    state = "unknown" if shortcuts.obstacle else "doubt" if shortcuts.suspicious else "clean"
    pictures, groups = len(manifest), manifest.frame["group"].nunique()
    task = find_task(manifest.task).names["en"].lower()
    repeats = (
        "Each picture is a patient or lesion of its own, or the groups are not known."
        if pictures == groups
        else f"Up to {manifest.frame['group'].value_counts().iloc[0]} pictures show the same patient or lesion."
    )
    privacy = (
        "<p>This page shows pictures of patients. Keep it where the pictures are kept; do not commit or publish it.</p>"
        if samples
        else ""
    )
    return (
        f'<p class="lead">{count(pictures, "picture", "pictures")} of {count(groups, "patient or lesion", GROUPS)} '
        f"in {count(len(overview.labels), 'class', 'classes')} ({escape(task)}). {repeats}</p>\n"
        f'<p class="verdict {state}">{escape(describe_shortcuts(overview))}</p>\n{privacy}'
    )


def _list_sections(overview: Overview, samples: int, seed: int) -> Iterator[tuple[str, str, str]]:
    yield "classes", "How many pictures of each class", _render_classes(overview)
    yield "shortcuts", "Can the class be told without the disease?", _render_shortcuts(overview)
    if samples:
        yield "samples", "What the pictures look like", _render_samples(overview, samples, seed)
    for composition in overview.recorded:
        yield f"recorded-{composition.factor.key}", composition.factor.title, _render_factor(composition, overview)
    yield "gaps", "What is not recorded", _render_gaps(overview)
    yield "repeats", "Several pictures of one patient or lesion", _render_factor(overview.repeats, overview)
    files = "\n".join(
        f"<h3>{escape(composition.factor.title)}</h3>\n{_render_factor(composition, overview)}"
        for composition in overview.files
    )
    yield "files", "Sizes and files", files
    yield "method", "How to read this page", METHOD


def _render_classes(overview: Overview) -> str:
    absent = [key for key in find_task(overview.manifest.task).keys if key not in overview.labels]
    note = f"<p>No picture shows: {escape(', '.join(map(overview.name_label, absent)))}.</p>" if absent else ""
    return note + draw_bars(overview.classes, title="Class", caption="All pictures")


def _render_factor(composition: Composition, overview: Overview) -> str:
    title = composition.factor.title
    if len(composition.factor.rows) == 1:
        return f"<p>{escape(next(iter(composition.factor.rows)))}, in all pictures.</p>"
    both = (
        draw_bars(composition, title=title, caption="All pictures")
        + "\n"
        + draw_shares(composition, overview.name_label, title=title, caption="Each class", note=SHARES_NOTE)
    )
    style = "two few" if len(overview.labels) <= FEW_CLASSES else "two"
    return f'<p>{escape(describe_difference(composition, overview))}</p>\n<div class="{style}">{both}</div>'


def _render_gaps(overview: Overview) -> str:
    if overview.gaps is None:
        return "<p>The manifest has no column beyond picture, class and group: nothing is known of the patients.</p>"
    if not any(line[0] for line in overview.gaps.pictures):
        return f"<p>Nothing: every picture has {escape(', '.join(overview.gaps.factor.rows).lower())}.</p>"
    return _render_factor(overview.gaps, overview)


def _render_samples(overview: Overview, samples: int, seed: int) -> str:
    parts = [
        f"<p>Drawn at random, at most {samples} of each class, each of another patient or lesion. "
        "Look for what differs between the classes and is not the disease.</p>"
    ]
    for label in overview.labels:
        name = overview.name_label(label)
        figures = []
        for image in pick_samples(overview.manifest, label, samples, seed=seed):
            stem = Path(image).name
            picture = draw_picture(overview.manifest.root / image, alt=f"{name}: {stem}", side_px=SAMPLE_PX)
            figures.append(f"<figure>{picture}<figcaption>{escape(stem)}</figcaption></figure>")
        parts.append(f'<h3>{escape(name)}</h3>\n<div class="samples">{"".join(figures)}</div>')
    return "\n".join(parts)


def _render_shortcuts(overview: Overview) -> str:
    shortcuts = overview.shortcuts
    if shortcuts.obstacle:
        return f"<p>{INTRODUCTION}</p>\n<p>Not tested. {escape(shortcuts.obstacle)}</p>"
    tested = tuple(shortcuts.guesses[0].by_label)
    behind = f"{count(shortcuts.pictures, 'picture', 'pictures')} of {count(shortcuts.groups, 'patient', GROUPS)}"
    reaches = [
        Reach(guess.family.title, guess.family.detail, guess.macro, mark_guess(guess)) for guess in shortcuts.guesses
    ]
    rows: list[tuple[str, list[Interval]]] = [
        (guess.family.title, list(guess.by_label.values())) for guess in shortcuts.guesses
    ]
    left = ", ".join(map(overview.name_label, shortcuts.left_out))
    return "\n".join(
        (
            f"<p>{INTRODUCTION}</p>",
            *(f"<p>{escape(sentence)}</p>" for sentence in _list_advice(shortcuts)),
            draw_reaches(
                reaches,
                chance=CHANCE,
                limit=LIMIT,
                title="Shortcuts",
                caption="How well the class is told from this alone",
                note=f"{behind}. Dot: AUC, mean of the classes. Bar: 95 % interval. Dashed: {LIMIT}; what lies wholly "
                "to its right is marked.",
            ),
            *([f"<p>Too few patients or lesions to be tested: {escape(left)}.</p>"] if left else []),
            draw_matrix(
                rows,
                [overview.name_label(label) for label in tested],
                limit=LIMIT,
                title="Shortcuts",
                caption="Each class against all others: AUC",
                note=f"{behind}. Below each figure its 95 % interval. Framed: wholly above {LIMIT}.",
            )
            if len(tested) > 2
            else "",
        )
    )


def _list_advice(shortcuts: Shortcuts) -> Iterator[str]:
    found = list_single(shortcuts)
    if any(not guess.family.from_the_lesion for guess in found):
        yield ADVICE_ORIGIN
    if any(guess.family.from_the_lesion for guess in found):
        yield ADVICE_DISEASE
    if not found and shortcuts.suspicious:
        yield ADVICE_TOGETHER


INTRODUCTION = (
    "A small model tries to name the class of pictures that it never saw, of other patients or lesions, from side "
    "facts alone: it sees neither the lesion nor the organ. AUC 0.50 is guessing; 1.00 is certain; 0.70 means that of "
    "two pictures of different classes it puts seven pairs in ten in the right order."
)
ADVICE_ORIGIN = (
    "The size of a picture and the way its file was saved say nothing about a patient. Where they tell the class, the "
    "classes come from different sources, and a network can learn the source instead of the disease: it will look good "
    "here and fail elsewhere. Take pictures from each source in the same share for every class, or bring all of them "
    "to one size and save them in one way before training, and look again: blur and compression that is left can "
    "still give the source away."
)
ADVICE_DISEASE = (
    "The border, the sharpness and the bytes of a file can differ because the classes were photographed differently, "
    "or because the disease looks so: a rough lesion takes more bytes, a hazy lung fewer, and inflamed skin reaches "
    "the border. This test cannot tell which. Look at the sample pictures; crop the border, or even it out, train "
    "again and see whether the figures fall."
)
ADVICE_TOGETHER = (
    "No kind of side fact tells the class by itself, but all of them together do. Look at the sample pictures of the "
    "classes that are framed below."
)
SHARES_NOTE = "Pictures (share of the class); below it the 95 % interval of the share in per cent."
METHOD = (
    "<p>All intervals are 95 %. Those of shares and of AUCs come from a bootstrap over patients or lesions, drawn "
    "whole, since several pictures of one are not independent; shares of exactly 0 or 100 % have exact bounds, each "
    "patient or lesion counting once. They say how far a figure could move if other patients of the same kind had been "
    "collected, not how far this collection is from everyday practice.</p>\n"
    "<p>Many figures stand on this page: of twenty intervals one misses the truth by chance. A mark needs an interval "
    f"that lies wholly above {LIMIT}, well away from guessing, and classes with at least {LEAST_GROUPS} patients or "
    "lesions. An AUC somewhat below 0.50 is guessing, too: what the model learns from chance in one part of the "
    "pictures misleads it in the other.</p>\n"
    "<p>“1,113 pictures of 614” are those of 614 patients or lesions. These are the groups of the manifest, which are "
    "never parted between training and test. Empty cells of the manifest are shown as not recorded, never filled in. "
    "Every figure is a table that can be read aloud, copied and printed; nothing is loaded from elsewhere.</p>"
)
