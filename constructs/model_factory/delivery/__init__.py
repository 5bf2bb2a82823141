"""Constructs of the delivery account: CodePipeline pipelines, their builds, buckets, roles and notifications."""
