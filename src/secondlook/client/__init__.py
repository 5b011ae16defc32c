"""A program's way to a running site."""
