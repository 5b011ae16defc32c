"""The first page: what the site is for whoever comes, and their day for whoever works here."""
