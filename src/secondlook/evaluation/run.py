"""From a draft to a bundle with evidence: fit, measure, write the card, seal; and measure again whenever asked."""

import dataclasses
import datetime
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Unpack

import pandas as pd

import secondlook
from secondlook.conditions import find_task
from secondlook.data.fingerprint import Track, data_fingerprint, hash_file, track_silently
from secondlook.data.leakage import require_no_leak
from secondlook.data.manifest import Manifest
from secondlook.data.masks import require_masks
from secondlook.errors import BundleError
from secondlook.evaluation.answers import Answered, answer_manifest, measure_refusals
from secondlook.evaluation.card.render import write_cards
from secondlook.evaluation.composition import describe_flow
from secondlook.evaluation.evidence import read_attack, write_evidence
from secondlook.evaluation.fit import choose_outlier_limit, fit_calibration
from secondlook.evaluation.measures import measure_answers
from secondlook.evaluation.outside import take_unseen
from secondlook.evaluation.parts import RESAMPLES, Plan, Wishes, measure_parts
from secondlook.evaluation.scope import count_groups
from secondlook.evaluation.studies import has_studies, join_studies
from secondlook.evaluation.subgroups import LEAST_GROUPS
from secondlook.inference.bundle import BundleFacts, Evidence, open_bundle, open_draft, read_facts, seal_bundle
from secondlook.inference.predictor import Predictor

__all__ = [
    "NO_LEAK",
    "RESAMPLES",
    "evaluate_bundle",
    "examine_bundle",
    "finish_bundle",
    "finish_manifest",
    "judge_leak",
]

NO_LEAK = "none"


def finish_bundle(
    folder: Path,
    calibration_manifest: Manifest,
    test_manifest: Manifest,
    *,
    leak: str | None = None,
    whole: Manifest | None = None,
    track: Track = track_silently,
    **wishes: Unpack[Wishes],
) -> tuple[Evidence, Answered]:
    """Make a draft a bundle: fit its calibration, measure it, write evidence and card, seal it.

    Args:
        folder: The draft: ``bundle.json``, ``model.onnx`` and ``reference.npz`` with the stored pair.
        calibration_manifest: Pictures that the network was not trained on, to fit on.
        test_manifest: Pictures that nothing was fitted on, to measure on, once.
        leak: What :func:`judge_leak` found. Without it the two manifests are compared with each other, and
            training's own word is taken for the rest.
        whole: The manifest that both were selected from, for the evidence to tell of all its splits.
        track: Shows progress.
        wishes: The attributes of :class:`secondlook.evaluation.parts.Plan`.

    Returns:
        The evidence, and the answers that it speaks of, for a report to show some.

    Raises:
        DatasetError: The manifests leak into each other, or something cannot be fitted on them.
        BundleError: The draft is not complete, or pictures of the test manifest had to be left out.
    """
    plan = _settle_plan(Plan(**wishes), folder, test_manifest, whole, track=track)
    if leak is None:
        leak = _compare_parts(read_facts(folder), calibration_manifest, test_manifest)
    asked = {"seed": plan.seed, "resamples": plan.resamples}
    outlier, outliers = None, None
    if plan.strangers:
        outlier, outliers = choose_outlier_limit(folder, calibration_manifest, plan.strangers, **asked, track=track)
    fit_calibration(folder, calibration_manifest, outlier=outlier, **asked, track=track)
    predictor = Predictor(open_draft(folder))
    answered = answer_manifest(predictor, test_manifest, track=track)
    if len(answered.manifest) < len(test_manifest):
        raise BundleError("A bundle is finished only on a whole test split. " + " ".join(answered.notes))
    subject = Subject(folder, predictor, answered, test_manifest, whole, leak, outliers)
    evidence, answered = gather_evidence(subject, plan, track=track)
    write_evidence(evidence, folder / "evidence.json")
    write_cards(folder, predictor.bundle, evidence)
    seal_bundle(folder)
    open_bundle(folder)
    return evidence, answered


