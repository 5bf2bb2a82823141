"""Audit records of an environment: reading, verifying, and the signed heads of their chains. Writes nothing.

The format is in lambda/shared/chain.py; lambda/recorder writes the records (docs/reference/records.md).
"""
