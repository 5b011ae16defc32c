"""One file per layout that data sets come in."""
