"""Trained models side by side: figures with intervals, cost, and whether a difference could be chance."""
