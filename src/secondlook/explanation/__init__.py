"""What a result rests on: heatmaps drawn over pictures."""
