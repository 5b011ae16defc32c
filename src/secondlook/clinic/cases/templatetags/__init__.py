"""Words and marks that several templates share."""
