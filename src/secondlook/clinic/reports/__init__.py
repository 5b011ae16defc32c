"""Reports as tagged PDF, of a visit or of a lesion, in the patient’s language."""
