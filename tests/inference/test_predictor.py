import io
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import secondlook
from secondlook.conditions import SKIN
from secondlook.errors import BundleError, InputError
from secondlook.imaging.quality import assess_quality
from secondlook.imaging.read import read_picture
from secondlook.inference.bundle import open_bundle
from secondlook.inference.occlusion import scale_maps
from secondlook.inference.predictor import (
    Prediction,
    Predictor,
    calibrate,
    choose_target,
    choose_triage,
    load_predictor,
    read_input,
)
from tests.drawing import draw_lesion, draw_noise, draw_phone_photo, draw_text_page, encode


@pytest.fixture(scope="module")
def predictor(tiny_bundle: Path) -> Predictor:
    return load_predictor(tiny_bundle)


def assert_same(one: Prediction, other: Prediction) -> None:
    for name in Prediction.__dataclass_fields__:
        if name in {"seconds", "heatmaps", "embedding", "logits"}:
            continue
        assert getattr(one, name) == getattr(other, name), name
    assert one.embedding.tobytes() == other.embedding.tobytes()
    assert one.logits.tobytes() == other.logits.tobytes()
    for key in SKIN.keys:
        assert one.heatmaps[key].tobytes() == other.heatmaps[key].tobytes()


def test_a_batch_gives_exactly_what_singles_give(predictor: Predictor) -> None:
    pictures = [encode(draw_lesion(seed, key)) for key in SKIN.keys for seed in (300, 301)]
    batch = predictor.predict(pictures)
    assert len(batch) == len(pictures)
    for one, picture in zip(batch, pictures, strict=True):
        assert_same(one, predictor.predict(picture))


def test_path_bytes_stream_and_picture_give_the_same(predictor: Predictor, tmp_path: Path) -> None:
    data = encode(draw_phone_photo(5, "mel"), quality=85)
    path = tmp_path / "un grain de beauté.jpg"
    path.write_bytes(data)
    expected = predictor.predict(data)
    sources = [
        path,
        str(path),
        io.BytesIO(data),
        bytearray(data),
        memoryview(data),
        read_picture(data, target_px=choose_target(64)),
        read_input(data, 64, resize="central_crop")[0],
    ]
    for source in sources:
        assert_same(predictor.predict(source), expected)


def test_threads_give_what_one_after_another_gives(predictor: Predictor) -> None:
    pictures = [encode(draw_lesion(seed, "bcc")) for seed in range(8)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(predictor.predict, pictures))
    for one, picture in zip(together, pictures, strict=True):
        assert_same(one, predictor.predict(picture))


def test_most_drawn_lesions_are_named(predictor: Predictor) -> None:
    pairs = [(key, predictor.predict(encode(draw_lesion(seed, key)))) for key in SKIN.keys for seed in range(400, 404)]
    assert np.mean([key == prediction.label for key, prediction in pairs]) > 0.8
    assert np.mean([prediction.triage != "not_evaluable" for _, prediction in pairs]) > 0.8


def test_probabilities_follow_the_written_formula(predictor: Predictor) -> None:
    calibration = predictor.bundle.calibration.model_copy(update={"temperature": 1.7})
    logits = np.random.default_rng(0).normal(0, 5, (20, 7)).astype(np.float32)
    odds = np.exp((logits.astype(float) + np.array(calibration.log_prior)) / 1.7)
    np.testing.assert_allclose(calibrate(logits, calibration), odds / odds.sum(axis=1, keepdims=True), rtol=1e-12)
    assert calibrate(np.full(7, 1e4, np.float32), calibration).sum() == pytest.approx(1)


def test_a_prediction_is_what_its_logits_say(predictor: Predictor) -> None:
    data = encode(draw_lesion(9, "df"))
    prediction = predictor.predict(data)
    outputs = predictor.bundle.session.run(read_input(data, 64, resize="central_crop")[1][None])
    expected = calibrate(outputs.logits[0], predictor.bundle.calibration)
    assert list(prediction.probabilities.values()) == expected.tolist()
    assert prediction.label == SKIN.keys[int((expected / list(predictor.usual_shares.values())).argmax())]
    assert prediction.malignancy == pytest.approx(sum(expected[[0, 1, 4]]))
    assert sum(prediction.probabilities.values()) == pytest.approx(1)
    assert prediction.bundle.sha256 == predictor.bundle.sha256
    assert prediction.seconds > 0


def test_usual_shares_are_the_prior(predictor: Predictor) -> None:
    assert predictor.usual_shares["nv"] == pytest.approx(6705 / 10015)
    assert sum(predictor.usual_shares.values()) == pytest.approx(1)


def test_triage_changes_exactly_at_the_thresholds(predictor: Predictor) -> None:
    calibration = predictor.bundle.calibration
    urgent = calibration.find_point("sensitivity_90").threshold
    refer = calibration.find_point("sensitivity_95").threshold
    below = np.nextafter
    assert choose_triage(urgent, calibration, most="urgent") == "urgent"
    assert choose_triage(below(urgent, 0), calibration, most="urgent") == "refer"
    assert choose_triage(refer, calibration, most="urgent") == "refer"
    assert choose_triage(below(refer, 0), calibration, most="urgent") == "routine"
    assert choose_triage(urgent, calibration, most="refer") == "refer"


