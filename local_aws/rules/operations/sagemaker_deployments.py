"""SageMaker: endpoints and how traffic moves to a new configuration."""

from typing import Any

from ..checks import absent, each, existing, first, found, together
from ..rule import Entry, NotEnforced, Request, Values, table

DEPLOYMENT = "SageMaker API reference: BlueGreenUpdatePolicy"
TRAFFIC = "SageMaker API reference: TrafficRoutingConfig"
ROUTING = "DeploymentConfig.BlueGreenUpdatePolicy.TrafficRoutingConfiguration"
ENDPOINT = "arn:aws:sagemaker:{region}:{account}:endpoint/{value}"
rule = table("sagemaker", "ValidationException", DEPLOYMENT)

NAMES = {"EndpointName": "e", "EndpointConfigName": "c"}
GIVEN = {
    "endpoint/e": {"EndpointStatus": "InService", "EndpointConfigName": "c"},
    "endpoint-config/c": {"ProductionVariants": [{"VariantName": "main"}]},
    "alarm/a": {},
}
ALL = {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 60}
CANARY = {"Type": "CANARY", "WaitIntervalInSeconds": 60, "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 20}}


def update(traffic: dict[str, Any] = ALL, more: dict[str, Any] | None = None, **policy: Any) -> dict[str, Any]:
    """Parameters of UpdateEndpoint."""
    deployment = {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": traffic, **policy}}
    return {**NAMES, "DeploymentConfig": deployment | (more or {})}


def in_status(*statuses: str) -> Any:
    """The endpoint of the request has one of the statuses. Values: value, status, region, account."""

    def check(request: Request) -> Values | None:
        name = request.params["EndpointName"]
        status = (request.find("endpoint", name) or {}).get("EndpointStatus")
        place = {"region": request.region, "account": request.account}
        return {"value": name, "status": status, **place} if status in statuses else None

    return check


def _waits_beyond_timeout(value: Any) -> bool:
    waits = first(value, "TrafficRoutingConfiguration.WaitIntervalInSeconds", 0) + value.get(
        "TerminationWaitInSeconds", 0
    )
    return value.get("MaximumExecutionTimeoutInSeconds", waits + 1) <= waits


def _wrong_size(kind: str, member: str) -> Any:
    return each(ROUTING, lambda value: (value["Type"] == kind) != (member in value))


def _percent(member: str, least: int) -> Any:
    """A capacity percentage of the traffic's steps that is outside of `least` to 50."""
    return each(
        f"{ROUTING}.{member}",
        lambda value: value["Type"] == "CAPACITY_PERCENT" and not least <= value["Value"] <= 50,
    )


def _variant_names(request: Request, configuration: str | None) -> list[str]:
    config = request.find("endpoint-config", configuration or "") or {}
    kinds = ("ProductionVariants", "ShadowProductionVariants")
    return sorted(each["VariantName"] for kind in kinds for each in config.get(kind, []))


def _other_variants(request: Request) -> Values | None:
    """A deployment changes the names of variants. That of a shadow variant counts, which AWS's page does not exclude."""
    endpoint = request.find("endpoint", request.params["EndpointName"])
    if not endpoint or not request.params.get("DeploymentConfig"):
        return None
    old = _variant_names(request, endpoint.get("EndpointConfigName"))
    new = _variant_names(request, request.params["EndpointConfigName"])
    return {"old": ", ".join(old), "new": ", ".join(new)} if old and old != new else None


def _missing_alarm(request: Request) -> Values | None:
    names = found(request.params, "DeploymentConfig.AutoRollbackConfiguration.Alarms[].AlarmName")
    missing = [name for name in names if request.find("alarm", name) is None]
    return {"value": ", ".join(missing)} if missing else None


LIFECYCLE: tuple[Entry, ...] = (
    rule(
        "CreateEndpoint",
        "The name of an endpoint is unique within a region of an account.",
        f'Cannot create already existing endpoint "{ENDPOINT}".',
        existing("endpoint", "EndpointName"),
        NAMES | {"EndpointName": "new"},
        NAMES,
        source="SageMaker API reference: CreateEndpoint",
        given=GIVEN,
    ),
    rule(
        "UpdateEndpoint CreateEndpoint",
        "The endpoint configuration exists.",
        'Could not find endpoint configuration "arn:aws:sagemaker:{region}:{account}:endpoint-config/{value}".',
        absent("endpoint-config", "EndpointConfigName"),
        NAMES,
        NAMES | {"EndpointConfigName": "missing"},
        source="SageMaker API reference: CreateEndpoint",
        given=GIVEN,
    ),
    rule(
        "DescribeEndpoint UpdateEndpoint UpdateEndpointWeightsAndCapacities DeleteEndpoint",
        "The endpoint exists.",
        f'Could not find endpoint "{ENDPOINT}".',
        absent("endpoint", "EndpointName"),
        {"EndpointName": "e"},
        {"EndpointName": "missing"},
        source="SageMaker API reference: DescribeEndpoint",
        given=GIVEN,
    ),
    rule(
        "UpdateEndpoint UpdateEndpointWeightsAndCapacities DeleteEndpoint",
        "An endpoint that is being created or updated can be neither updated nor deleted.",
        f'Cannot update in-progress endpoint "{ENDPOINT}".',
        in_status("Creating", "Updating", "SystemUpdating", "RollingBack"),
        NAMES,
        NAMES | {"EndpointName": "busy"},
        source="SageMaker API reference: DescribeEndpoint, EndpointStatus",
        given=GIVEN | {"endpoint/busy": {"EndpointStatus": "Updating"}},
    ),
    rule(
        "UpdateEndpoint",
        "DeleteEndpoint is the only operation that can be performed on a failed endpoint.",
        f'Cannot update endpoint "{ENDPOINT}" while it is {{status}}.',
        in_status("Failed", "Deleting"),
        NAMES,
        NAMES | {"EndpointName": "broken"},
        source="SageMaker API reference: DescribeEndpoint, EndpointStatus",
        given=GIVEN | {"endpoint/broken": {"EndpointStatus": "Failed"}},
        inferred=True,
    ),
    rule(
        "UpdateEndpoint",
        "ExcludeRetainedVariantProperties needs RetainAllVariantProperties.",
        "ExcludeRetainedVariantProperties requires RetainAllVariantProperties to be true",
        lambda request: (
            together("ExcludeRetainedVariantProperties[]")(request)
            and not request.params.get("RetainAllVariantProperties")
        ),
        NAMES
        | {
            "RetainAllVariantProperties": True,
            "ExcludeRetainedVariantProperties": [{"VariantPropertyType": "DataCaptureConfig"}],
        },
        NAMES | {"ExcludeRetainedVariantProperties": [{"VariantPropertyType": "DataCaptureConfig"}]},
        source="SageMaker API reference: UpdateEndpoint",
        given=GIVEN,
        inferred=True,
    ),
    NotEnforced(
        "sagemaker",
        "UpdateEndpoint",
        "The new configuration is another one than that in use.",
        "SageMaker API reference: UpdateEndpoint",
        "AWS's page asks for a new configuration; whether the service refuses the present one is not documented.",
    ),
    NotEnforced(
        "sagemaker",
        "UpdateEndpointWeightsAndCapacities",
        "ProvisionedConcurrency is at most MaxConcurrency.",
        "SageMaker API reference: UpdateEndpointWeightsAndCapacities",
        "The embedded AWS changes numbers of instances only, which Application Auto Scaling asks for.",
    ),
)

ROLLOUTS: tuple[Entry, ...] = (
    rule(
        "UpdateEndpoint",
        "With a DeploymentConfig, the new configuration has the variant names of the old one.",
        "The variants {new} of the new endpoint configuration must have the same names as the variants {old} of the old one",
        _other_variants,
        update(),
        update() | {"EndpointConfigName": "two"},
        source="SageMaker developer guide: Deployment guardrails, exclusions",
        given=GIVEN
        | {"endpoint-config/two": {"ProductionVariants": [{"VariantName": "main"}, {"VariantName": "other"}]}},
        inferred=True,
    ),
    rule(
        "UpdateEndpoint CreateEndpoint",
        "A deployment has a blue/green policy or a rolling policy.",
        "DeploymentConfig must have only one of BlueGreenUpdatePolicy and RollingUpdatePolicy",
        together("DeploymentConfig.BlueGreenUpdatePolicy", "DeploymentConfig.RollingUpdatePolicy"),
        update(),
        update(
            more={
                "RollingUpdatePolicy": {
                    "MaximumBatchSize": {"Type": "CAPACITY_PERCENT", "Value": 20},
                    "WaitIntervalInSeconds": 60,
                }
            }
        ),
        source="SageMaker API reference: DeploymentConfig",
        given=GIVEN,
        inferred=True,
    ),
    rule(
        "UpdateEndpoint CreateEndpoint",
        "The timeout of a deployment is larger than its waits together.",
        "MaximumExecutionTimeoutInSeconds must be greater than the sum of WaitIntervalInSeconds and TerminationWaitInSeconds",
        each("DeploymentConfig.BlueGreenUpdatePolicy", _waits_beyond_timeout),
        update(TerminationWaitInSeconds=60, MaximumExecutionTimeoutInSeconds=3600),
        update({**ALL, "WaitIntervalInSeconds": 3600}, MaximumExecutionTimeoutInSeconds=3600),
        given=GIVEN,
        inferred=True,
    ),
    rule(
        "UpdateEndpoint CreateEndpoint",
        "CanarySize belongs to canary traffic and no other.",
        "CanarySize must be specified if and only if the traffic routing type is CANARY",
        _wrong_size("CANARY", "CanarySize"),
        update(CANARY),
        update({**ALL, "Type": "CANARY"}),
        source=TRAFFIC,
        given=GIVEN,
        inferred=True,
    ),
    rule(
        "UpdateEndpoint CreateEndpoint",
        "LinearStepSize belongs to linear traffic and no other.",
        "LinearStepSize must be specified if and only if the traffic routing type is LINEAR",
        _wrong_size("LINEAR", "LinearStepSize"),
        update({**ALL, "Type": "LINEAR", "LinearStepSize": {"Type": "CAPACITY_PERCENT", "Value": 25}}),
        update({**ALL, "Type": "LINEAR"}),
        source=TRAFFIC,
        given=GIVEN,
        inferred=True,
    ),
    rule(
        "UpdateEndpoint CreateEndpoint",
        "A canary is at most half of the variant's instances.",
        "CanarySize {Value} must be less than or equal to 50% of the variant's total instance count",
        _percent("CanarySize", 1),
        update(CANARY),
        update({**CANARY, "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 60}}),
        source=TRAFFIC,
        given=GIVEN,
        inferred=True,
    ),
    rule(
        "UpdateEndpoint CreateEndpoint",
        "A linear step is 10 to 50 % of the variant's instances.",
        "LinearStepSize {Value} must be 10-50% of the variant's total instance count",
        _percent("LinearStepSize", 10),
        update({**ALL, "Type": "LINEAR", "LinearStepSize": {"Type": "CAPACITY_PERCENT", "Value": 25}}),
        update({**ALL, "Type": "LINEAR", "LinearStepSize": {"Type": "CAPACITY_PERCENT", "Value": 5}}),
        source=TRAFFIC,
        given=GIVEN,
        inferred=True,
    ),
    rule(
        "UpdateEndpoint CreateEndpoint",
        "A batch of a rolling deployment is 5 to 50 % of the variant's instances.",
        "MaximumBatchSize {Value} must be between 5% to 50% of the variant's total instance count",
        each(
            "DeploymentConfig.RollingUpdatePolicy.MaximumBatchSize",
            lambda value: value["Type"] == "CAPACITY_PERCENT" and not 5 <= value["Value"] <= 50,
        ),
        NAMES,
        {
            **NAMES,
            "DeploymentConfig": {
                "RollingUpdatePolicy": {
                    "MaximumBatchSize": {"Type": "CAPACITY_PERCENT", "Value": 80},
                    "WaitIntervalInSeconds": 60,
                }
            },
        },
        source="SageMaker API reference: RollingUpdatePolicy",
        given=GIVEN,
        inferred=True,
    ),
    rule(
        "UpdateEndpoint CreateEndpoint",
        "The alarms of an automatic rollback exist.",
        "Could not find CloudWatch alarms: {value}",
        _missing_alarm,
        update(more={"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "a"}]}}),
        update(more={"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "missing"}]}}),
        source="SageMaker developer guide: Auto-rollback configuration and monitoring",
        given=GIVEN,
        inferred=True,
    ),
)
ENTRIES: tuple[Entry, ...] = (*LIFECYCLE, *ROLLOUTS)
