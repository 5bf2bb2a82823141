"""Shared resources of an environment: buckets, notifications, the role of schedules and the isolated VPC."""
