"""SageMaker: pipelines and jobs run, model packages are registered, endpoints respond.

Moto's SageMaker drops most parameters of a request. Here the requests are the records, so that Describe returns them.
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
