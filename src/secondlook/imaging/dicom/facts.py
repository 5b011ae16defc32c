"""What may be kept of a DICOM file beside its picture: facts of the technique, none of the patient."""

from dataclasses import dataclass
from typing import Final

MODALITIES: Final = ("CR", "DX", "XC", "OT")

# Values that PS3.16 (annex L) and PS3.3 define. Anything else in these attributes is left out: people type names there.
# fmt: off
BODY_PARTS: Final = frozenset((
    "ABDOMEN", "ANKLE", "ARM", "BREAST", "CALCANEUS", "CHEST", "CLAVICLE", "CSPINE", "ELBOW", "EXTREMITY", "EYE",
    "FACE", "FEMUR", "FINGER", "FOOT", "FOREARM", "HAND", "HEAD", "HIP", "HUMERUS", "KNEE", "LEG", "LSPINE",
    "MANDIBLE", "NECK", "NOSE", "PATELLA", "PELVIS", "RADIUS", "RIB", "SACRUM", "SCALP", "SCAPULA", "SHOULDER",
    "SKIN", "SKULL", "SPINE", "STERNUM", "THIGH", "THUMB", "TIBIA", "TOE", "TRUNK", "TSPINE", "ULNA", "WRIST"
))
# fmt: on
VIEWS: Final = frozenset(["AP", "PA", "LL", "RL", "RLD", "LLD", "RLO", "LLO", "LATERAL", "OBLIQUE", "AXIAL"])


@dataclass(frozen=True, slots=True)
class DicomFacts:
    """Facts of the technique from a DICOM file.

    Attributes:
        modality: ``CR``, ``DX``, ``XC`` or ``OT``.
        photometric: Photometric interpretation, for example ``MONOCHROME1``.
        bits_stored: Bits of each sample.
        transfer_syntax: Name of the transfer syntax.
        spacing_mm: Distance between rows and between columns, where the file states it.
        body_part: Body part as PS3.16 names it, where the file states one.
        view: View position as PS3.3 names it, where the file states one.
    """

    modality: str
    photometric: str
    bits_stored: int
    transfer_syntax: str
    spacing_mm: tuple[float, float] | None = None
    body_part: str | None = None
    view: str | None = None
