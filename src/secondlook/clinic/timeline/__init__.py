"""A lesion over time: its pictures laid over each other, what changed beyond the error, how it stands."""
