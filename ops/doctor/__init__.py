"""`model-factory doctor`: read-only checks of an account against what the stacks of an environment need."""
