"""Serving a bundle with ONNX Runtime; it lives here alone."""
