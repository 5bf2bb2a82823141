"""`make demo-delivery`: pushes to a repository on this machine, delivered by the deployed pipeline."""
