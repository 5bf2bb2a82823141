"""`model-factory doctor`: quotas compared with what the templates need."""

import pytest

from model_factory.ops.doctor import quotas
from model_factory.ops.doctor.needs import Instances, Needs

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
