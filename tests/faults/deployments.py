"""The machine of deployments: versions, approvals, the endpoint and the function deploy."""

import json

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from . import promises
from .machine import FAULTS, Machine
from .simulation.names import PREFIX
from .simulation.registry import STATUSES
from .simulation.world import queue_name

MODEL = "churn"
NAME = f"{PREFIX}-{MODEL}"
QUEUE = queue_name("deploy")
CHANGES = [
    {"instance": "ml.m5.xlarge"},
    {"vpc_config": {"Subnets": ["subnet-0a1b2c3d"], "SecurityGroupIds": ["sg-0a1b2c3d"]}},
    {"instance": "ml.m5.large"},
    {"vpc_config": None},
    {"capture_percent": 50},
    {"scaling": {"minimum": 2, "maximum": 4, "invocations_per_instance": 500}},
]
FAILURE = "The primary container did not pass the ping health check."


class Deployments(Machine):
    """One model in production: everything that may happen to its versions and its endpoint."""

    wanted = promises.DEPLOYMENTS
    model, name, functions, queues = MODEL, NAME, ("deploy",), (QUEUE,)

    def __init__(self):
        super().__init__()
        self.world.add_function("deploy", timeout=120)
        self.settings = self.world.add_model(MODEL)
        self.ledger = promises.Requests(self.world, NAME)
        for name, pattern in rules(MODEL).items():
            self.world.bus.put_rule(name, pattern, lambda event: self.world.sqs.put(QUEUE, json.dumps(event), MODEL))
        self.acts = list(ACTS)

    def short_settings(self):
        serving = self.settings["serving"]
        return {key: serving.get(key) for key in ("instance", "vpc_config", "capture_percent", "scaling")}

    has_stack = True
    """Whether the model's stack exists."""

    @property
    def act_table(self):
        return ACTS

    @property
    def versions(self):
        return self.world.registry.of(NAME)

    @property
    def endpoint(self):
        return self.world.hosting.endpoints.get(NAME)

    def failures(self):
        yield from super().failures()
        yield from (("asked", text) for text in self.ledger.unasked())

    def failures_at_rest(self):
        yield from super().failures_at_rest()
        yield from promises.deployments_at_rest(self)

    @initialize(live=st.booleans(), acts=st.lists(st.sampled_from(range(20)), min_size=1, max_size=6))
    def begin(self, live, acts):
        if live:
            register(self, 0)
            self.settle()
            self.world.tell("--- version 1 is live")
        self.acts = [list(self.act_table)[number % len(self.act_table)] for number in acts]

    @rule(act=st.integers(0, 5), choice=st.integers(0, 5))
    def people_act(self, act, choice):
        self.step()
        self.act_table[self.acts[act % len(self.acts)]](self, choice)

    @precondition(lambda self: self.endpoint and self.endpoint.deployment)
    @rule(failure=st.sampled_from([None, None, FAILURE]))
    def the_deployment_ends(self, failure):
        self.step(f"the deployment ends: {failure or 'in service'}")
        self.world.hosting.end_deployment(NAME, failure)

    @precondition(lambda self: self.endpoint and self.endpoint.status == "Deleting")
    @rule()
    def the_deletion_ends(self):
        self.step("the endpoint is gone")
        self.world.hosting.end_deletion(NAME)

    @rule(fault=FAULTS)
    def the_function_runs(self, fault):
        self.step()
        self.world.run_function("deploy", fault)


def register(machine, choice):
    """A training registers a version; the environment's approval policy approves it at once or leaves it to people."""
    status = STATUSES[0 if choice < 4 else 1]
    machine.world.tell(f"a training registers version {len(machine.versions) + 1}, {status}")
    version = machine.world.registry.register(NAME, status, **CONTENT)
    if status == "Approved":
        machine.ledger.asked(version.number)


