"""What a run costs and how long it takes on AWS: instance-minutes by type, from the deployed definitions.

Prices differ by region and change, so the estimate has instance-minutes and no amount of money.
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from model_factory.config.model import Serving

JOB_MINUTES = 5
"""Billed time of one job: some minutes for instance and image, seconds for a few thousand rows."""
ENDPOINT_MINUTES = 8
"""Creation of an endpoint, or of the second fleet of an update, without baking."""
OTHER_MINUTES = 10
"""Delivery of captured requests to S3, evaluation of the alarm, messages, and deletion of the endpoint."""
REQUESTS = 40
PRICES = "https://aws.amazon.com/sagemaker/ai/pricing"


@dataclass(frozen=True)
class Estimate:
    """Minutes until the end, and instance-minutes of jobs and endpoint by instance type."""

    minutes: int
    jobs: int
    instance_minutes: dict[str, int]
    requests: int = REQUESTS

    def to_json(self) -> dict[str, Any]:
        """Values that `json.dumps` accepts."""
        return asdict(self)

    def __str__(self) -> str:
        instances = ", ".join(f"{minutes} minutes of {kind}" for kind, minutes in self.instance_minutes.items())
        return (
            f"about {self.minutes} minutes on AWS. It costs about {instances} ({self.jobs} jobs and one endpoint), "
            f"{self.requests} requests to the endpoint, some megabytes in S3 and a few messages. Prices: {PRICES}"
        )


def estimate(training: str, monitor: str, serving: Serving) -> Estimate:
    """The estimate for the deployed pipeline definitions (JSON) and the model's `serving`.

    Two trainings run to their end, one fails in its first job, and the monitor runs once.
    """
    train, check = list(_instances(json.loads(training))), list(_instances(json.loads(monitor)))
    jobs = [*train, *train, *train[:1], *check]
    minutes = Counter[str]()
    for kind, count in jobs:
        minutes[kind] += count * JOB_MINUTES
    # The new version, and the roll-back; each runs a second fleet until the traffic has shifted.
    update = ENDPOINT_MINUTES + round(2 * serving.canary.bake.total_seconds() / 60)
    alive = ENDPOINT_MINUTES + (len(jobs) - len(train)) * JOB_MINUTES + OTHER_MINUTES + 2 * update
    if serving.mode == "realtime":
        minutes[serving.instance] += serving.scaling.minimum * (alive + 2 * update)
    return Estimate(alive + len(train) * JOB_MINUTES, len(jobs), dict(minutes))


def _instances(part: Any) -> Iterator[tuple[str, int]]:
    """Instance type and number of instances of each job in a definition, in order."""
    if isinstance(part, list):
        for each in part:
            yield from _instances(each)
    elif isinstance(part, dict):
        if "InstanceType" in part:
            yield part["InstanceType"], int(part.get("InstanceCount", 1))
        for each in part.values():
            yield from _instances(each)
