"""The register of AWS's rules: each documented constraint that requests or resource types can break is one entry.

`operations/` has tables of entries by service, `register` finds those of a request, `guard` refuses requests over HTTP, and
`service_model` holds requests against the constraints that AWS's service models declare. An entry has its own accepted and
refused example; docs/reference/fidelity.md lists all.
"""

from .guard import Guard

__all__ = ["Guard"]