def finish_manifest(
    folder: Path,
    manifest: Manifest,
    *,
    allow_leak: bool = False,
    track: Track = track_silently,
    **wishes: Unpack[Wishes],
) -> tuple[Evidence, Answered]:
    """Finish a draft on the splits calibration and test of a whole manifest; see :func:`finish_bundle`.

    Raises:
        DatasetError: The manifest leaks, or lacks a split.
        BundleError: The draft is not complete.
    """
    return finish_bundle(
        folder,
        manifest.select("calibration"),
        manifest.select("test"),
        leak=judge_leak(read_facts(folder), manifest, split="test", allow_leak=allow_leak),
        whole=manifest,
        track=track,
        **wishes,
    )


def evaluate_bundle(
    folder: Path,
    manifest: Manifest,
    *,
    split: str = "test",
    allow_leak: bool = False,
    track: Track = track_silently,
    **wishes: Unpack[Wishes],
) -> Evidence:
    """Measure a sealed bundle; the same manifest and wishes give the same evidence.

    Args:
        folder: The bundle.
        manifest: A whole manifest, of which one split is measured and the others are searched for leaks; or one
            without splits, all of which is measured.
        split: Which split is measured.
        allow_leak: Measure in spite of a leak, and mark the evidence.
        track: Shows progress.
        wishes: The attributes of :class:`secondlook.evaluation.parts.Plan`.

    Raises:
        BundleError: The bundle does not pass its checks.
        DatasetError: The manifest leaks, or nothing in it can be measured.
    """
    return examine_bundle(folder, manifest, split=split, allow_leak=allow_leak, track=track, **wishes)[0]


def examine_bundle(
    folder: Path,
    manifest: Manifest,
    *,
    split: str = "test",
    allow_leak: bool = False,
    track: Track = track_silently,
    **wishes: Unpack[Wishes],
) -> tuple[Evidence, Answered]:
    """Measure a sealed bundle as :func:`evaluate_bundle` does; return what it answered, too.

    Raises:
        BundleError: The bundle does not pass its checks.
        DatasetError: The manifest leaks, or nothing in it can be measured.
    """
    predictor = Predictor(open_bundle(folder))
    leak = judge_leak(predictor.bundle.facts, manifest, split=split, allow_leak=allow_leak)
    chosen = manifest.select(split) if "split" in manifest.frame else manifest
    plan, outliers = _settle_plan(Plan(**wishes), folder, chosen, manifest, track=track), None
    answered = answer_manifest(predictor, chosen, track=track)
    if plan.strangers:
        home = manifest.select("calibration")
        _, outliers = choose_outlier_limit(
            folder, home, plan.strangers, seed=plan.seed, resamples=plan.resamples, track=track
        )
    return gather_evidence(Subject(folder, predictor, answered, chosen, manifest, leak, outliers), plan, track=track)


def judge_leak(facts: BundleFacts, manifest: Manifest, *, split: str, allow_leak: bool) -> str:
    """Return ``none``, or the note that marks every figure measured on this split.

    Raises:
        DatasetError: The split leaks and that was not allowed.
    """
    if facts.training.leak != NO_LEAK:
        return facts.training.leak
    there = [path.is_file() for path in manifest.paths()]
    present = Manifest(manifest.frame[there].reset_index(drop=True), manifest.root, manifest.task)
    if "split" not in present.frame or present.frame["split"].nunique() < 2:
        return "unchecked: without the training pictures in the manifest, nobody can tell whether these were among them"
    note = require_no_leak(present, allow=allow_leak)
    if note != NO_LEAK:
        return note
    if split != "test":
        return f"measured on the split {split}, which training or calibration has seen"
    if data_fingerprint(present) != facts.training.data_fingerprint:
        return "unchecked: the manifest is not the one that the bundle was trained from"
    return NO_LEAK


@dataclass(frozen=True)
class Subject:
    """What evidence is gathered about.

    Attributes:
        folder: The bundle or draft.
        predictor: The same, ready to predict.
        answered: What it answered.
        asked: What it was asked.
        whole: The manifest with all its splits, where it is known.
        leak: What :func:`judge_leak` found.
        outliers: What :func:`secondlook.evaluation.fit.choose_outlier_limit` found, where strangers were given.
    """

    folder: Path
    predictor: Predictor
    answered: Answered
    asked: Manifest
    whole: Manifest | None
    leak: str
    outliers: dict[str, Any] | None


