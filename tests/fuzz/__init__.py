"""Fuzzing of decoding, normalization and packing."""