def decide(machine, choice):
    """A person approves or rejects one of the last versions."""
    if not machine.versions:
        return
    back, status = choice // 2, ("Approved", "Rejected")[choice % 2]
    version = machine.versions[max(len(machine.versions) - 1 - back, 0)]
    machine.world.tell(f"a person sets version {version.number} to {status}")
    machine.world.registry.set_status(version, status, "someone: because")
    machine.ledger.asked(version.number if status == "Approved" else None)


def redeploy(machine, choice):
    """A person asks for a deployment."""
    machine.world.tell("a person runs model-factory redeploy")
    body = {"model": MODEL, "trigger": "manual", "reason": "because", "id": f"by-hand-{machine.steps}"}
    machine.world.sqs.put(QUEUE, json.dumps(body), MODEL)
    machine.ledger.asked(None)


def delete_endpoint(machine, choice):
    """A person deletes the endpoint in the console."""
    if machine.endpoint and machine.endpoint.status in ("InService", "Failed"):
        machine.ledger.deleted(machine.endpoint.config)
        machine.world.hosting.delete_endpoint(NAME)


def deploy_stack(machine, choice):
    """The model's stack is deployed with other settings."""
    if not machine.has_stack:
        return
    machine.world.tell(f"the stack is deployed with {CHANGES[choice]}")
    machine.settings["serving"] |= CHANGES[choice]
    machine.world.configure(machine.settings)
    machine.ledger.asked(None)


def change_alarm(machine, choice):
    """A rollback alarm changes its state, by the requests that the live version gets."""
    alarm, state = ("endpoint-errors", "endpoint-latency")[choice % 2], "ALARM" if choice < 3 else "OK"
    machine.world.tell(f"the alarm {alarm} is {state}")
    machine.world.cloudwatch.states[f"{NAME}-{alarm}"] = state


def patch(machine, choice):
    """SageMaker patches the endpoint, or has done so."""
    if machine.endpoint and machine.endpoint.status in ("InService", "SystemUpdating"):
        begins = machine.endpoint.status == "InService"
        machine.world.tell(f"SageMaker's own update of the endpoint {'begins' if begins else 'ends'}")
        machine.world.hosting.system_update(NAME, begins)


def redrive(machine, choice):
    """A person moves the dead letters back into the queue."""
    if machine.world.sqs.queues[QUEUE].dead:
        machine.world.tell("a person redrives the dead letters")
        machine.world.sqs.redrive(QUEUE)
        machine.ledger.asked(None)


ACTS = {
    "register": register,
    "decide": decide,
    "redeploy": redeploy,
    "delete": delete_endpoint,
    "stack": deploy_stack,
    "alarm": change_alarm,
    "redrive": redrive,
    "patch": patch,
    "register too": register,
    "decide too": decide,
}
CONTENT = {
    "InferenceSpecification": {
        "Containers": [{"Image": "image", "ModelDataUrl": "s3://acme-prod-artifacts/churn/model.tar.gz"}],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    },
    "CustomerMetadataProperties": {"data_digest": "0a1b"},
}


def rules(model):
    """The rules of a model's stack that send to the deploy queue (constructs/model_factory/model/endpoint_deployer.py)."""
    name = f"{PREFIX}-{model}"
    statuses = ["IN_SERVICE", "FAILED", "OUT_OF_SERVICE", "UPDATE_ROLLBACK_FAILED", "DELETING", "DELETED"]
    return {
        "approved": {
            "source": ["aws.sagemaker", "aws.ssm"],
            "detail-type": [
                "SageMaker Model Package State Change",
                "SageMaker Endpoint State Change",
                "Parameter Store Change",
            ],
            "detail": {
                "$or": [
                    {
                        "ModelPackageGroupName": [name],
                        "ModelApprovalStatus": ["Approved", "Rejected", "PendingManualApproval"],
                    },
                    {"EndpointName": [name], "EndpointStatus": statuses},
                    {"name": [f"/acme/prod/models/{model}"], "operation": ["Create", "Update"]},
                ]
            },
        }
    }
