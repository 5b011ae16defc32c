"""Who saw, changed and exported what: a log that only grows, each entry sealed together with the one before it."""
