"""The families of networks that a recipe may name, a line each; PyTorch is not needed to know them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Family:
    """How a network is built, and what a recipe has to mind.

    Attributes:
        builder: Its function in ``secondlook.training.zoo``, as ``module.function``. It takes height and width of the
            pictures and returns a backbone: from float32 N×3×H×W to feature maps N×width×h×w or features N×width.
        on_timm: Whether it is built on the timm network ``model.name``; the function then takes the Model first.
        one_size: Whether its maps are flattened, so that its weights depend on the picture's size.
        normed_features: Whether it has batch norm over features, which wants two pictures at a time.
    """

    builder: str
    on_timm: bool = False
    one_size: bool = False
    normed_features: bool = False


FAMILIES: dict[str, Family] = {
    "timm": Family("pretrained.build_timm", on_timm=True),
    "mobilenetv2_blocks": Family("mobilenetv2.build_mobilenetv2_blocks", on_timm=True),
    "r1_cnn": Family("mole.build_r1_cnn", one_size=True),
    "r2_dermoscopy": Family("dermoscopy.build_r2_dermoscopy", one_size=True, normed_features=True),
    "r2_chest": Family("chest.build_r2_chest", one_size=True),
    "r2_bone": Family("bone.build_r2_bone", one_size=True, normed_features=True),
    "r3_cnn": Family("melanoma.build_r3_cnn"),
}
