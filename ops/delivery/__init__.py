"""The delivery pipeline's executions, approvals of versions, and promotion between environments."""
