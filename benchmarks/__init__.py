"""Speed of Secondlook against plain alternatives, each on drawn pictures; see docs/benchmarks.md."""
