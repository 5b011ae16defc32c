"""How strange is too strange: ways of scoring are compared on strangers, and the best one's limit is fitted.

A way of scoring is chosen on one half of the strangers and measured on the other; the halves share no patient, and the
split test is never looked at. The bundle's own pictures are those of the split calibration, each scored apart.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from secondlook.data.fingerprint import Track, track_silently
from secondlook.evaluation.intervals import bootstrap_measures, widen_share
from secondlook.evaluation.measures import write_interval
from secondlook.evaluation.metrics import compute_auc, compute_share
from secondlook.evaluation.strangers import Strangers, run_strangers
from secondlook.inference.bundle import OutlierLimit
from secondlook.inference.outliers import OutlierMethod, fit_scorer, match_scale
from secondlook.inference.schema import BundleFacts
from secondlook.inference.session import Outputs, Session

Floats = NDArray[np.float64]

REFUSED_SHARE = 0.02
PARTS = 20
DIGITS = 6
CANDIDATES: Mapping[OutlierMethod, tuple[dict[str, Any], ...]] = {
    OutlierMethod.KNN: tuple({"neighbours": count} for count in (1, 5, 10, 50)),
    OutlierMethod.MAHALANOBIS: tuple({"shrinkage": share} for share in (0.01, 0.1, 0.5)),
    OutlierMethod.ENERGY: ({},),
    OutlierMethod.VIM: tuple({"components": count} for count in (32, 64, 128, 256)),
}


@dataclass(frozen=True)
class Home:
    """What a graph gives for the pictures that a bundle is for.

    Attributes:
        outputs: Logits and embeddings of M pictures.
        label: integer M, the class of each.
        groups: M names of the lesions or patients.
    """

    outputs: Outputs
    label: NDArray[np.integer[Any]]
    groups: NDArray[Any]


@dataclass(frozen=True)
class Scored:
    """One way of scoring, with the scores of the bundle's own pictures.

    Attributes:
        limit: Method, parameters and limit.
        apart: float64 M, of the calibration pictures, each scored without its own lesion.
    """

    limit: OutlierLimit
    apart: Floats


def score_apart(home: Home, *, method: OutlierMethod, **parameters: Any) -> Floats:
    """Score each picture against a reference that holds no picture of its own lesion.

    Lesions are dealt to up to ``PARTS`` parts; a part is scored against all the others. A picture scored against
    itself or its sister pictures would look nearer than any new one can be.

    Args:
        home: The bundle's own pictures.
        method: How to score.
        parameters: As :func:`secondlook.inference.outliers.fit_scorer` takes them.

    Returns:
        float64 M; higher is stranger.

    Raises:
        ValueError: There are fewer than two groups.
    """
    embedding, logits = home.outputs.embedding, home.outputs.logits
    names, number = np.unique(home.groups, return_inverse=True)
    if len(names) < 2:
        raise ValueError("Expected pictures of at least two lesions to score one against the other.")
    part = number % min(PARTS, len(names))
    scores = np.empty(len(embedding))
    for one in np.unique(part):
        inside = part == one
        scorer = fit_scorer(method, embedding[~inside].astype(np.float16), home.label[~inside], **parameters)
        scores[inside] = scorer.score(embedding[inside], logits[inside])
    return scores


def choose_limit(scores: Floats, *, share: float = REFUSED_SHARE) -> float:
    """Return the lowest score above which at most this share of the pictures lies.

    Args:
        scores: float64 M.
        share: Share of the pictures to give up, 0 … 1.

    Raises:
        ValueError: There are no scores, or the share is none.
    """
    if not len(scores) or not 0 <= share < 1:
        raise ValueError(f"Expected scores and a share from 0 to below 1, got {len(scores)} and {share}.")
    return float(np.sort(scores)[len(scores) - 1 - math.floor(share * len(scores))])


def fit_method(home: Home, *, method: OutlierMethod = OutlierMethod.MAHALANOBIS, **parameters: Any) -> Scored:
    """Fit a method's limit so that it refuses ``REFUSED_SHARE`` of the calibration pictures, each scored apart.

    Raises:
        ValueError: There are fewer than two groups.
    """
    if method is OutlierMethod.VIM:
        embedding = home.outputs.embedding.astype(np.float16)
        scale = match_scale(embedding, home.outputs.logits, components=parameters["components"])
        parameters = parameters | {"scale": round(scale, DIGITS)}
    apart = score_apart(home, method=method, **parameters)
    limit = math.ceil(choose_limit(apart) * 10**DIGITS) / 10**DIGITS
    return Scored(OutlierLimit(method=method, limit=limit, **parameters), apart)


def score_strangers(home: Home, limit: OutlierLimit, outputs: Outputs) -> Floats:
    """Return float64 N, the scores of foreign pictures against all of the bundle's own, as serving scores them."""
    reference = home.outputs.embedding.astype(np.float16)
    scorer = fit_scorer(limit.method, reference, home.label, **limit.parameters)
    return scorer.score(outputs.embedding, outputs.logits)


