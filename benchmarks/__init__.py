"""Benchmarks: speed, memory, and accuracy of drift detection."""
