"""What is deployed: one file a stack, composed of constructs."""
