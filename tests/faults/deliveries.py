"""The machine of deliveries: pushes, the delivery function and its jobs, with the real retrain and deploy functions behind it."""

import json
import uuid

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from .deployments import CONTENT, FAILURE
from .deployments import QUEUE as DEPLOY_QUEUE
from .deployments import rules as endpoint_rules
from .machine import FAULTS, Machine
from .simulation.calls import NOT_DELETED
from .simulation.codepipeline import CONTINUE_SECONDS
from .simulation.names import PREFIX
from .simulation.pipelines import RUNNING
from .trainings import QUEUE as RETRAIN_QUEUE
from .trainings import rules as training_rules

MODELS = ("m0", "m1")
STATISTICS = "acme-prod-artifacts", "statistics.json"


class Deliveries(Machine):
    """One environment with two models, and its delivery pipeline."""

    wanted = ("mistake", "storm", "ends", "once", "reverted", "delivered", "false alarm")
    functions, queues = ("retrain", "deploy"), (RETRAIN_QUEUE, DEPLOY_QUEUE)

    def __init__(self):
        super().__init__()
        world = self.world
        world.add_function("retrain")
        world.add_function("deploy", timeout=120)
        world.add_custom_resource("delivery", 900)
        self.raised, self.bad, self.passed = [], set(), set()
        world.hosting.answers = self._answer
        world.s3.put(*STATISTICS, json.dumps({"features": []}).encode())
        for model in MODELS:
            name = f"{PREFIX}-{model}"
            settings = world.add_model(model)
            settings["promoted_from"] = None
            world.configure(settings)
            for key, pattern in (endpoint_rules(model) | training_rules(model)).items():
                queue = DEPLOY_QUEUE if key == "approved" else RETRAIN_QUEUE
                world.bus.put_rule(
                    f"{model}-{key}", pattern, lambda event, q=queue, m=model: world.sqs.put(q, json.dumps(event), m)
                )
            world.pipelines.code[f"{name}-train"] = "code 0"

    def _sender(self, queue, model):
        return lambda event: self.world.sqs.put(queue, json.dumps(event), model)

    @property
    def pipeline(self):
        return self.world.codepipeline

    @initialize(data=st.booleans(), live=st.booleans())
    def begin(self, data, live):
        if data or live:
            for model in MODELS:
                self.world.s3.put("acme-prod-data", f"{model}/raw/dt=0/records.csv")
        if live:
            self.pushes(3)
            self.settle()
            self.world.tell("--- the first delivery is done")

    @precondition(lambda self: self.pipeline.running is None)
    @rule(models=st.integers(1, 3))
    def pushes(self, models):
        changed = [model for number, model in enumerate(MODELS) if models & 1 << number]
        identifier = str(uuid.UUID(int=len(self.pipeline.executions) + 1))
        self.step(f"somebody pushes other code of {', '.join(changed)}: delivery {identifier}")
        for model in changed:
            self.world.pipelines.code[f"{PREFIX}-{model}-train"] = f"code {len(self.pipeline.executions) + 1}"
        self.pipeline.start(identifier, MODELS)

    @rule(fault=FAULTS)
    def the_delivery_function_runs(self, fault):
        self.step()
        self._deliver(fault)

    def _deliver(self, fault=None):
        """The next asynchronous invocation; whether there was one."""
        invocation = self.pipeline.due()
        if invocation is None:
            return False
        function, world = self.world.functions["delivery"], self.world
        task = self.pipeline.jobs[invocation.job][1]
        world.tell(f"the delivery function runs {task} as {invocation.job}{f', {fault}' if fault else ''}")
        failed = False
        try:
            function.invoke(self.pipeline.event(invocation), fault)
            failed = function.killed
        except Exception as error:
            failed = True
            world.tell(f"  … raises {type(error).__name__}: {error}"[:260])
            if fault is None or fault.kind == NOT_DELETED:
                self.raised.append(f"{type(error).__name__}: {error}")
        again = bool(fault) and fault.kind == NOT_DELETED
        self.pipeline.ended(invocation, failed=failed, again=again)
        return True

    @rule(fault=FAULTS, name=st.sampled_from(["retrain", "deploy"]))
    def a_function_runs(self, fault, name):
        self.step()
        self.world.run_function(name, fault)

    @rule(status=st.sampled_from(["Succeeded", "Succeeded", "Failed"]), good=st.sampled_from([True, True, False]))
    def a_training_ends(self, status, good):
        running = [each for each in self.world.pipelines.executions if each.status in RUNNING]
        if running:
            self.step()
            self._end_training(running[0], status, good)

    def _end_training(self, execution, status, good=True):
        model = execution.pipeline.removeprefix(f"{PREFIX}-").removesuffix("-train")
        parameters = {each["Name"]: each["Value"] for each in execution.request.get("PipelineParameters", [])}
        self.world.tell(
            f"the training {execution.arn[-4:]} of {model} ends: {status}{'' if good else ', its model fails'}"
        )
        if status == "Succeeded":
            version = self.world.registry.register(
                f"{PREFIX}-{model}",
                "Approved",
                **CONTENT
                | {
                    "ModelPackageDescription": f"{parameters.get('Trigger')}: {parameters.get('Reason')}; auc 0.9",
                    "CustomerMetadataProperties": {"code_digest": execution.code, "image": "image"},
                    "DriftCheckBaselines": {
                        "ModelDataQuality": {
                            "Statistics": {"ContentType": "json", "S3Uri": "s3://" + "/".join(STATISTICS)}
                        }
                    },
                },
            )
            if not good:
                self.bad.add(version.arn)
        self.world.pipelines.end(execution, status, "the gate rejects it" if status == "Failed" else None)

    def _answer(self, package):
        """Whether the endpoint with a version answers."""
        return package not in self.bad

    @precondition(lambda self: any(each.deployment for each in self.world.hosting.endpoints.values()))
    @rule(failure=st.sampled_from([None, None, FAILURE]))
    def the_deployment_ends(self, failure):
        name = next(name for name, each in self.world.hosting.endpoints.items() if each.deployment)
        self.step(f"the deployment of {name} ends: {failure or 'in service'}")
        self.world.hosting.end_deployment(name, failure)

    @rule(model=st.sampled_from(MODELS))
    def the_schedule_sends(self, model):
        self.step(f"the schedule of {model} sends")
        time = f"{self.world.clock.now:%Y-%m-%dT%H:%M:00Z}"
        body = {"model": model, "trigger": "schedule", "reason": "schedule cron(0 3 * * ? *)", "id": time}
        self.world.sqs.put(RETRAIN_QUEUE, json.dumps(body), model)

    def run_all(self, fault=None):
        return super().run_all(fault) or self._deliver(fault)

    def end_changes(self):
        running = [each for each in self.world.pipelines.executions if each.status in RUNNING]
        for execution in running:
            self._end_training(execution, "Succeeded")
        return bool(running) or super().end_changes()

    def settle(self):
        self.pipeline.interval = 900
        super().settle()
        self.pipeline.interval = CONTINUE_SECONDS

    def _wait(self):
        """Wait for a message or an invocation."""
        now = self.world.clock.now
        times = [m.visible for name in self.queues for m in self.world.sqs.queues[name].messages if m.visible > now]
        times += [each.due for each in self.pipeline.invocations if each.due > now]
        if times:
            self.world.clock.now = min(times)
        return bool(times)

    def failures(self):
        yield from super().failures()
        yield from (
            ("false alarm", f"the delivery function raised {text}, though nothing failed") for text in self.raised
        )
        for delivery in self.pipeline.executions:
            for model in MODELS:
                started = self._trainings(delivery, model)
                if len(started) > 1:
                    yield "once", f"the delivery {delivery.id} trains {model} {len(started)} times"

    def _trainings(self, delivery, model):
        """The executions that were started because of a delivery."""
        executions = self.world.pipelines.of(f"{PREFIX}-{model}-train")
        parameters = [
            {each["Name"]: each["Value"] for each in one.request.get("PipelineParameters", [])} for one in executions
        ]
        return [
            one for one, values in zip(executions, parameters, strict=True) if delivery.id in values.get("Reason", "")
        ]

    def failures_at_rest(self):
        for delivery in self.pipeline.executions:
            if delivery.status == "InProgress":
                yield "ends", f"the delivery {delivery.id} never ends"
            for model in MODELS:
                for version in self.world.registry.of(f"{PREFIX}-{model}"):
                    if delivery.id in version.content.get("ModelPackageDescription", ""):
                        yield from self._check_version(delivery, model, version)

    def _check_version(self, delivery, model, version):
        verdict = "failed: model" in delivery.message or "took too long" in delivery.message
        if (
            delivery.status == "Failed"
            and verdict
            and version.status == "Approved"
            and version.created < delivery.ended
        ):
            yield (
                "reverted",
                f"the delivery failed, and its version {version.number} of {model} is approved: {delivery.message}",
            )
        if delivery.status == "Succeeded" and version.arn in self.bad and version.status == "Approved":
            newer = [v for v in self.world.registry.of(version.group) if v.number > version.number]
            if not newer:
                yield "delivered", f"the delivery succeeded, and its version {version.number} of {model} cannot answer"
