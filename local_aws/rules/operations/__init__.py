"""Rules about API operations: one table a service, or a part of one."""

from ..rule import Entry
from . import (
    delivery,
    identity,
    metrics,
    notifications,
    objects,
    queues,
    resources,
    sagemaker_batch,
    sagemaker_deployments,
    sagemaker_endpoints,
    sagemaker_jobs,
    sagemaker_lineage,
    sagemaker_models,
    sagemaker_pipelines,
    sagemaker_registry,
    scaling,
    services,
)

ENTRIES: tuple[Entry, ...] = (
    *delivery.ENTRIES,
    *identity.ENTRIES,
    *scaling.ENTRIES,
    *metrics.ENTRIES,
    *notifications.ENTRIES,
    *objects.ENTRIES,
    *queues.ENTRIES,
    *sagemaker_batch.ENTRIES,
    *sagemaker_deployments.ENTRIES,
    *sagemaker_endpoints.ENTRIES,
    *sagemaker_jobs.ENTRIES,
    *sagemaker_lineage.ENTRIES,
    *sagemaker_models.ENTRIES,
    *sagemaker_pipelines.ENTRIES,
    *sagemaker_registry.ENTRIES,
    *resources.ENTRIES,
    *services.ENTRIES,
)
