"""A model's versions in two environments in memory, for the actions of the delivery pipeline."""

import json
import time
from types import SimpleNamespace

from botocore.exceptions import ClientError

GROUP = "arn:aws:sagemaker:eu-west-1:222222222222:model-package/acme-prod-churn"
OLD = {"Resources": {"A": {"Type": "AWS::SQS::Queue", "Properties": {"Delay": 1}}, "B": {"Type": "AWS::SNS::Topic"}}}
NEW = {"Resources": {"A": {"Type": "AWS::SQS::Queue", "Properties": {"Delay": 2}}, "C": {"Type": "AWS::SNS::Topic"}}}


def version(number, status, *, delivery="e1", **more):
    """A described model package."""
    return {
        "ModelPackageVersion": number,
        "ModelPackageArn": f"{GROUP}/{number}",
        "ModelApprovalStatus": status,
        "ModelPackageDescription": f"code: pushed abc, delivery {delivery}",
        "CustomerMetadataProperties": {"metric": "auc", "metric_value": "0.81234"},
        "DriftCheckBaselines": {},
    } | more


class SageMaker:
    """A registry with versions, and an endpoint that serves one of them."""

    def __init__(self, *versions, served=None, status="InService"):
        self.versions = {each["ModelPackageArn"]: each for each in versions}
        self.served, self.status = served, status

    def get_paginator(self, _):
        newest_first = sorted(self.versions.values(), key=lambda each: -each["ModelPackageVersion"])
        return SimpleNamespace(paginate=lambda **_: ({"ModelPackageSummaryList": [each]} for each in newest_first))

    def describe_model_package(self, ModelPackageName):
        return dict(self.versions[ModelPackageName])

    def describe_endpoint(self, EndpointName):
        if self.served is None:
            raise ClientError({"Error": {"Code": "ValidationException", "Message": "Could not find endpoint"}}, "D")
        return {"EndpointStatus": self.status, "EndpointConfigName": f"{EndpointName}-config"}

    def describe_endpoint_config(self, EndpointConfigName):
        assert EndpointConfigName == "acme-prod-churn-config"
        return {"ProductionVariants": [{"ModelName": "live"}, {"ModelName": "another"}]}

    def describe_model(self, ModelName):
        container = {"ModelPackageName": f"{GROUP}/{self.served}"}
        return {"PrimaryContainer": container} if self.served != 9 else {"Containers": [container]}


class Environment:
    """prod, with one model, after dev."""

    name, exists, recorder = "prod", True, "the recorder"
    config = SimpleNamespace(prefix="acme-prod", factory="acme")

    def __init__(self, sagemaker, previous=None, name="prod"):
        self.sagemaker, self.previous, self.name = sagemaker, previous, name
        self.settings = SimpleNamespace(pipeline="acme-delivery", reports_bucket="reports")
        self.model = {
            "model": "churn",
            "model_package_group": "acme-prod-churn",
            "endpoint": "acme-prod-churn",
            "serving": {"mode": "realtime", "canary": {"bake": 600.0}},
        }

    def client(self, service):
        return {"sagemaker": self.sagemaker, "cloudformation": self}[service]

    def get_template(self, StackName, TemplateStage):
        assert TemplateStage == "Original"
        if StackName == "acme-prod-new":
            raise ClientError({"Error": {"Code": "ValidationError", "Message": "does not exist"}}, "GetTemplate")
        if StackName == "acme-prod-denied":
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetTemplate")
        return {"TemplateBody": json.dumps(OLD) if StackName == "acme-prod-text" else OLD}


class CodePipeline:
    """Executions of the actions of two approvals, in pages, and the delivered commit."""

    actions, revisions = (), ({"revisionId": "0123456789abcdef", "revisionSummary": "new <features>"},)

    def get_paginator(self, operation):
        assert operation == "list_action_executions"

        def paginate(pipelineName, **more):
            assert (pipelineName, more) == ("acme-delivery", {"filter": {"pipelineExecutionId": "e1"}})
            yield {"actionExecutionDetails": []}
            yield {"actionExecutionDetails": list(self.actions)}

        return SimpleNamespace(paginate=paginate)

    def get_pipeline_execution(self, pipelineName, pipelineExecutionId):
        assert (pipelineName, pipelineExecutionId) == ("acme-delivery", "e1")
        return {"pipelineExecution": {"artifactRevisions": list(self.revisions)}}


def make_stage(delivery, monkeypatch):
    """The function's modules, with a CodePipeline and decisions in memory."""
    pipeline, decided = CodePipeline(), []

    def set_approval(environment, recorder, model, version, decision, *, by, reason, delivery):
        assert (environment.name, recorder, model, delivery) == ("prod", "the recorder", "churn", "e1")
        environment.sagemaker.versions[version["ModelPackageArn"]] |= {
            "ModelApprovalStatus": decision,
            "ApprovalDescription": reason,
        }
        decided.append((version["ModelPackageVersion"], decision, by, reason))

    monkeypatch.setattr(delivery["delivery_versions"].approvals, "set_approval", set_approval)
    for module in ("release", "report", "smoke", "delivery_versions"):
        if hasattr(delivery[module], "delivered_models"):
            monkeypatch.setattr(delivery[module], "delivered_models", lambda _, environment: [environment.model])
    for module in ("release", "report"):
        monkeypatch.setattr(delivery[module], "codepipeline", lambda: pipeline)
    return SimpleNamespace(pipeline=pipeline, decided=decided, **{k: v for k, v in delivery.items() if "." not in k})


def job(stage, task="release", **more):
    given = {"token": {"since": int(time.time())}, "inputs": [], "credentials": {}} | more
    return stage.outcome.Job("j", task, "prod", "e1", **given)
