"""Whether what the database says is what the store holds."""

from dataclasses import dataclass

from secondlook.clinic.cases.models import Picture
from secondlook.clinic.files.models import FileState, KeptFile
from secondlook.clinic.files.sealing import SealError
from secondlook.clinic.files.services import FileLostError, read_file
from secondlook.clinic.files.store import list_sealed


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was found.

    Attributes:
        sound: Files that open.
        missing: Files that a row speaks of and that are not there.
        damaged: Files that were changed or are sealed with another key.
        strange: Files that no row knows; none is ever removed for that.
    """

    sound: int
    missing: int
    damaged: int
    strange: int


def inspect_files() -> Inspection:
    """Open every file that a row speaks of."""
    # Before the rows: what is added meanwhile is in neither or in the rows alone.
    lying = list_sealed()
    known = set(KeptFile.objects.values_list("name", flat=True))
    names = set(KeptFile.objects.filter(state=FileState.KEPT).values_list("name", flat=True))
    for columns in Picture.objects.values_list("shown", "seen", "original").iterator(chunk_size=2000):
        names.update(filter(None, columns))
    sound = missing = damaged = 0
    for name in sorted(names):
        try:
            read_file(name)
            sound += 1
        except FileLostError:
            missing += 1
        except SealError:
            damaged += 1
    return Inspection(sound, missing, damaged, strange=len(lying - known))
