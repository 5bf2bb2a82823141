"""SageMaker: endpoint configurations, endpoints and their deployments."""

from typing import Any

from ..checks import absent, each, either, existing, first, found, more_than, repeated, together
from ..instance_types import has_local_storage
from ..rule import Entry, NotEnforced, Request, Values, table

CONFIG = "SageMaker API reference: CreateEndpointConfig"
SERVERLESS = "SageMaker developer guide: Deploy models with Serverless Inference, feature exclusions"
rule = table("sagemaker", "ValidationException", CONFIG)

VARIANT = {"VariantName": "main", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
SERVERLESS_VARIANT = {
    "VariantName": "main",
    "ModelName": "m",
    "ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 5},
}
MODEL = {"model/m": {"ModelName": "m"}}
CAPTURE = {
    "EnableCapture": True,
    "InitialSamplingPercentage": 100,
    "DestinationS3Uri": "s3://b/captured",
    "CaptureOptions": [{"CaptureMode": "Input"}],
}


def config(*variants: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Parameters of CreateEndpointConfig."""
    return {"EndpointConfigName": "c", "ProductionVariants": list(variants) or [VARIANT], **more}


def variant(**changes: Any) -> dict[str, Any]:
    """A production variant with other members; those that are None are left out."""
    return {key: value for key, value in {**VARIANT, **changes}.items() if value is not None}


def key_with_local_storage(key: str, instances: str) -> Any:
    """The request names a key for volumes, and an instance type with local storage."""

    def check(request: Request) -> Values | None:
        types = [value for value in found(request.params, instances) if has_local_storage(value)]
        return {"value": types[0]} if types and first(request.params, key) else None

    return check


def _provisioned_beyond_maximum(value: Any) -> bool:
    return value.get("ProvisionedConcurrency", 0) > value["MaxConcurrency"]


def _vpc_of_serverless(request: Request) -> bool:
    return any(
        "ServerlessConfig" in each and (request.find("model", each["ModelName"]) or {}).get("VpcConfig")
        for each in found(request.params, "ProductionVariants[]")
    )


ENTRIES: tuple[Entry, ...] = (
    rule(
        "CreateEndpointConfig",
        "The name of an endpoint configuration is free.",
        'Cannot create already existing endpoint configuration "arn:aws:sagemaker:{region}:{account}:endpoint-config/{value}".',
        existing("endpoint-config", "EndpointConfigName"),
        config(),
        config() | {"EndpointConfigName": "taken"},
        given=MODEL | {"endpoint-config/taken": {}},
    ),
    rule(
        "CreateEndpointConfig",
        "The models of production variants exist.",
        'Could not find model "arn:aws:sagemaker:{region}:{account}:model/{value}".',
        absent("model", "ProductionVariants[].ModelName"),
        config(),
        config(variant(ModelName="missing")),
        given=MODEL,
    ),
    rule(
        "CreateEndpointConfig",
        "The models of shadow variants exist.",
        'Could not find model "arn:aws:sagemaker:{region}:{account}:model/{value}".',
        absent("model", "ShadowProductionVariants[].ModelName"),
        config(ShadowProductionVariants=[variant(VariantName="shadow")]),
        config(ShadowProductionVariants=[variant(VariantName="shadow", ModelName="missing")]),
        given=MODEL,
    ),
    rule(
        "CreateEndpointConfig",
        "Serverless and asynchronous endpoints have no shadow variants.",
        "Shadow variants are not supported for serverless or asynchronous endpoints",
        either(
            together("ShadowProductionVariants[]", "ProductionVariants[].ServerlessConfig"),
            together("ShadowProductionVariants[]", "AsyncInferenceConfig"),
        ),
        config(ShadowProductionVariants=[variant(VariantName="shadow")]),
        config(SERVERLESS_VARIANT, ShadowProductionVariants=[variant(VariantName="shadow")]),
        source="SageMaker developer guide: Create a shadow test, prerequisites",
        given=MODEL,
        inferred=True,
    ),
    rule(
        "CreateEndpointConfig",
        "Names of production variants are unique within a configuration.",
        "Duplicate production variant name: {value}",
        repeated("ProductionVariants[].VariantName"),
        config(VARIANT, variant(VariantName="other")),
        config(VARIANT, VARIANT),
        given=MODEL,
        inferred=True,
    ),
    rule(
        "CreateEndpointConfig",
        "KmsKeyId cannot be used with instance types that have local storage.",
        "KMS key is not supported for NVMe instance storage: {value}.",
        key_with_local_storage("KmsKeyId", "ProductionVariants[].InstanceType"),
        config(KmsKeyId="alias/k"),
        config(variant(InstanceType="ml.g5.xlarge"), KmsKeyId="alias/k"),
        given=MODEL,
        inferred=True,
    ),
    rule(
        "CreateEndpointConfig",
        "A variant has either an instance type or a serverless configuration.",
        "Production variant {value} must have either InstanceType or ServerlessConfig",
        each(
            "ProductionVariants[]",
            lambda value: ("InstanceType" in value) == ("ServerlessConfig" in value),
            "VariantName",
        ),
        config(SERVERLESS_VARIANT),
        config(variant(InstanceType=None, InitialInstanceCount=None)),
        given=MODEL,
        inferred=True,
    ),
    rule(
        "CreateEndpointConfig",
        "A variant on instances has an initial instance count.",
        "Production variant {value} must have InitialInstanceCount",
        each(
            "ProductionVariants[]",
            lambda value: (
                "InstanceType" in value and not {"InitialInstanceCount", "ManagedInstanceScaling"} & value.keys()
            ),
            "VariantName",
        ),
        config(),
        config(variant(InitialInstanceCount=None)),
        given=MODEL,
        inferred=True,
    ),
    rule(
        "CreateEndpointConfig",
        "ProvisionedConcurrency is at most MaxConcurrency.",
        "ProvisionedConcurrency {ProvisionedConcurrency} must be less than or equal to MaxConcurrency {MaxConcurrency}",
        each("ProductionVariants[].ServerlessConfig", _provisioned_beyond_maximum),
        config(SERVERLESS_VARIANT),
        config(
            {
                **SERVERLESS_VARIANT,
                "ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 2, "ProvisionedConcurrency": 3},
            }
        ),
        source="SageMaker API reference: ProductionVariantServerlessConfig",
        given=MODEL,
        inferred=True,
    ),
    rule(
        "CreateEndpointConfig",
        "The memory of a serverless endpoint is 1024 to 6144 MB in steps of 1024.",
        "MemorySizeInMB {MemorySizeInMB} must be one of 1024, 2048, 3072, 4096, 5120, 6144",
        each("ProductionVariants[].ServerlessConfig", lambda value: value["MemorySizeInMB"] % 1024 != 0),
        config(SERVERLESS_VARIANT),
        config({**SERVERLESS_VARIANT, "ServerlessConfig": {"MemorySizeInMB": 1500, "MaxConcurrency": 2}}),
        source="SageMaker API reference: ProductionVariantServerlessConfig",
        given=MODEL,
        inferred=True,
    ),
    rule(
        "CreateEndpointConfig",
        "Serverless endpoints do not capture data.",
        "DataCaptureConfig is not supported for serverless endpoints",
        together("ProductionVariants[].ServerlessConfig", "DataCaptureConfig"),
        config(DataCaptureConfig=CAPTURE),
        config(SERVERLESS_VARIANT, DataCaptureConfig=CAPTURE),
        source=SERVERLESS,
        given=MODEL,
        inferred=True,
    ),
    rule(
        "CreateEndpointConfig",
        "A serverless endpoint has one variant.",
        "Serverless endpoints support a single production variant",
        lambda request: (
            together("ProductionVariants[].ServerlessConfig")(request) and more_than(1, "ProductionVariants")(request)
        ),
        config(SERVERLESS_VARIANT),
        config(SERVERLESS_VARIANT, {**SERVERLESS_VARIANT, "VariantName": "other"}),
        source=SERVERLESS,
        given=MODEL,
        inferred=True,
    ),
    rule(
        "CreateEndpointConfig",
        "Models of serverless endpoints have no VPC configuration.",
        "Serverless endpoints do not support models with a VpcConfig",
        _vpc_of_serverless,
        config(SERVERLESS_VARIANT),
        config({**SERVERLESS_VARIANT, "ModelName": "v"}),
        source=SERVERLESS,
        given=MODEL | {"model/v": {"VpcConfig": {"Subnets": ["subnet-1"]}}},
        inferred=True,
    ),
    rule(
        "CreateEndpointConfig",
        "With shadow variants there is one production variant and one shadow variant.",
        "ShadowProductionVariants requires exactly one production variant and one shadow variant",
        lambda request: (
            together("ShadowProductionVariants[]")(request)
            and (more_than(1, "ProductionVariants")(request) or more_than(1, "ShadowProductionVariants")(request))
        ),
        config(ShadowProductionVariants=[variant(VariantName="shadow")]),
        config(VARIANT, variant(VariantName="b"), ShadowProductionVariants=[variant(VariantName="shadow")]),
        given=MODEL,
        inferred=True,
    ),
    rule(
        "CreateEndpointConfig",
        "ManagedInstanceScaling has a minimum that is at most its maximum.",
        "MinInstanceCount {MinInstanceCount} must be less than or equal to MaxInstanceCount {MaxInstanceCount}",
        each(
            "ProductionVariants[].ManagedInstanceScaling",
            lambda value: value.get("MinInstanceCount", 0) > value.get("MaxInstanceCount", 10**6),
        ),
        config(variant(ManagedInstanceScaling={"MinInstanceCount": 1, "MaxInstanceCount": 2})),
        config(variant(ManagedInstanceScaling={"MinInstanceCount": 3, "MaxInstanceCount": 2})),
        source="SageMaker API reference: ProductionVariantManagedInstanceScaling",
        given=MODEL,
        inferred=True,
    ),
    rule(
        "DescribeEndpointConfig DeleteEndpointConfig",
        "The endpoint configuration exists.",
        'Could not find endpoint configuration "arn:aws:sagemaker:{region}:{account}:endpoint-config/{value}".',
        absent("endpoint-config", "EndpointConfigName"),
        {"EndpointConfigName": "c"},
        {"EndpointConfigName": "missing"},
        source="SageMaker API reference: DescribeEndpointConfig",
        given={"endpoint-config/c": {}},
    ),
    NotEnforced(
        "sagemaker",
        "DeleteEndpointConfig",
        "A configuration that an endpoint uses must not be deleted.",
        "SageMaker API reference: DeleteEndpointConfig",
        "AWS does not refuse it either: the endpoint loses sight of its instance types.",
    ),
    NotEnforced(
        "sagemaker",
        "CreateEndpointConfig",
        "CrossRegionTrafficConfig, ExplainerConfig and routing have constraints of their own.",
        CONFIG,
        "The embedded AWS does not run these kinds of endpoint.",
    ),
)
