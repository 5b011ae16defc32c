"""A bundle laid out for model hubs: read as hubs read it, still a bundle, and never over something else."""

import json

import numpy as np
import pytest
import yaml

from secondlook.errors import BundleError, InputError
from secondlook.evaluation import hub
from secondlook.evaluation.hub import describe_config, export_hub
from secondlook.inference.bundle import Scaling, open_bundle, seal_bundle
from secondlook.inference.predictor import Predictor, calibrate
from tests.bundles import read_json, write_json


@pytest.fixture(scope="module")
def exported(servable_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("hub") / "tiny"
    export_hub(servable_folder, folder)
    return folder


def test_the_export_is_a_bundle_that_answers_alike(exported, servable_folder, drawn_manifest):
    bundle, original = open_bundle(exported, strict=True), open_bundle(servable_folder)
    picture = drawn_manifest.paths()[0]
    ours, theirs = (Predictor(one).predict(picture) for one in (bundle, original))
    assert ours.probabilities == theirs.probabilities
    assert bundle.evidence == original.evidence
    assert bundle.sha256 != original.sha256
    assert json.loads((exported / "config.json").read_text())["made_from"]["bundle_sha256"] == original.sha256


def test_the_sums_cover_every_file(exported):
    names = [line.split("  ")[1] for line in (exported / "SHA256SUMS").read_text().splitlines()]
    assert sorted([*names, "SHA256SUMS"]) == sorted(path.name for path in exported.iterdir())
    assert "config.json" in names
    (exported / "config.json").write_bytes((content := (exported / "config.json").read_bytes()) + b" ")
    with pytest.raises(BundleError, match=r"config\.json no longer fits its sum"):
        open_bundle(exported)
    (exported / "config.json").write_bytes(content)


def test_a_hub_reads_the_metadata(exported, finished_bundle):
    card = pytest.importorskip("huggingface_hub").ModelCard.load(exported / "README.md")
    assert card.data.license == "apache-2.0"
    assert card.data.language == ["en", "fr"]
    assert card.data.pipeline_tag == "image-classification"
    assert {"onnx", "dermatology", "skin"} <= set(card.data.tags)
    measures = finished_bundle.evidence.measures
    found = {result.metric_name.split(" (9")[0]: result for result in card.data.eval_results}
    assert found["Macro AUC"].metric_value == measures["macro_auc"]["value"]
    assert found["Macro AUC"].dataset_split == "test"
    assert found["Macro AUC"].dataset_revision == finished_bundle.evidence.manifest["fingerprint"]
    refer = measures["risk"]["operating_points"]["sensitivity_95"]["sensitivity"]
    assert found["Sensitivity to malignancy at the threshold for refer"].metric_value == refer["value"]
    assert f"{refer['lower']:.3f}–{refer['upper']:.3f}" in str(
        [result.metric_name for result in card.data.eval_results if result.metric_type == "recall"]
    )
    assert card.text.strip() == finished_bundle.card.strip()


@pytest.mark.parametrize("scaling", [None, "vector", "dirichlet"])
def test_the_formula_of_the_config_gives_the_probabilities(finished_bundle, scaling):
    rng = np.random.default_rng(0)
    weight = np.diag(rng.uniform(0.5, 2, 7)) if scaling == "vector" else rng.normal(0, 1, (7, 7))
    bias = tuple(rng.normal(0, 1, 7).tolist())
    given = scaling and Scaling(method=scaling, weight=tuple(map(tuple, weight.tolist())), bias=bias)
    calibration = finished_bundle.calibration.model_copy(update={"scaling": given})
    told = hub._describe_probabilities(calibration)

    def softmax(scores):
        odds = np.exp(scores - scores.max())
        return odds / odds.sum()

    logits = rng.normal(0, 2, 7).astype(np.float32)
    names = {name: np.array(value) for name, value in told.items() if name != "formula"}
    functions = {"softmax": softmax, "log_softmax": lambda scores: np.log(softmax(scores)), "logits": logits}
    found = eval(told["formula"], {"__builtins__": {}}, names | functions)  # noqa: S307 - the formula is what is tested
    np.testing.assert_allclose(found, calibrate(logits, calibration), atol=1e-6)


def test_what_hubs_and_their_clients_put_beside_it_is_passed_over(exported, tmp_path):
    again = tmp_path / "fetched"
    export_hub(exported, again)
    (again / ".gitattributes").write_text("*.onnx filter=lfs")
    (again / ".cache" / "huggingface").mkdir(parents=True)
    assert open_bundle(again, strict=True).facts == open_bundle(exported).facts
    assert (again / "README.md").read_text().count("\n---\n") == 1
    (again / "pytorch_model.bin").write_text("anything")
    with pytest.raises(BundleError, match=r"no bundle has: pytorch_model\.bin"):
        open_bundle(again)


def test_the_config_says_what_the_graph_takes_and_gives(finished_bundle):
    config = describe_config(finished_bundle)
    assert config["image_size"] == {"height": 64, "width": 64}
    assert config["id2label"]["4"] == "mel"
    assert config["threshold_on"] == ["akiec", "bcc", "mel"]
    assert "map" in config["outputs"]


def test_nothing_is_overwritten(servable_folder, tmp_path):
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "notes.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    for name in ("taken", "file"):
        with pytest.raises(InputError, match=f"new or an empty folder for the export, '{name}'"):
            export_hub(servable_folder, tmp_path / name)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "notes.txt", "taken"]
    (tmp_path / "empty").mkdir()
    export_hub(servable_folder, tmp_path / "empty")
    assert (tmp_path / "empty" / "config.json").is_file()


def test_an_export_that_fails_leaves_nothing(servable_folder, tmp_path, monkeypatch):
    def fail(draft):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(hub, "seal_bundle", fail)
    with pytest.raises(InputError, match="Cannot write the export to 'full': No space left"):
        export_hub(servable_folder, tmp_path / "full")
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_fit_to_serve_is_not_exported(bundle_copy, tmp_path):
    write_json(bundle_copy / "evidence.json", read_json(bundle_copy / "evidence.json") | {"leak": "3 lesions"})
    seal_bundle(bundle_copy)
    with pytest.raises(BundleError, match="not fit to serve"):
        export_hub(bundle_copy, tmp_path / "hub")
    assert not (tmp_path / "hub").exists()


def test_a_licence_that_hubs_do_not_know_is_given_by_name(bundle_copy, tmp_path):
    write_json(bundle_copy / "bundle.json", read_json(bundle_copy / "bundle.json") | {"licence": "Clinic only"})
    seal_bundle(bundle_copy)
    export_hub(bundle_copy, tmp_path / "hub")
    head = yaml.safe_load((tmp_path / "hub" / "README.md").read_text().split("---\n")[1])
    assert (head["license"], head["license_name"]) == ("other", "Clinic only")
