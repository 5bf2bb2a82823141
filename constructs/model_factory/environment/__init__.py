"""Constructs that an environment has once: key, buckets, alerts, roles and network."""
