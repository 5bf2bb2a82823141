"""`model-factory doctor`: quotas compared with what the templates need."""

import json

import pytest

from model_factory.ops.doctor import quotas
from model_factory.ops.doctor.needs import Instances, Needs, _definition, _jobs

from .test_doctor import Refusing

REGION = "eu-west-1"


class Quotas:
    """Service Quotas with these values of instance quotas, and 3 of everything that is counted."""

    def __init__(self, **values):
        self.values = values

    def get_paginator(self, operation):
        quotas = [
            {"QuotaName": name.replace("_", " ").replace("ml ", "ml.", 1), "QuotaCode": "L-1", "Value": value}
            for name, value in self.values.items()
        ]
        pages = [{"Quotas": quotas if operation == "list_aws_default_service_quotas" else []}]
        return type("Paginator", (), {"paginate": lambda *_, **__: pages})()

    def get_service_quota(self, **_):
        return {"Quota": {"Value": 3}}

    get_aws_default_service_quota = get_service_quota


@pytest.mark.parametrize(("value", "status"), [(0, "problem"), (1, "warning"), (4, "ok")])
def test_instance_quota_is_compared_with_least_and_most(value, status):
    needs = Needs(instances=[Instances("training job", "ml.m5xlarge", 1, 4)])
    service = Quotas(**{"ml m5xlarge_for_training_job_usage": value})
    ((found, _, mend),) = quotas.instances(lambda _: service, REGION, needs)
    assert found == status
    assert ("/servicequotas/home/services/sagemaker/quotas/L-1" in mend) == (status != "ok")


def test_quota_of_warm_pools_is_no_condition_of_a_training():
    needs = Needs(instances=[Instances("training warm pool", "ml.m5xlarge", 1, 1)])
    service = Quotas(**{"ml m5xlarge_for_training_warm_pool_usage": 0})
    ((found, what, mend),) = quotas.instances(lambda _: service, REGION, needs)
    assert (found, "instances are not kept" in what) == ("warning", True)
    assert "/servicequotas/" in mend


@pytest.mark.parametrize(
    ("more", "kept", "usages"),
    [
        ({}, {}, ["training job"]),
        ({"EnableManagedSpotTraining": True}, {}, ["spot training job"]),
        ({}, {"KeepAlivePeriodInSeconds": 60}, ["training job", "training warm pool"]),
    ],
)
def test_capacity_of_training_decides_which_quotas_are_needed(more, kept, usages):
    config = {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, **kept}
    definition = {"Steps": [{"Type": "Training", "Arguments": {"ResourceConfig": config, **more}}]}
    assert list(_jobs(definition)) == [(usage, "ml.m5.xlarge", 1) for usage in usages]


def test_instance_type_without_quota_is_a_problem():
    needs = Needs(instances=[Instances("endpoint", "ml.x9.large", 1, 1)])
    ((status, what, _),) = quotas.instances(lambda _: Quotas(), REGION, needs)
    assert (status, "'ml.x9.large for endpoint usage'" in what) == ("problem", True)


def test_more_rules_than_quota_is_a_problem():
    needs = Needs()
    needs.resources["AWS::Events::Rule"] = 4
    (problem,) = quotas.resources(lambda _: Quotas(), REGION, needs)
    assert problem[:2] == (
        "problem",
        "Number of rules (on one event bus): 3, needed 4; below that the deployment fails",
    )


def test_unknown_quota_is_not_checked():
    needs = Needs()
    needs.resources["AWS::Events::Rule"] = 4
    ((status, _, _),) = quotas.resources(lambda _: Refusing("NoSuchResourceException"), REGION, needs)
    assert status == "not checked"


def test_instances_of_parameters_are_their_defaults():
    cluster = {"InstanceType": {"Get": "Parameters.Instance"}, "InstanceCount": {"Get": "Parameters.Count"}}
    step = {"Type": "Processing", "Arguments": {"ProcessingResources": {"ClusterConfig": cluster}}}
    parameters = [{"Name": "Instance", "DefaultValue": "ml.m5.large"}, {"Name": "Count", "DefaultValue": 2}]
    body = json.dumps({"Parameters": parameters, "Steps": [step]})
    definition = _definition({"PipelineDefinition": {"PipelineDefinitionBody": body}})
    assert [found[1:] for found in _jobs(definition)] == [("ml.m5.large", 2)]
