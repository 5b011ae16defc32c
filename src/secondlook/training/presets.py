"""Named sets of augmentation, as recipes say ``augmentation: {preset: r1}``; each is what its name means, in numbers.

Those of the reference systems are what docs/reference-systems.md tells of them. Their authors used Keras, which zooms
both axes apart and smears the border outwards; here both axes zoom alike (see ``stretch``) and the border is mirrored.
A shear of 0.2 is the slope that their older Keras took it for, not the 0.2 degrees of later versions.
"""

from collections.abc import Mapping
from typing import Any

PRESETS: Mapping[str, Mapping[str, Any]] = {
    "r1": {
        "shear": 0.2,
        "rotation_degrees": 40,
        "brightness": (0.5, 1.5),
        "flip_horizontal": True,
        "flip_vertical": True,
    },
    "r2_dermoscopy": {"rotation_degrees": 10, "zoom": (0.9, 1.1), "shift": 0.1},
    "r2_inceptionresnetv2": {
        "rotation_degrees": 180,
        "shift": 0.1,
        "zoom": (0.9, 1.1),
        "flip_horizontal": True,
        "flip_vertical": True,
    },
    "r2_chest": {"zoom": (0.7, 1.3), "flip_horizontal": True},
    "skin": {
        "rotation_degrees": 180,
        "flip_horizontal": True,
        "flip_vertical": True,
        "zoom": (0.85, 1.4),
        "stretch": 1.15,
        "shear": 0.1,
        "shift": 0.08,
        "brightness": 0.15,
        "contrast": 0.2,
        "saturation": 0.2,
        "white_balance": 0.1,
        "gamma": 1.2,
        "blur": 0.25,
        "noise": 0.02,
        "erase": 0.15,
        "mixup": 0.1,
    },
    "xray": {
        "rotation_degrees": 10,
        "flip_horizontal": True,
        "zoom": (0.85, 1.2),
        "stretch": 1.15,
        "shear": 0.05,
        "shift": 0.06,
        "contrast": 0.15,
        "gamma": 1.25,
        "window": 0.25,
        "blur": 0.2,
        "erase": 0.15,
    },
}
