"""Data without leaks: manifests, sources, grouped splits and leak audits."""
