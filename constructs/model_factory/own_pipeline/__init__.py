"""Pipelines that people already have: `models/<name>/pipeline.py` with `get_pipeline`, in place of model.py."""
