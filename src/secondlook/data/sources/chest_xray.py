"""Kermany's paediatric chest X-rays, normal or pneumonia, as Kaggle and Mendeley lay them out.

Names tell the patient: ``person17_bacteria_50`` and ``IM-0115-0001`` or ``NORMAL2-IM-0383-0001``, two series that count
anew. Whether bacteria and virus count anew, too, the authors do not say; one number stays one group, to be safe.
The validation folder holds 16 pictures: it is pooled with train, and calibration pictures are dealt by patient.

Kermany et al. 2018, doi 10.1016/j.cell.2018.02.010.
"""

from secondlook.data.sources.layout import Source
from secondlook.data.sources.tree import Tree, recognise_tree, scan_tree

TREE = Tree(
    splits={"train": "train", "val": "train", "test": "test"},
    labels={"NORMAL": "normal", "PNEUMONIA": "pneumonia"},
    group_pattern=r"(?<=/)(person\d+|(?:NORMAL2-)?IM-\d+)(?=[_.-])",
    names="person17_bacteria_50, IM-0115-0001 or NORMAL2-IM-0383-0001",
)

CHEST_XRAY = Source(
    name="chest_xray",
    summary="Kermany's chest X-rays (Kaggle's chest_xray), grouped by patient.",
    layout="""\
DIR/train/NORMAL/IM-0115-0001.jpeg or NORMAL2-IM-0383-0001.jpeg
DIR/train/PNEUMONIA/person17_bacteria_50.jpeg
DIR/val/…, DIR/test/…    the same again
The test stays the test; train and val are pooled, and a tenth of their
patients is put aside to calibrate. With train alone: `data split`.""",
    tasks=("chest",),
    recognise=lambda root: recognise_tree(root, TREE),
    scan=lambda root, options: scan_tree(root, TREE, options),
)
