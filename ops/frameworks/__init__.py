"""Clauses of frameworks of regulation, and the verified records that answer them. A framework is one YAML file of this folder."""
