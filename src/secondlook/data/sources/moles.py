"""Moles sorted into benign and malignant: two Kaggle data sets drawn from the ISIC archive.

"Skin Cancer: Malignant vs. Benign" (1,800 benign, 1,497 malignant, 224×224) and "Melanoma Skin Cancer Dataset of 10000
Images". Neither tells patient or lesion.
"""

from secondlook.data.sources.layout import Source
from secondlook.data.sources.tree import Tree, recognise_tree, scan_tree

TREE = Tree(
    splits={"train": "train", "test": "test"},
    labels={"benign": "benign", "malignant": "malignant"},
)

MOLES = Source(
    name="moles",
    summary="Kaggle's malignant-vs-benign moles and its melanoma 10000, no group known.",
    layout="""\
DIR/train/benign/*.jpg   DIR/train/malignant/*.jpg
DIR/test/benign/*.jpg    DIR/test/malignant/*.jpg
or the same in DIR/melanoma_cancer_dataset/. The two parts are pooled;
with --keep-split the test stays the test.""",
    tasks=("mole",),
    recognise=lambda root: recognise_tree(root, TREE),
    scan=lambda root, options: scan_tree(root, TREE, options),
    keeps_split=False,
)
