"""How a lesion changes from one picture to the next, and how it differs from the patient's others."""
