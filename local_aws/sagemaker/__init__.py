"""SageMaker, executed: pipelines run, jobs are processes, versions are registered, endpoints answer.

Moto's SageMaker keeps names only, and forgets most of what a request says. Here the requests themselves are the state, so
that Describe gives back what was asked for, and what was asked for is done.
"""

from ..interfaces import EmbeddedAws
from . import endpoints, jobs, pipelines, registry
from .hosting import Hosting
from .service import Service


def install(local: EmbeddedAws) -> None:
    """Serve the SageMaker API and its runtime in moto's place."""
    service = Service(local)
    hosting = Hosting(service)
    service.hosting = hosting
    for module in (pipelines, jobs, registry, endpoints):
        service.add(module.OPERATIONS)
    local.serve("sagemaker", service)
    local.serve("sagemakerruntime", hosting)
    local.control("flush", lambda _: hosting.flush())
