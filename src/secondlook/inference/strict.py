"""Whether a bundle's evidence is good enough to serve patients: there, of this bundle, without a leak, not outdated."""

from collections.abc import Iterator
from typing import Any

from secondlook.errors import BundleError
from secondlook.inference.schema import BundleFacts, Calibration, Evidence

NO_LEAK = "none"
# What takes further data than the manifest, and so may be lacking, and is said to be: each with the option that asks
# for it. Every other part of the evidence must be there.
FURTHER = {"outside": "--outside", "outliers": "--near or --far", "attack": "--attack"}
PARTS = tuple(name for name, field in Evidence.model_fields.items() if field.default == {} and name not in FURTHER)
MEASURE = "Measure it: `secondlook evaluate BUNDLE MANIFEST.csv --finish`, with the manifest that it was trained from"
TRAIN = "Split without a leak (`secondlook data split`), and train it again: `secondlook train RECIPE`"


def require_evidence(facts: BundleFacts, calibration: Calibration, evidence: Evidence) -> None:
    """Refuse a bundle whose evidence does not bear out what it would be served for.

    That the evidence is of this graph and this calibration was checked when the bundle was opened.

    Raises:
        BundleError: The evidence is missing, marked by a leak or older than the bundle; the text lists every fault
            with the command that mends it.
    """
    faults = list(_list_faults(facts, calibration, evidence))
    if faults:
        raise BundleError(f"The bundle {facts.name} {facts.version} is not fit to serve. " + " ".join(faults))


def list_missing(evidence: Evidence) -> tuple[str, ...]:
    """Return what the evidence lacks and need not have, in words with the option that asks for it."""
    undated = ("the day",) if evidence.measured is None else ()
    return (*undated, *(f"{part} ({option})" for part, option in FURTHER.items() if not getattr(evidence, part)))


def _list_faults(facts: BundleFacts, calibration: Calibration, evidence: Evidence) -> Iterator[str]:
    unmeasured = [point.name for point in calibration.operating_points if not _is_measured(evidence, point.name)]
    if unmeasured:
        yield f"Its evidence is missing: no sensitivity and specificity at {' and '.join(unmeasured)}. {MEASURE}."
    lacking = [part for part in PARTS if not getattr(evidence, part)]
    if lacking:
        yield f"Its evidence lacks {', '.join(lacking)}. {MEASURE}, and without --quick."
    if facts.training.leak != NO_LEAK:
        yield f"It was trained on a leaking split ({facts.training.leak}). {TRAIN}."
    elif evidence.leak != NO_LEAK:
        yield (
            f"Its evidence comes from a split that leaks, or that was not searched for leaks ({evidence.leak}). "
            f"{MEASURE}, once its splits share no patient, lesion or picture."
        )
    if evidence.manifest.get("fingerprint") in (
        calibration.fitted_on.data_fingerprint,
        facts.training.data_fingerprint,
    ):
        yield f"Its evidence was measured on the pictures that it was trained or calibrated on. {MEASURE}."
    if (evidence.bundle.name, evidence.bundle.version) != (facts.name, facts.version):
        measured = f"{evidence.bundle.name} {evidence.bundle.version}"
        yield f"Its evidence is older than the bundle: it speaks of {measured}. {MEASURE}."
    elif evidence.measured is not None and evidence.measured < facts.created:
        yield (
            f"Its evidence is older than the bundle: measured on {evidence.measured}, exported on {facts.created}. "
            f"{MEASURE}."
        )


def _is_measured(evidence: Evidence, point: str) -> bool:
    figures: Any = evidence.measures
    try:
        rates = figures["risk"]["operating_points"][point]
        return all(rates[name]["value"] is not None for name in ("sensitivity", "specificity"))
    except (KeyError, TypeError):
        return False
