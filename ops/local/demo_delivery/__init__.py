"""`model-factory demo-delivery`: pushes to a local repository, delivered by the deployed pipeline."""
