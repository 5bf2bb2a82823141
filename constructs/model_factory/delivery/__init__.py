"""Constructs of the delivery account: the CodePipeline, its builds, buckets, roles and alerts."""
