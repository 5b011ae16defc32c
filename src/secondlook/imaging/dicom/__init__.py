"""DICOM: single X-rays and photographs, read without anything that names a patient."""
