"""A look at one picture: upload, answer, model card."""
