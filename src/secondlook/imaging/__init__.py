"""Pictures in: reading, resizing and judging quality."""
