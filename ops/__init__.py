"""The `model-factory` command: what people run by hand. It reads the configuration and AWS, never the stacks."""
