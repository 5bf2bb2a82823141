"""Constructs and helpers that environments, models and delivery share: names, permissions, functions, queues, topics, buckets."""
