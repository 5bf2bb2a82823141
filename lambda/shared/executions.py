"""Statuses of SageMaker pipeline executions."""

RUNNING = ("Executing", "Stopping")
"""Statuses of an execution that has not ended."""
