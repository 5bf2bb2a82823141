"""The machine of removals: a model's stack is deleted while deployments go on, and endpoint-cleanup clears up."""

import uuid

from hypothesis.stateful import precondition, rule

from .deployments import MODEL, NAME, Deployments
from .machine import FAULTS
from .simulation.names import ACCOUNT, REGION, arn

TIMEOUT = 840
DELETION_SECONDS = 30
ATTEMPTS = 3
"""Lambda invokes a function that was called asynchronously twice more when it fails."""


class Removals(Deployments):
    """One model whose stack is deleted, again if that failed."""

    wanted = ("mistake", "storm", "removed", "answered")

    def __init__(self):
        super().__init__()
        self.world.add_custom_resource("endpoint-cleanup", TIMEOUT)
        self.world.clock.while_asleep = self._end_deletions
        self.state, self.since = "deployed", None

    @property
    def has_stack(self):
        return self.state == "deployed"

    def _end_deletions(self):
        """Deletions and deployments take some time."""
        endpoint, now = self.endpoint, self.world.clock.now
        if endpoint and (now - endpoint.modified).total_seconds() > DELETION_SECONDS:
            if endpoint.status == "Deleting":
                self.world.tell("  … the endpoint is gone")
                self.world.hosting.end_deletion(NAME)
            elif endpoint.deployment:
                self.world.tell("  … the deployment ends")
                self.world.hosting.end_deployment(NAME)

    @precondition(lambda self: self.state in ("deployed", "deletion failed"))
    @rule(fault=FAULTS)
    def the_stack_is_deleted(self, fault):
        self.step(f"the stack is deleted{f', {fault}' if fault else ''}")
        self._delete_stack(fault)

    def _delete_stack(self, fault):
        """CloudFormation deletes the rule and the parameter before the custom resource."""
        world = self.world
        world.bus.rules["approved"].enabled = False
        world.ssm.parameters.pop(f"/acme/prod/models/{MODEL}", None)
        before = len(world.responses)
        event = _event(str(uuid.UUID(int=self.steps % 2**64)))
        for _ in range(ATTEMPTS):
            world.functions["endpoint-cleanup"].invoke(event, fault)
            if len(world.responses) > before:
                break
            fault = None
            world.clock.advance(60)
        answers = {response["Status"] for response in world.responses[before:]}
        self.since = world.clock.now
        self.state = "deleted" if answers == {"SUCCESS"} else "deletion failed" if answers else "unanswered"

    def failures(self):
        yield from ((name, text) for name, text in super().failures() if name != "asked")
        if self.state == "unanswered":
            yield "answered", "CloudFormation gets no response, and waits for an hour"
        if self.state == "deleted":
            yield from (("removed", f"the stack is deleted, and {left} is left") for left in self._left())

    def failures_at_rest(self):
        if self.state == "deletion failed":
            self.world.tell("the stack is deleted once more")
            self._delete_stack(None)
            yield from self.failures()
            if self.state != "deleted":
                yield "removed", "the stack cannot be deleted though nothing fails any more"

    def _left(self):
        hosting = self.world.hosting
        if self.endpoint:
            yield f"the endpoint, {self.endpoint.status}"
        yield from (f"the configuration {name}" for name in hosting.configs)
        yield from (f"the model {name}" for name in hosting.models)
        yield from (f"the scalable target {name}" for name in self.world.scaling.targets)
        yield from (f"version {version.number}" for version in self.versions if version.created < self.since)


def _event(request):
    stack = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{NAME}/6b1f0e50-9d3c-11f0-8c11-0a1b2c3d4e5f"
    return {
        "RequestType": "Delete",
        "ServiceToken": arn("lambda", "function:acme-prod-endpoint-cleanup"),
        "ResponseURL": "https://cloudformation-custom-resource-response-euwest1.s3.eu-west-1.amazonaws.com/answer",
        "StackId": stack,
        "RequestId": request,
        "LogicalResourceId": "EndpointCleanup3A1F",
        "PhysicalResourceId": NAME,
        "ResourceType": "Custom::EndpointCleanup",
        "ResourceProperties": {
            "ServiceToken": arn("lambda", "function:acme-prod-endpoint-cleanup"),
            "EndpointName": NAME,
            "ModelPackageGroupName": NAME,
            "DeleteVersions": "true",
        },
    }
