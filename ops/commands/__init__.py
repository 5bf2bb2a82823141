"""The functions behind each command: options in, a call of the module that does the work, output."""
