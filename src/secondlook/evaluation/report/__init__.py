"""The report of a bundle for a reader: sections from its evidence, as one HTML file, a PDF of it, and CSV files."""
