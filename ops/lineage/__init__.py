"""Lineage: from an endpoint back to the objects that its version was trained on, and from an object forward to versions."""
