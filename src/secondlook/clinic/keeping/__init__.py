"""Backups, what is kept for how long, and what a person may ask for: all there is on them, or that it goes."""