def rank_methods(home: Home, foreign: Sequence[Outputs]) -> list[tuple[float, Scored]]:
    """Return each method at its best parameters, with the mean share of foreign pictures that it refuses, best first.

    The mean is over the kinds of pictures, each counting once however many there are.

    Args:
        home: The bundle's own pictures.
        foreign: What the graph gives for each kind of foreign pictures.
    """
    best = []
    for method, grid in CANDIDATES.items():
        tried = [fit_method(home, method=method, **parameters) for parameters in grid]
        shares = [
            float(np.mean([(score_strangers(home, one.limit, part) > one.limit.limit).mean() for part in foreign]))
            for one in tried
        ]
        first = int(np.argmax(shares))
        best.append((shares[first], tried[first]))
    return sorted(best, key=lambda pair: -pair[0])


def compare_outliers(
    session: Session,
    facts: BundleFacts,
    home: Home,
    strangers: Iterable[Strangers],
    *,
    seed: int = 0,
    resamples: int = 2000,
    track: Track = track_silently,
) -> tuple[OutlierLimit, dict[str, Any]]:
    """Choose the best way of scoring on one half of the strangers, and measure all on the other half.

    Args:
        session: The graph.
        facts: How it takes pictures.
        home: What it gives for the calibration pictures.
        strangers: Kinds of pictures that the bundle is not for.
        seed: Seed of the halves and of the bootstrap.
        resamples: Number of resamples.
        track: Shows progress.

    Returns:
        The limit to serve, and the evidence: ``share`` of calibration pictures given up, ``own`` and ``sets`` (what was
        measured on), and for each of ``methods`` its ``parameters``, ``limit``, ``served``, ``chosen_by`` (mean share
        refused of the first halves) and by set ``auc`` and ``refused``, with 95 % intervals.

    Raises:
        DatasetError: A kind holds no picture that can be read.
    """
    kinds = list(strangers)
    halves = [
        [run_strangers(session, facts, kind.halve(first=first, seed=seed), track=track) for kind in kinds]
        for first in (True, False)
    ]
    ranked = rank_methods(home, [outputs for outputs, _ in halves[0]])
    measured = [
        measure_method(home, scored, kinds, halves[1], seed=seed, resamples=resamples)
        | {"chosen_by": round(share, 4), "served": place == 0}
        for place, (share, scored) in enumerate(ranked)
    ]
    evidence = {
        "share": REFUSED_SHARE,
        "own": {"pictures": len(home.groups), "groups": len(np.unique(home.groups))},
        "sets": [
            {"name": kind.name, "near": kind.near, "pictures": len(groups), "groups": len(np.unique(groups))}
            for kind, (_, groups) in zip(kinds, halves[1], strict=True)
        ],
        "methods": measured,
    }
    return ranked[0][1].limit, evidence


def measure_method(
    home: Home,
    scored: Scored,
    kinds: Sequence[Strangers],
    foreign: Sequence[tuple[Outputs, NDArray[np.str_]]],
    *,
    seed: int,
    resamples: int,
) -> dict[str, Any]:
    """Measure one way of scoring on every kind of strangers; intervals are from a bootstrap over patients or lesions.

    Returns:
        ``method``, ``parameters``, ``limit``, and by kind ``auc`` (strangers against own pictures) and ``refused``.
    """
    limit, own = scored.limit, np.array([f"own {group}" for group in home.groups])
    used = CANDIDATES[limit.method][0].keys() | ({"scale"} if limit.method is OutlierMethod.VIM else set())
    found: dict[str, Any] = {
        "method": limit.method.value,
        "parameters": {name: value for name, value in limit.parameters.items() if name in used},
        "limit": limit.limit,
        "auc": {},
        "refused": {},
    }
    for kind, (outputs, groups) in zip(kinds, foreign, strict=True):
        theirs = score_strangers(home, limit, outputs)
        scores = np.concatenate([scored.apart, theirs])
        strange = np.arange(len(scores)) >= len(scored.apart)
        refused = strange & (scores > limit.limit)

        def measure(
            weights: Floats, scores: Floats = scores, strange: Any = strange, refused: Any = refused
        ) -> dict[str, Floats]:
            whole = (weights * strange).sum(axis=-1)
            return {
                "auc": compute_auc(strange, scores, weights=weights),
                "refused": compute_share(weights @ refused, whole),
            }

        names = np.concatenate([own, groups])
        intervals = bootstrap_measures(measure, names, seed=seed, resamples=resamples)
        found["auc"][kind.name] = write_interval(intervals["auc"])
        found["refused"][kind.name] = write_interval(widen_share(intervals["refused"], groups))
    return found
