"""Knee X-rays by Kellgren–Lawrence grade, from the Osteoarthritis Initiative.

Names tell the patient and the side: ``9003175L``. Both knees of a patient are one group.

Chen 2018, Mendeley Data, doi 10.17632/56rmx5bjcr.1.
"""

from pathlib import Path

from secondlook.conditions import KNEE
from secondlook.data.sources.layout import Options, Scan, Source
from secondlook.data.sources.tree import Tree, recognise_tree, scan_tree

TREE = Tree(
    splits={"train": "train", "val": "calibration", "test": "test"},
    labels={grade: grade for grade in KNEE.keys},
    group_pattern=r"(?<=/)\d{7}(?=[LR])",
    names="7 digits and L or R, such as 9003175L",
)
SIDES = {"L": "left knee", "R": "right knee"}


def scan_knee_oa(root: Path, options: Options) -> Scan:
    """List the pictures with their patient, grade and side.

    Raises:
        DatasetError: There is no split folder.
    """
    scan = scan_tree(root, TREE, options)
    scan.frame["site"] = scan.frame["image"].str.extract(r"([LR])\.\w+$", expand=False).map(SIDES)
    return scan


KNEE_OA = Source(
    name="knee_oa",
    summary="Knee X-rays by Kellgren–Lawrence grade, both knees of a patient together.",
    layout="""\
DIR/train/0/9003175L.png    grades 0 to 4; L and R are the knees of a patient
DIR/val/…, DIR/test/…       the same again
The parts are pooled; with --keep-split val calibrates and test tests.""",
    tasks=("knee",),
    recognise=lambda root: recognise_tree(root, TREE),
    scan=scan_knee_oa,
    keeps_split=False,
)
