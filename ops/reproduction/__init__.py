"""`model-factory reproduce`: trains a version again from what was kept of it, and says whether it is the same."""
