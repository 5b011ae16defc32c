"""Measuring a bundle, and fitting what inference applies."""
