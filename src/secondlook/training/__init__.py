"""Training from a recipe; torch lives here alone."""
