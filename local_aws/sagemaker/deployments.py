"""How an endpoint's traffic moves from one fleet to the next: what a DeploymentConfig asks for, in local time."""

from dataclasses import dataclass

from ..json_api import Record

MAX_BAKE_SECONDS = 1.0
"""Baking is shortened to this: on AWS it takes minutes of alarms that here are evaluated at once."""


@dataclass(frozen=True)
class Plan:
    """Shares of the traffic (0 to 1) that the new fleet gets one after the other, how long each bakes, what ends it."""

    shares: tuple[float, ...]
    bake_seconds: float
    rollback_alarms: tuple[str, ...]


def plan(deployment: Record, config: Record) -> Plan:
    """The plan of UpdateEndpoint's DeploymentConfig; without one, all traffic moves at once and nothing bakes."""
    traffic = deployment.get("BlueGreenUpdatePolicy", {}).get("TrafficRoutingConfiguration", {})
    alarms = deployment.get("AutoRollbackConfiguration", {}).get("Alarms", [])
    if not traffic and not alarms:
        return Plan((), 0.0, ())
    instances = config["ProductionVariants"][0].get("InitialInstanceCount", 1)
    shares = [1.0]
    if traffic.get("Type") == "CANARY":
        shares = [_share(traffic["CanarySize"], instances), 1.0]
    elif traffic.get("Type") == "LINEAR":
        step = _share(traffic["LinearStepSize"], instances)
        shares = [min(1.0, step * number) for number in range(1, int(1 / step) + 2) if step * (number - 1) < 1]
    wait = traffic.get("WaitIntervalInSeconds", MAX_BAKE_SECONDS)
    names = tuple(alarm["AlarmName"] for alarm in alarms)
    return Plan(tuple(shares), min(float(wait), MAX_BAKE_SECONDS), names)


def _share(size: Record, instances: int) -> float:
    if size["Type"] == "CAPACITY_PERCENT":
        return size["Value"] / 100
    return min(1.0, size["Value"] / instances)
