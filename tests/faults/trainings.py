"""The machine of trainings: triggers, data, executions of the training pipeline and the function retrain."""

import json
import uuid

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from . import training_promises as promises
from .machine import FAULTS, Machine
from .simulation.names import PREFIX, arn
from .simulation.pipelines import RUNNING
from .simulation.world import queue_name

QUEUE = queue_name("retrain")
NAMES = [f"m{number}" for number in range(10)]
CROWD = 200_000
"""Objects of a model with many; ListObjectsV2 takes 40 seconds for them."""


class Trainings(Machine):
    """Some models in production: triggers of every kind, and trainings by the function and by hand."""

    wanted = promises.ALL
    functions, queues = ("retrain",), (QUEUE,)

    def __init__(self):
        super().__init__()
        self.world.add_function("retrain")
        self.models, self.acts, self.settings = NAMES[:1], list(ACTS), {}
        self.ledger = promises.Ledger(self)

    def pipeline(self, model):
        return f"{PREFIX}-{model}-train"

    def failures(self):
        yield from super().failures()
        yield from self.ledger.failures()

    def failures_at_rest(self):
        yield from super().failures_at_rest()
        yield from self.ledger.failures_at_rest()

    @initialize(
        models=st.sampled_from([1, 1, 1, 2, 10]),
        crowded=st.booleans(),
        data=st.booleans(),
        acts=st.lists(st.integers(0, 15), min_size=1, max_size=6),
    )
    def begin(self, models, crowded, data, acts):
        self.models = NAMES[:models]
        self.acts = [list(ACTS)[number % len(ACTS)] for number in acts]
        many = crowded and models == 10
        for model in self.models:
            self.settings[model] = self.world.add_model(model)
            for name, pattern in rules(model).items():
                self.world.bus.put_rule(name, pattern, lambda event, of=model: self.send(of, event))
            if many:
                self.world.s3.crowds["acme-prod-data", f"{model}/raw/"] = CROWD
            if data:
                self.world.s3.put("acme-prod-data", f"{model}/raw/dt=0/records.csv")
        self.world.tell(f"{models} model(s){', with many objects each' if many else ''}{', with data' if data else ''}")

    def send(self, model, body):
        self.world.sqs.put(QUEUE, json.dumps(body), model)

    @rule(act=st.integers(0, 5), model=st.integers(0, 1), choice=st.integers(0, 3))
    def people_act(self, act, model, choice):
        self.step()
        ACTS[self.acts[act % len(self.acts)]](self, self.models[model % len(self.models)], choice)

    @rule(fault=FAULTS)
    def the_function_runs(self, fault):
        self.step()
        self.world.run_function("retrain", fault)

    @rule(newest=st.booleans(), status=st.sampled_from(["Succeeded", "Failed"]))
    def a_training_ends(self, newest, status):
        running = [execution for execution in self.world.pipelines.executions if execution.status in RUNNING]
        if running:
            self.step()
            self._end(running[-1 if newest else 0], status)

    def _end(self, execution, status):
        status = "Stopped" if execution.status == "Stopping" else status
        self.world.tell(f"the training {execution.arn[-4:]} of {execution.pipeline} ends: {status}")
        self.world.pipelines.end(execution, status, "the gate rejects it" if status == "Failed" else None)

    def end_changes(self):
        running = [execution for execution in self.world.pipelines.executions if execution.status in RUNNING]
        for execution in running:
            self._end(execution, "Succeeded")
        return bool(running)


def tick(machine, model, choice):
    """EventBridge Scheduler sends the message of one scheduled time; sometimes twice, as it may."""
    names = machine.models if choice == 0 else [model]
    machine.world.tell(f"the schedule of {', '.join(names)} sends{' twice' if choice == 1 else ''}")
    for name in names:
        time = f"{machine.world.clock.now:%Y-%m-%dT%H:%M:00Z}"
        for _ in range(2 if choice == 1 else 1):
            machine.send(
                name, {"model": name, "trigger": "schedule", "reason": "schedule cron(0 3 * * ? *)", "id": time}
            )


def raise_alarm(machine, model, choice):
    """CloudWatch's drift or quality alarm goes to ALARM, and later back."""
    purpose = ("drift", "model-quality")[choice % 2]
    name = f"{PREFIX}-{model}-{purpose}"
    machine.world.tell(f"the alarm {name} is raised")
    state = {"value": "ALARM", "reason": "Threshold Crossed"}
    machine.world.bus.emit("aws.cloudwatch", "CloudWatch Alarm State Change", {"alarmName": name, "state": state})


def request(machine, model, choice):
    """A person or the delivery asks for a training."""
    trigger = ("manual", "code")[choice % 2]
    machine.world.tell(f"{'a person runs model-factory retrain' if choice % 2 == 0 else 'the delivery trains'} {model}")
    identifier = uuid.UUID(int=machine.steps % 2**64).hex
    reason = f"because {choice}" if trigger == "manual" else f"pushed abc, delivery {identifier}"
    machine.send(model, {"model": model, "trigger": trigger, "reason": reason, "id": identifier})


def put_data(machine, model, choice):
    """Data lands."""
    machine.world.tell(f"new data of {model}")
    machine.world.s3.put("acme-prod-data", f"{model}/raw/dt={machine.steps % 7}/records.csv")


def start_by_hand(machine, model, choice):
    """A person starts the pipeline in Studio."""
    machine.world.pipelines.start_pipeline_execution(machine.pipeline(model), f"studio-{machine.steps:032}")


def stop_by_hand(machine, model, choice):
    """A person stops the newest training in Studio."""
    for execution in machine.world.pipelines.of(machine.pipeline(model))[-1:]:
        if execution.status == "Executing":
            machine.world.pipelines.stop_pipeline_execution(execution.arn)


def redrive(machine, model, choice):
    """A person moves the dead letters back into the queue."""
    if machine.world.sqs.queues[QUEUE].dead:
        machine.world.tell("a person redrives the dead letters")
        machine.world.sqs.redrive(QUEUE)


def configure(machine, model, choice):
    """The model's stack is deployed with other guards."""
    change = ({"cooldown_seconds": 0.0}, {"cooldown_seconds": 86400.0}, {"on_drift": False}, {"max_failures": 2})[
        choice
    ]
    machine.world.tell(f"the stack of {model} is deployed with {change}")
    machine.settings[model]["retrain"] |= change
    machine.world.configure(machine.settings[model])


ACTS = {
    "tick": tick,
    "alarm": raise_alarm,
    "request": request,
    "data": put_data,
    "start by hand": start_by_hand,
    "tick too": tick,
    "stop by hand": stop_by_hand,
    "alarm too": raise_alarm,
    "redrive": redrive,
    "data too": put_data,
    "configure": configure,
    "request too": request,
}


def rules(model):
    """The rule of a model's stack that sends to the retrain queue (constructs/model_factory/model/retrain_trigger.py)."""
    name = f"{PREFIX}-{model}"
    raised = {
        "source": ["aws.cloudwatch"],
        "detail-type": ["CloudWatch Alarm State Change"],
        "detail": {"alarmName": [f"{name}-drift", f"{name}-model-quality"], "state": {"value": ["ALARM"]}},
    }
    ended = {
        "source": ["aws.sagemaker"],
        "detail-type": ["SageMaker Model Building Pipeline Execution Status Change"],
        "detail": {
            "pipelineArn": [arn("sagemaker", f"pipeline/{name}-train")],
            "currentPipelineExecutionStatus": ["Executing", "Succeeded", "Failed", "Stopped"],
        },
    }
    return {f"{name}-drift": {"$or": [raised, ended]}}
