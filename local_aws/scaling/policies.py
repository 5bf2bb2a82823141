"""Application Auto Scaling of SageMaker's asynchronous endpoints: step scaling by alarms, target tracking by a metric.

Sources: Application Auto Scaling user guide, 'Step scaling policies overview' and 'Target tracking scaling policies', and
SageMaker developer guide, 'Autoscale an asynchronous endpoint'. On AWS target tracking has alarms, of which that for scaling in
needs 15 datapoints of a minute each below 90 % of the target; here the metric has to be below for `SCALE_IN_SECONDS`. There are
no cooldowns, and predefined metrics, such as invocations per instance, scale nothing.
"""

import logging
import math
import threading
import time
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from moto.cloudwatch.models import CloudWatchBackend

from ..interfaces import EmbeddedAws

log = logging.getLogger(__name__)
SCALING_POLICY = ":scalingPolicy:"
"""In ARNs of scaling policies, which alarms have as actions."""
SCALE_IN_SECONDS = 5.0
SCALE_IN_SHARE = 0.9
_lock = threading.Lock()
_low_since: dict[str, float] = {}


def install(local: EmbeddedAws) -> None:
    """Let new values of the metrics of target tracking policies scale, from the first use of Application Auto Scaling."""

    def watch(_: ModuleType) -> None:
        put = CloudWatchBackend.put_metric_data

        def put_and_track(self: Any, namespace: str, metric_data: list[dict[str, Any]]) -> None:
            put(self, namespace, metric_data)
            for policy, value in list(_tracking(self.account_id, self.region_name, namespace, metric_data)):
                arguments = (local, self.account_id, self.region_name, policy, value)
                threading.Thread(target=_track, args=arguments, daemon=True).start()

        local.replace(CloudWatchBackend, "put_metric_data", put_and_track)

    local.when_imported("moto.applicationautoscaling.responses", watch)


def act(local: EmbeddedAws, account: str, region: str, policy_arn: str) -> None:
    """Do what a step scaling policy says, because an alarm has called it."""
    backend = _backend(account, region)
    # moto gives a policy that is put again another ARN; on AWS it keeps its own.
    name = policy_arn.partition(":resource/")[2]
    policy = next((each for each in backend.policies.values() if each.policy_arn.endswith(f":resource/{name}")), None)
    steps = policy.step_scaling_policy_configuration if policy else None
    if not steps:
        log.warning("scaling policy %s does not exist or has no steps", policy_arn)
        return
    if steps["AdjustmentType"] != "ChangeInCapacity":
        log.error("the embedded AWS does not support AdjustmentType %s", steps["AdjustmentType"])
        return
    change = sum(int(step["ScalingAdjustment"]) for step in steps["StepAdjustments"][:1])
    _scale(local, account, region, policy, lambda current: current + change)


def _tracking(
    account: str, region: str, namespace: str, metric_data: list[dict[str, Any]]
) -> Iterator[tuple[Any, float]]:
    """The target tracking policies whose metric is among new data, with its value."""
    for policy in list(_backend(account, region).policies.values()):
        tracking = policy.target_tracking_scaling_policy_configuration or {}
        metric = tracking.get("CustomizedMetricSpecification", {})
        if policy.service_namespace != "sagemaker" or metric.get("Namespace") != namespace:
            continue
        for datum in metric_data:
            if datum["MetricName"] == metric["MetricName"] and _same(datum, metric):
                yield policy, float(datum["Value"])


def _same(datum: dict[str, Any], metric: dict[str, Any]) -> bool:
    given, wanted = ({(d["Name"], d["Value"]) for d in each.get("Dimensions", [])} for each in (datum, metric))
    return given == wanted


def _track(local: EmbeddedAws, account: str, region: str, policy: Any, value: float) -> None:
    target = float(policy.target_tracking_scaling_policy_configuration["TargetValue"])
    key, now = f"{account} {region} {policy.resource_id}", time.monotonic()
    with _lock:
        if value >= target * SCALE_IN_SHARE:
            _low_since.pop(key, None)
        is_low = now - _low_since.setdefault(key, now) >= SCALE_IN_SECONDS if value < target * SCALE_IN_SHARE else False
    if value > target:
        _scale(local, account, region, policy, lambda current: math.ceil(value * max(1, current) / target))
    elif is_low:  # a short queue of an endpoint without instances starts none
        _scale(local, account, region, policy, lambda current: min(current, math.ceil(value * current / target)))


def _scale(local: EmbeddedAws, account: str, region: str, policy: Any, wanted: Any) -> None:
    """Set the number of instances of a variant within the limits of its scalable target."""
    limits = _backend(account, region).targets.get(policy.scalable_dimension, {}).get(policy.resource_id)
    _, endpoint, _, variant = policy.resource_id.split("/")
    sagemaker = local.accounts.client("sagemaker", account, region)
    try:
        described = sagemaker.describe_endpoint(EndpointName=endpoint)
        current = next(
            each["CurrentInstanceCount"] for each in described["ProductionVariants"] if each["VariantName"] == variant
        )
        if limits is None or described["EndpointStatus"] != "InService":
            return
        count = min(max(wanted(current), int(limits.min_capacity)), int(limits.max_capacity))
        if count != current:
            capacity = {"VariantName": variant, "DesiredInstanceCount": count}
            sagemaker.update_endpoint_weights_and_capacities(
                EndpointName=endpoint, DesiredWeightsAndCapacities=[capacity]
            )
    except (sagemaker.exceptions.ClientError, StopIteration) as error:  # the endpoint is updated or deleted meanwhile
        log.info("%s is not scaled: %s", policy.resource_id, error)


def _backend(account: str, region: str) -> Any:
    from moto.applicationautoscaling.models import applicationautoscaling_backends

    return applicationautoscaling_backends[account][region]
