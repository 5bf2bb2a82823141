"""CloudWatch's evaluation of metric alarms, as documented."""
