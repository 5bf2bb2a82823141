"""Application Auto Scaling and EventBridge Scheduler."""

import re
from typing import Any

from ..checks import each, first, found, none_of
from ..rule import Entry, NotEnforced, Request, Values, table

REGISTER = "Application Auto Scaling API reference: RegisterScalableTarget"
POLICY = "Application Auto Scaling API reference: PutScalingPolicy"
SCHEDULE = "EventBridge Scheduler API reference: CreateSchedule"
rule = table("application-autoscaling", "ValidationException", REGISTER)
schedule = table("scheduler", "ValidationException", SCHEDULE)

VARIANT = re.compile(r"endpoint/([^/]+)/variant/([^/]+)")
TARGET = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": "endpoint/e/variant/main",
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
}
STEPS = {
    "AdjustmentType": "ChangeInCapacity",
    "StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}],
}
GIVEN = {
    "endpoint/queue": {"ProductionVariants": [{"VariantName": "main"}], "AsyncInferenceConfig": {}},
    "endpoint/e": {"EndpointStatus": "InService", "ProductionVariants": [{"VariantName": "main"}]},
    "scalable-target/endpoint/e/variant/main": {},
}
MISSING = (
    "No scalable target found for service namespace: {ServiceNamespace}, resource ID: {ResourceId}, scalable dimension: "
    "{ScalableDimension}"
)
TRACKING = {
    "TargetValue": 100.0,
    "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
}


def register(**more: Any) -> dict[str, Any]:
    """Parameters of RegisterScalableTarget."""
    return {**TARGET, "MinCapacity": 1, "MaxCapacity": 2, **more}


def policy(**more: Any) -> dict[str, Any]:
    """Parameters of PutScalingPolicy."""
    shared = {"PolicyName": "p", "PolicyType": "TargetTrackingScaling"}
    return {**TARGET, **shared, "TargetTrackingScalingPolicyConfiguration": TRACKING, **more}


def _missing_variant(request: Request) -> Values | None:
    named = VARIANT.fullmatch(request.params["ResourceId"])
    endpoint = request.find("endpoint", named[1]) if named else None
    variants = list(found(endpoint, "ProductionVariants[].VariantName"))
    return None if not named or named[2] in variants else {"value": request.params["ResourceId"]}


def _wrong_resource(request: Request) -> Values | None:
    params = request.params
    if params["ScalableDimension"] != TARGET["ScalableDimension"] or VARIANT.fullmatch(params["ResourceId"]):
        return None
    return {"value": params["ResourceId"]}


def _no_target(request: Request) -> Values | None:
    exists = request.find("scalable-target", request.params["ResourceId"]) is not None
    return None if exists else request.params


def _zero_of_others(request: Request) -> Values | None:
    named = VARIANT.fullmatch(request.params["ResourceId"])
    endpoint = request.find("endpoint", named[1]) if named else None
    if endpoint is None or request.params.get("MinCapacity") != 0 or "AsyncInferenceConfig" in endpoint:
        return None
    return {"value": request.params["ResourceId"]}


def timed(**more: Any) -> dict[str, Any]:
    """Parameters of CreateSchedule."""
    target = {"Arn": "arn:aws:sqs:us-east-1:123456789012:q", "RoleArn": "arn:aws:iam::123456789012:role/r"}
    window = {"Mode": "OFF"}
    return {"Name": "s", "ScheduleExpression": "rate(1 day)", "FlexibleTimeWindow": window, "Target": target, **more}


def fifo(**more: Any) -> dict[str, Any]:
    """A schedule's target that is a FIFO queue."""
    return {**timed()["Target"], "Arn": "arn:aws:sqs:us-east-1:123456789012:q.fifo", **more}


