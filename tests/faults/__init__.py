"""Stateful tests: the functions under faults of the bus, of AWS and of people, against promises (docs/reference/faults.md)."""
