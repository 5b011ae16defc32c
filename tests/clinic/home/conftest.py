"""The same patients and pictures as for cases."""

from tests.clinic.cases.conftest import make_patient, make_picture

__all__ = ["make_patient", "make_picture"]