def gather_evidence(subject: Subject, plan: Plan, *, track: Track) -> tuple[Evidence, Answered]:
    """Measure what a bundle answered, and say on what, with what and how.

    Where the manifest has studies of several views, each counts once; see :mod:`secondlook.evaluation.studies`.

    Returns:
        The evidence, and the answers that it speaks of.

    Raises:
        DatasetError: The folder to refuse holds no pictures.
    """
    predictor, answered = subject.predictor, subject.answered
    measured = answered.manifest
    if has_studies(measured):
        answered = join_studies(answered, predictor)
    facts, calibration = predictor.bundle.facts, predictor.bundle.calibration
    measures = measure_answers(
        answered.answers, calibration.operating_points, seed=plan.seed, resamples=plan.resamples, track=track
    )
    if plan.refuse is not None:
        measures["refusals"]["outside"] = measure_refusals(predictor, plan.refuse, track=track)
    graph = (subject.folder / "model.onnx").read_bytes()
    flow = describe_flow(answered, calibration, leak=subject.leak, whole=subject.whole, asked=subject.asked)
    evidence = Evidence.model_validate(
        {
            "schema_version": 1,
            "bundle": {"name": facts.name, "version": facts.version, "graph_sha256": facts.graph.sha256},
            "calibration_sha256": hash_file(subject.folder / "calibration.json"),
            "secondlook_version": secondlook.__version__,
            "measured": datetime.datetime.now(tz=datetime.UTC).date(),
            "manifest": describe_manifest(measured, answered.notes),
            "leak": subject.leak,
            "seed": plan.seed,
            "resamples": plan.resamples,
            "measures": measures,
            "flow": flow,
            "outliers": subject.outliers or {},
            "attack": {} if plan.attack is None else read_attack(plan.attack, facts.graph.sha256),
            **measure_parts(predictor, answered, plan, graph=graph, track=track),
        }
    )
    return evidence, answered


def describe_manifest(manifest: Manifest, notes: Sequence[str]) -> dict[str, object]:
    """Return what was measured on: fingerprint, split, and pictures and groups, in all and by label."""
    frame = manifest.frame
    splits = sorted(set(frame["split"])) if "split" in frame else []
    by_label = frame.groupby("label")["group"]
    return {
        "fingerprint": data_fingerprint(manifest),
        "split": str(splits[0]) if len(splits) == 1 else "all",
        "pictures": len(frame),
        "groups": int(frame["group"].nunique()),
        "labels": {str(key): int(count) for key, count in by_label.size().items()},
        "groups_by_label": {str(key): int(count) for key, count in by_label.nunique().items()},
        "notes": [*notes, *_note_few(manifest)],
    }


def _note_few(manifest: Manifest) -> tuple[str, ...]:
    groups = manifest.frame["group"].nunique()
    if groups >= LEAST_GROUPS:
        return ()
    return (
        f"Only {count_groups(find_task(manifest.task), groups)}: under {LEAST_GROUPS} there is too little to say. Read "
        "the intervals, where there are any, and trust no figure alone.",
    )


def _settle_plan(plan: Plan, folder: Path, measured: Manifest, whole: Manifest | None, *, track: Track) -> Plan:
    """Check before any work what is given beside the manifest, and take of outside tests what may be measured.

    Raises:
        DatasetError: The folder of masks has none of these pictures, or an outside test shares some with training.
        BundleError: The attack was one on another graph.
    """
    if plan.attack is not None:
        read_attack(plan.attack, read_facts(folder).graph.sha256)
    if plan.masks is not None:
        require_masks(measured, plan.masks)
    return dataclasses.replace(plan, outside=take_unseen(plan.outside, whole, track=track))


def _compare_parts(facts: BundleFacts, calibration: Manifest, test: Manifest) -> str:
    root = calibration.root
    frames = [
        part.frame.assign(image=[os.path.relpath(path, root) for path in part.paths()], split=split)
        for split, part in (("calibration", calibration), ("test", test))
    ]
    both = Manifest(pd.concat(frames, ignore_index=True), root, calibration.task)
    note = require_no_leak(both, allow=facts.training.leak != NO_LEAK)
    return facts.training.leak if facts.training.leak != NO_LEAK else note