def test_a_scorer_that_rounds_otherwise_changes_no_answer(tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    predictor = load_predictor(tiny_bundle)
    picture = encode(draw_lesion(5, "nv"))
    expected, scorer = predictor.predict(picture), predictor._scorer

    class Shaken:
        def score(self, *outputs: np.ndarray) -> np.ndarray:
            return scorer.score(*outputs) * (1 + 1e-12)

    monkeypatch.setattr(predictor, "_scorer", Shaken())
    assert_same(predictor.predict(picture), expected)


@pytest.mark.parametrize("draw", [draw_text_page, draw_noise])
def test_what_is_no_lesion_is_not_evaluable_but_filled_in(predictor: Predictor, draw) -> None:
    prediction = predictor.predict(encode(draw(0), "PNG"))
    assert prediction.triage == "not_evaluable"
    assert prediction.outlier_score > predictor.bundle.calibration.outlier.limit
    assert "outlier" in [reason.code for reason in prediction.reasons]
    assert sum(prediction.probabilities.values()) == pytest.approx(1)
    assert prediction.label in SKIN.keys


def test_a_bad_picture_is_not_evaluable_and_says_why(predictor: Predictor) -> None:
    black = Image.new("RGB", (400, 300), (3, 3, 3))
    calibration = predictor.bundle.calibration
    welcoming = calibration.model_copy(update={"outlier": calibration.outlier.model_copy(update={"limit": 1e9})})
    prediction = Predictor(replace(predictor.bundle, calibration=welcoming)).predict(encode(black, "PNG"))
    quality = assess_quality(np.asarray(black))
    assert not quality.evaluable
    assert prediction.triage == "not_evaluable"
    assert prediction.reasons[0].code == "quality"
    assert prediction.reasons[0].describe("fr") == quality.flags[0].describe("fr")


def test_every_prediction_says_that_it_is_no_diagnosis(predictor: Predictor) -> None:
    pictures = [encode(draw_lesion(1, "mel")), encode(draw_lesion(1, "nv")), encode(draw_noise(0), "PNG")]
    for prediction in predictor.predict(pictures):
        assert prediction.reasons[-1].code == "decision_support"


def test_an_unreadable_picture_is_refused(predictor: Predictor) -> None:
    with pytest.raises(InputError):
        predictor.predict(b"%PDF-1.7 nothing to see")
    with pytest.raises(InputError):
        predictor.predict("there-is-no-such-file.jpg")


@pytest.mark.parametrize("several", [False, True], ids=["alone", "in a list"])
@pytest.mark.parametrize(
    ("given", "name"),
    [
        (np.zeros((9, 9, 3), np.uint8), "ndarray"),
        (Image.new("RGB", (9, 9)), "Image"),
        ({"mole.jpg"}, "set"),
        (None, "NoneType"),
    ],
)
def test_what_is_no_file_is_refused_with_what_to_give(
    predictor: Predictor, given: object, name: str, several: bool
) -> None:
    with pytest.raises(InputError, match=rf"the bytes of its file, or the open file; got {name}\. Save pixels"):
        predictor.predict([given] if several else given)  # type: ignore[call-overload]


def test_the_heatmap_follows_the_lesion(predictor: Predictor) -> None:
    skin = np.asarray(draw_lesion(0, "nv", size=(300, 300))).copy()
    skin[:] = skin[:20, :20].reshape(-1, 3).mean(axis=0)
    lesion = np.asarray(draw_lesion(0, "mel", size=(300, 300)))[105:195, 105:195]
    for row, column in ((20, 20), (20, 190), (190, 20), (190, 190), (105, 105)):
        pixels = skin.copy()
        pixels[row : row + 90, column : column + 90] = lesion
        heatmap = predictor.predict(encode(Image.fromarray(pixels), "PNG")).heatmaps["mel"]
        heat_row, heat_column = np.average(
            np.indices(heatmap.shape).reshape(2, -1), axis=1, weights=heatmap.ravel() ** 2
        )
        cell = 300 / heatmap.shape[0]
        assert abs((heat_row + 0.5) * cell - (row + 45)) < 30
        assert abs((heat_column + 0.5) * cell - (column + 45)) < 30


def test_heatmaps_lie_between_nothing_and_one() -> None:
    maps = np.random.default_rng(0).normal(0, 3, (7, 5, 6)).astype(np.float32)
    for heatmap in scale_maps(maps):
        assert (heatmap.dtype, heatmap.shape, heatmap.min(), heatmap.max()) == (np.float32, (5, 6), 0, 1)
    np.testing.assert_allclose(np.stack(scale_maps(maps + 5)), np.stack(scale_maps(maps)), atol=1e-6)
    assert not np.stack(scale_maps(np.ones((7, 5, 6), np.float32))).any()


def test_load_takes_a_folder(tiny_bundle: Path) -> None:
    assert secondlook.load(tiny_bundle).bundle.sha256 == open_bundle(tiny_bundle).sha256
    with pytest.raises(BundleError, match="neither"):
        secondlook.load("no-such-bundle")


BLOCKED = """
import sys

class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"torch", "torchvision", "timm", "onnx", "django", "ninja", "sklearn", "matplotlib"}:
            raise ImportError(f"{name} is blocked")

sys.meta_path.insert(0, Block())
import secondlook
print(secondlook.load(sys.argv[1]).predict(sys.argv[2]).malignancy)
"""


def test_predicting_needs_neither_torch_nor_django(tiny_bundle: Path, predictor: Predictor, tmp_path: Path) -> None:
    path = tmp_path / "mole.jpg"
    path.write_bytes(encode(draw_lesion(0, "mel")))
    command = [sys.executable, "-c", BLOCKED, str(tiny_bundle), str(path)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stderr
    assert float(result.stdout) == predictor.predict(path).malignancy
