"""Constructs that each model has in each environment: registry, pipelines, triggers, endpoint, alarms and dashboard."""
