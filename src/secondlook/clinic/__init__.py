"""The Django site: one page and one API, both thin over the predictor; nothing is stored."""
