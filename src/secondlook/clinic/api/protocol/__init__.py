"""The Open Inference Protocol, version 2: the same models for programs that know no other interface."""
