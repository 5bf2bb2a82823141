"""The job compare: whether a model that was trained again is the version it was rebuilt from, and what differs if not."""
