"""Rules about CloudFormation's resource types and templates, beyond what the registry's schemas say: one table a domain."""

from ..rule import Entry
from . import (
    alarms,
    artifacts,
    bucket_policies,
    buckets,
    chat,
    codebuild,
    codepipeline,
    dashboards,
    endpoints,
    event_rules,
    event_sources,
    functions,
    keys,
    lifecycles,
    networks,
    others,
    parameters,
    pipelines,
    policies,
    queues,
    roles,
    schedules,
    templates,
    topics,
)

_TABLES = (
    templates,
    alarms,
    artifacts,
    bucket_policies,
    buckets,
    chat,
    codebuild,
    codepipeline,
    dashboards,
    endpoints,
    event_rules,
    event_sources,
    functions,
    keys,
    lifecycles,
    networks,
    others,
    parameters,
    pipelines,
    policies,
    queues,
    roles,
    schedules,
    topics,
)

ENTRIES: tuple[Entry, ...] = tuple(entry for table in _TABLES for entry in table.ENTRIES)
"""Entries whose operation is a resource type, or `templates.TEMPLATE`."""
