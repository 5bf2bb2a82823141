"""SageMaker, executed: pipelines run, jobs are processes, versions are registered, endpoints answer.

Moto's SageMaker keeps names only, and forgets most of what a request says. Here the requests themselves are the state, so
that Describe gives back what was asked for, and what was asked for is done.
"""

from typing import TYPE_CHECKING

from . import endpoints, jobs, pipelines, registry
from .hosting import Hosting
from .service import Service

if TYPE_CHECKING:
    from ..server import LocalAws


def install(local: "LocalAws") -> None:
    """Serve the SageMaker API and its runtime in moto's place."""
    service = Service(local)
    service.hosting = Hosting(service)
    for module in (pipelines, jobs, registry, endpoints):
        service.add(module.OPERATIONS)
    local.serve("sagemaker", service)
    local.serve("sagemakerruntime", service.hosting)
    local.control("flush", lambda _: service.hosting.flush())
