"""The report folder: one page without network, a tagged PDF, every curve as CSV, no picture in the evidence."""

import csv
import json
import re
import zlib
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from secondlook.conditions import SKIN
from secondlook.errors import InputError, SecondlookError
from secondlook.evaluation.report import page, plots, write
from secondlook.evaluation.report.order import list_sections
from secondlook.evaluation.report.page import render_page, render_table, write_pdf
from secondlook.evaluation.report.section import Source, Table
from secondlook.evaluation.report.sheets import dump_sheet
from secondlook.evaluation.report.words import write_cell
from secondlook.evaluation.report.write import write_report
from secondlook.evaluation.run import examine_bundle

pytest.importorskip("matplotlib")


@pytest.fixture(scope="module")
def examined(finished_folder, drawn_manifest):
    return examine_bundle(finished_folder, drawn_manifest, quick=True, resamples=200)


@pytest.fixture(scope="module")
def folder(examined, tmp_path_factory):
    evidence, answered = examined
    target = tmp_path_factory.mktemp("report") / "report"
    unwritten = write_report(target, evidence, task="skin", answered=answered)
    assert unwritten == [] or "WeasyPrint" in unwritten[0]
    return target


class Reader(HTMLParser):
    """Collects the attributes of every tag, and which sections there are."""

    def __init__(self, text):
        super().__init__()
        self.tags = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def list(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def test_the_page_needs_no_network_and_says_every_drawing_in_words(folder):
    reader = Reader((folder / "report.html").read_text())
    for image in reader.list("img"):
        assert image["src"].startswith("data:image/")
        assert len(image["alt"]) > 10
    assert not [one for name in ("script", "link", "iframe") for one in reader.list(name)]
    text = (folder / "report.html").read_text()
    assert not re.findall(r"https?://(?!www\.w3\.org)", re.sub(r"base64,[^\"]+", "", text))


def test_every_link_of_the_contents_leads_to_a_section(folder):
    reader = Reader((folder / "report.html").read_text())
    sections = [section["id"] for section in reader.list("section")]
    assert len(sections) == len(set(sections)) >= 9
    assert [link["href"] for link in reader.list("a")][1:] == [f"#{key}" for key in sections]


def test_figures_on_the_page_are_those_of_the_evidence(folder, examined):
    measures = json.loads((folder / "evidence.json").read_text())["measures"]
    text = (folder / "report.html").read_text()
    assert write_cell(measures["macro_auc"]) in text
    assert write_cell(measures["risk"]["operating_points"]["sensitivity_95"]["sensitivity"], percent=True) in text
    assert examined[0].measures == measures


def test_pictures_are_on_the_page_alone(folder, examined):
    assert "data:image/jpeg" in (folder / "report.html").read_text()
    for file in (folder / "evidence.json", *(folder / "tables").iterdir()):
        assert "base64" not in file.read_text()
        assert ".png" not in file.read_text()
    without = Source(examined[0].model_dump(mode="json"), SKIN, None)
    assert not [section for section in list_sections(without) if section.galleries]


def test_every_table_and_curve_is_a_csv_that_holds_its_numbers(folder, examined):
    names = {file.name for file in (folder / "tables").iterdir()}
    assert {"roc-risk.csv", "decision.csv", "risk-coverage.csv", "subgroups.csv", "confusion-matrix.csv"} <= names
    with (folder / "tables" / "roc-risk.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    curve = examined[0].curves["roc"]["risk"]
    assert [float(row["value"]) for row in rows] == curve["value"]
    assert rows[0].keys() == {"curve", "1 - specificity", "value", "lower", "upper"}


def test_the_pdf_is_tagged_and_has_the_title(folder):
    if not (folder / "report.pdf").is_file():
        pytest.skip("WeasyPrint or Pango is not installed here")
    content = (folder / "report.pdf").read_bytes()
    assert content.startswith(b"%PDF-")
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", content, re.DOTALL)
    objects = b"".join(zlib.decompressobj().decompress(stream) for stream in streams if stream.startswith(b"x"))
    for word in (b"/MarkInfo", b"/StructTreeRoot", b"/Figure", b"Skin lesion: evidence for the model"):
        assert word in objects + content


def test_the_same_evidence_gives_the_same_page(folder, examined, tmp_path, monkeypatch):
    monkeypatch.setattr(write, "write_pdf", lambda page, path: path.write_bytes(b""))
    write_report(tmp_path, examined[0], task="skin", answered=examined[1])
    assert (tmp_path / "report.html").read_bytes() == (folder / "report.html").read_bytes()


def test_old_evidence_without_parts_still_gives_a_report(examined):
    old = {
        name: value
        for name, value in examined[0].model_dump(mode="json").items()
        if name
        in ("schema_version", "bundle", "manifest", "leak", "seed", "resamples", "measures", "secondlook_version")
    }
    keys = [section.key for section in list_sections(Source(old, SKIN))]
    assert keys[0] == "glance"
    assert "confusion" in keys


def test_a_leak_marks_the_first_section(examined):
    evidence = examined[0].model_dump(mode="json") | {"leak": "measured on the split train"}
    first = list_sections(Source(evidence, SKIN))[0]
    assert first.doubtful
    assert "Every figure here is marked: measured on the split train" in first.verdict


def test_hostile_names_are_words_on_the_page(examined):
    source = Source(examined[0].model_dump(mode="json"), SKIN)
    text = render_page(list_sections(source), title="<script>alert(1)</script>", subtitle='"quoted" & more')
    assert "<script>" not in text


def test_words_stand_from_the_left_and_figures_from_the_right():
    figure = {"value": 0.5, "lower": 0.25, "upper": 0.75}
    rows = (("one", figure, "Melanoma 3, nevus 2, others 1"), ("two", "too few to say", "none"))
    text = render_table(Table("t", "T", ("Name", "Share", "Named"), rows))
    assert '<th scope="col">Share</th><th scope="col" class=text>Named</th>' in text
    assert "<td class=text>none</td>" in text
    assert "<td>too few to say</td>" in text


def test_differences_below_zero_have_a_minus_sign_and_cannot_be_read_as_a_range():
    assert write_cell({"value": -0.009, "lower": -0.035, "upper": 0.019}) == "−0.009 (−0.035 to 0.019)"


def test_the_words_of_the_report_are_told_in_the_end_with_the_task_s_own_groups(examined):
    told = list_sections(Source(examined[0].model_dump(mode="json"), SKIN))[-1]
    meanings = dict(told.tables[0].rows)
    assert list(meanings) == sorted(meanings, key=str.lower)
    assert "Whole lesions or patients are drawn" in meanings["95 % interval"]


def test_a_measured_figure_becomes_three_columns():
    figure = {"value": 0.5, "lower": 0.25, "upper": None}
    table = Table("t", "T", ("name", "share"), (("one", figure), ("two", "too few")))
    assert dump_sheet(table) == "name,share,share lower,share upper\none,0.5,0.25,\ntwo,too few,,\n"


@pytest.mark.parametrize(
    ("cell", "percent", "words"),
    [
        ({"value": 0.9125, "lower": 0.9, "upper": 0.92}, False, "0.912 (0.900–0.920)"),
        ({"value": 0.9125, "lower": 0.9, "upper": 0.92}, True, "91.2\N{NO-BREAK SPACE}% (90.0–92.0)"),
        ({"value": 0.5, "lower": None, "upper": None}, False, "0.500 (too few)"),
        ({"value": None, "lower": None, "upper": None}, False, "–"),
        (None, True, "–"),
        (1234, True, "1,234"),
        (0.5, True, "50.0\N{NO-BREAK SPACE}%"),
    ],
)
def test_cells_are_written_for_a_reader(cell, percent, words):
    assert write_cell(cell, percent=percent) == words


def test_without_weasyprint_the_rest_is_written_and_said(examined, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "weasyprint", None)
    (sentence,) = write_report(tmp_path, examined[0], task="skin")
    assert "pip install 'secondlook[report]'" in sentence
    assert (tmp_path / "report.html").is_file()
    assert not list(tmp_path.glob(".*"))


def test_without_pango_or_matplotlib_the_sentence_says_what_to_install(examined, tmp_path, monkeypatch):
    class Broken:
        def __getattr__(self, name):
            raise OSError("cannot load library 'libpango'")

    monkeypatch.setitem(__import__("sys").modules, "weasyprint", Broken())
    with pytest.raises(SecondlookError, match="needs Pango"):
        write_pdf("<p>", tmp_path / "a.pdf")
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    with pytest.raises(SecondlookError, match="matplotlib, which is not installed"):
        plots.draw_forest([], x="x")


def test_a_folder_that_cannot_be_written_is_refused(examined, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(page, "write_pdf", lambda *_: None)
    with pytest.raises(InputError, match="Cannot write the report into"):
        write_report(tmp_path / "file" / "report", examined[0], task="skin")


def test_pictures_that_went_away_are_named_all_the_same(examined, tmp_path, monkeypatch):
    monkeypatch.setattr(write, "write_pdf", lambda page, path: path.write_bytes(b""))
    evidence, answered = examined
    moved = replace(answered, manifest=replace(answered.manifest, root=tmp_path / "nowhere"))
    write_report(tmp_path / "report", evidence, task="skin", answered=moved)
    assert "can no longer be read" in (tmp_path / "report" / "report.html").read_text()
