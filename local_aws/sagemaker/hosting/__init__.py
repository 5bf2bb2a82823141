"""Models, endpoint configurations and endpoints, and their requests."""