SCALING: tuple[Entry, ...] = (
    rule(
        "RegisterScalableTarget",
        "The minimum capacity is at most the maximum.",
        "Maximum capacity cannot be less than minimum capacity",
        lambda request: request.params.get("MinCapacity", 0) > request.params.get("MaxCapacity", 10**9),
        register(),
        register(MinCapacity=3),
        given=GIVEN,
    ),
    rule(
        "RegisterScalableTarget",
        "A new target has a minimum and a maximum.",
        "Minimum and maximum capacity must be specified for a new scalable target",
        lambda request: (
            request.find("scalable-target", request.params["ResourceId"]) is None
            and not {"MinCapacity", "MaxCapacity"} <= request.params.keys()
        ),
        register(),
        {**TARGET, "ResourceId": "endpoint/e/variant/other", "MinCapacity": 1},
        given=GIVEN,
        inferred=True,
    ),
    rule(
        "RegisterScalableTarget PutScalingPolicy DeregisterScalableTarget",
        "The resource of a SageMaker variant is endpoint/<name>/variant/<name>.",
        "Unsupported service namespace, resource type or scalable dimension: {value}",
        _wrong_resource,
        register(),
        register(ResourceId="variant/main"),
        given=GIVEN,
        inferred=True,
    ),
    rule(
        "RegisterScalableTarget",
        "The endpoint and its variant exist.",
        "SageMaker endpoint variant does not exist: {value}",
        _missing_variant,
        register(),
        register(ResourceId="endpoint/e/variant/missing"),
        given=GIVEN,
        inferred=True,
    ),
    rule(
        "PutScalingPolicy",
        "A policy belongs to a registered target.",
        MISSING,
        _no_target,
        policy(),
        policy(ResourceId="endpoint/e/variant/other"),
        code="ObjectNotFoundException",
        source=POLICY,
        given=GIVEN,
    ),
    rule(
        "DeregisterScalableTarget",
        "The target is registered.",
        MISSING,
        _no_target,
        TARGET,
        {**TARGET, "ResourceId": "endpoint/e/variant/other"},
        code="ObjectNotFoundException",
        source="Application Auto Scaling API reference: DeregisterScalableTarget",
        given=GIVEN,
    ),
    rule(
        "PutScalingPolicy",
        "A target tracking policy has its configuration.",
        "TargetTrackingScalingPolicyConfiguration is required for policy type TargetTrackingScaling",
        lambda request: (
            request.params.get("PolicyType") == "TargetTrackingScaling"
            and none_of("TargetTrackingScalingPolicyConfiguration")(request)
        ),
        policy(),
        {name: value for name, value in policy().items() if not name.startswith("TargetTracking")},
        source=POLICY,
        given=GIVEN,
        inferred=True,
    ),
    rule(
        "PutScalingPolicy",
        "A target tracking policy has one metric, predefined or customized.",
        "Exactly one of PredefinedMetricSpecification and CustomizedMetricSpecification must be specified",
        each(
            "TargetTrackingScalingPolicyConfiguration",
            lambda value: ("PredefinedMetricSpecification" in value) == ("CustomizedMetricSpecification" in value),
        ),
        policy(),
        policy(TargetTrackingScalingPolicyConfiguration={"TargetValue": 100.0}),
        source=POLICY,
        given=GIVEN,
        inferred=True,
    ),
    rule(
        "PutScalingPolicy",
        "The target of invocations per instance is a positive number.",
        "TargetValue {TargetValue} must be greater than 0",
        each("TargetTrackingScalingPolicyConfiguration", lambda value: value["TargetValue"] <= 0),
        policy(),
        policy(TargetTrackingScalingPolicyConfiguration={**TRACKING, "TargetValue": 0.0}),
        source=POLICY,
        given=GIVEN,
        inferred=True,
    ),
    rule(
        "RegisterScalableTarget",
        "Only an asynchronous endpoint is scaled to zero.",
        "Minimum capacity cannot be 0 for {value}",
        _zero_of_others,
        register(MinCapacity=0, ResourceId="endpoint/queue/variant/main"),
        register(MinCapacity=0),
        source="SageMaker developer guide: Autoscale an asynchronous endpoint",
        given=GIVEN,
        inferred=True,
    ),
    rule(
        "PutScalingPolicy",
        "A step scaling policy has steps, each with a lower or an upper bound.",
        "StepScalingPolicyConfiguration must have StepAdjustments with at least one bound each",
        lambda request: (
            request.params.get("PolicyType") == "StepScaling"
            and not (
                (steps := list(found(request.params, "StepScalingPolicyConfiguration.StepAdjustments[]")))
                and all(step.keys() & {"MetricIntervalLowerBound", "MetricIntervalUpperBound"} for step in steps)
            )
        ),
        {**TARGET, "PolicyName": "p", "PolicyType": "StepScaling", "StepScalingPolicyConfiguration": STEPS},
        {**TARGET, "PolicyName": "p", "PolicyType": "StepScaling", "StepScalingPolicyConfiguration": {}},
        source="Application Auto Scaling API reference: StepAdjustment",
        given=GIVEN,
        inferred=True,
    ),
    NotEnforced(
        "application-autoscaling",
        "RegisterScalableTarget",
        "The maximum is within the account's quota of instances.",
        REGISTER,
        "Quotas are the account's own; they can be raised.",
    ),
)

SCHEDULES: tuple[Entry, ...] = (
    schedule(
        "CreateSchedule UpdateSchedule",
        "A flexible time window has a maximum, and only a flexible one.",
        "FlexibleTimeWindow must have MaximumWindowInMinutes if and only if its Mode is FLEXIBLE",
        each("FlexibleTimeWindow", lambda value: (value["Mode"] == "FLEXIBLE") != ("MaximumWindowInMinutes" in value)),
        timed(),
        timed(FlexibleTimeWindow={"Mode": "FLEXIBLE"}),
        inferred=True,
    ),
    schedule(
        "CreateSchedule UpdateSchedule",
        "A schedule to a FIFO queue names the message group.",
        "SqsParameters with MessageGroupId must be provided for a FIFO queue",
        each(
            "Target", lambda value: value["Arn"].endswith(".fifo") and not first(value, "SqsParameters.MessageGroupId")
        ),
        timed(Target=fifo(SqsParameters={"MessageGroupId": "g"})),
        timed(Target=fifo()),
        source="EventBridge Scheduler API reference: SqsParameters",
        inferred=True,
    ),
    schedule(
        "CreateSchedule UpdateSchedule",
        "Only a target that is a queue has SqsParameters.",
        "SqsParameters can be provided for an Amazon SQS target only",
        each("Target", lambda value: "SqsParameters" in value and ":sqs:" not in value["Arn"]),
        timed(),
        timed(
            Target={
                **timed()["Target"],
                "Arn": "arn:aws:lambda:us-east-1:123456789012:function:f",
                "SqsParameters": {"MessageGroupId": "g"},
            }
        ),
        source="EventBridge Scheduler API reference: Target",
        inferred=True,
    ),
)
ENTRIES: tuple[Entry, ...] = (*SCALING, *SCHEDULES)
