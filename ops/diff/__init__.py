"""`model-factory diff`: what differs between two versions of a model, and between two environments."""
