"""SageMaker: models, endpoint configurations and endpoints."""

from ..checks import repeated
from ..rule import Entry, Rule

_CONFIG = "SageMaker API reference, CreateEndpointConfig"
_VARIANT = {"VariantName": "main", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}


def _variants(*changes: dict[str, object]) -> dict[str, object]:
    return {"EndpointConfigName": "c", "ProductionVariants": [{**_VARIANT, **change} for change in changes]}


ENTRIES: tuple[Entry, ...] = (
    Rule(
        "sagemaker",
        "CreateEndpointConfig",
        says="Names of production variants are unique within a configuration.",
        source=_CONFIG,
        code="ValidationException",
        message="Duplicate production variant name: {value}",
        check=repeated("ProductionVariants[].VariantName"),
        accepted=_variants({}, {"VariantName": "other"}),
        refused=_variants({}, {}),
    ),
)
