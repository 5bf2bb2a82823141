"""Traffic shifting between an endpoint's fleets, from a DeploymentConfig."""

from dataclasses import dataclass

from ...json_api import Record

MAX_BAKE_SECONDS = 1.0
"""The longest bake time: on AWS it covers minutes in which alarms are evaluated; here they are evaluated immediately."""


@dataclass(frozen=True)
class Plan:
    """The new fleet's successive shares of the traffic (0 to 1), the bake time of each, and the alarms that roll back."""

    shares: tuple[float, ...]
    bake_seconds: float
    rollback_alarms: tuple[str, ...]


def plan(deployment: Record, config: Record) -> Plan:
    """The plan of UpdateEndpoint's DeploymentConfig; without one, all traffic moves immediately."""
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
