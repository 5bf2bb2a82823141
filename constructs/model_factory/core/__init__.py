"""Shared by environment, model and delivery: names, permissions, keys, functions, queues, topics, buckets, VPC config."""
