"""Drift detection: profiles of a reference and of current data, and a decision that needs effect and significance."""
