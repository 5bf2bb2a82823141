"""SageMaker: pipelines and jobs run, model packages are registered, endpoints respond.

Moto's SageMaker drops most parameters of a request. Here the requests are the records, so that Describe returns them.
"""

from functools import partial

from ..interfaces import EmbeddedAws
from ..json_api import Record
from . import lineage, model_cards, registry
from .hosting import api as endpoints
from .hosting.runtime import Hosting
from .jobs import api as jobs
from .pipelines import api as pipelines
from .restarted import restarted
from .service import Service
from .tuning import api as tuning

KINDS = {
    "model": "models",
    "endpoint-config": "endpoint_configs",
    "endpoint": "endpoints",
    "pipeline": "pipelines",
    "processing-job": "processing_jobs",
    "training-job": "training_jobs",
    "transform-job": "transform_jobs",
    "hyper-parameter-tuning-job": "tuning_jobs",
    "model-package-group": "groups",
    "model-package": "packages",
}
"""Tables of records by the kind in their ARNs, by which rules ask for them."""


def _record(service: Service, table: str, account: str, region: str, name: str) -> Record | None:
    state = service.state(account, region)
    records = getattr(state, table)
    record = records.get(name) or records.get(name.rsplit("/", 1)[-1])
    if record and table == "groups":
        group = record["ModelPackageGroupName"]
        return {**record, "Packages": sum(each["ModelPackageGroupName"] == group for each in state.packages.values())}
    return record


def install(local: EmbeddedAws) -> None:
    """Serve the SageMaker API and its runtime in moto's place."""
    service = Service(local)
    hosting = Hosting(service)
    service.hosting = hosting
    for module in (pipelines, jobs, registry, endpoints, model_cards, lineage, tuning):
        service.add(module.OPERATIONS)
    for kind, table in KINDS.items():
        local.rules.provide(kind, partial(_record, service, table))
    local.rules.provide(
        "pipeline-execution",
        lambda account, region, arn: getattr(service.state(account, region).executions.get(arn), "record", None),
    )
    local.rules.provide(
        "model-card",
        lambda account, region, name: next(
            iter(service.state(account, region).model_cards.get(name.rsplit("/", 1)[-1], [])), None
        ),
    )
    local.rules.provide("lineage", lambda account, region, arn: service.state(account, region).lineage.get(arn))
    local.rules.provide(
        "lineage-entities",
        lambda account, region, name: lineage.count(service.state(account, region), name.partition("/")[0]),
    )
    local.serve("sagemaker", service)
    local.serve("sagemakerruntime", hosting)
    local.control("spot-interruptions", partial(jobs.interrupt_spot_instances, service))
    local.control("flush", lambda _: hosting.flush())
    local.stores.after_restart(partial(restarted, service, hosting))
