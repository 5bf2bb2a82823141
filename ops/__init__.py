"""The `model-factory` command. It reads the configuration files and calls AWS; it does not use the stacks."""
