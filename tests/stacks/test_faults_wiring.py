"""The simulation of tests/faults has the rules, queues and timeouts of the stacks."""

import json

import pytest

from tests.faults import deployments, trainings
from tests.faults.machine import Machine
from tests.faults.simulation import names
from tests.faults.simulation.world import BATCH, MAX_RECEIVES, queue_name


def here(pattern):
    """A pattern of the simulation in the account and region of the template."""
    text = json.dumps(pattern).replace(names.ACCOUNT, "333333333333").replace(names.REGION, "us-east-1")
    return json.loads(text)


def test_rules_of_simulation_are_those_of_the_stack(model):
    for rules in (deployments.rules("churn"), trainings.rules("churn")):
        for name, pattern in rules.items():
            rule = model.one("Events::Rule", Name=f"acme-prod-churn-{name.rpartition('-')[2]}")
            assert rule["EventPattern"] == here(pattern)


@pytest.mark.parametrize("machine", [deployments.Deployments, trainings.Trainings])
def test_queues_of_simulation_are_those_of_the_stack(foundation, machine: type[Machine]):
    world = machine().world
    for name, function in world.functions.items():
        simulated = world.sqs.queues[queue_name(name)]
        queue = foundation.one("SQS::Queue", QueueName=queue_name(name))
        assert queue["VisibilityTimeout"] == simulated.visibility.total_seconds()
        assert queue["RedrivePolicy"]["maxReceiveCount"] == simulated.max_receives == MAX_RECEIVES
        assert foundation.one("Lambda::Function", FunctionName=f"acme-prod-{name}")["Timeout"] == function.timeout
    mappings = foundation.all("Lambda::EventSourceMapping")
    assert {mapping["BatchSize"] for mapping in mappings} == {BATCH}
