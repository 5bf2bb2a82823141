"""What holds for every template: AWS's rules, security's rules, least privilege, and their size."""

import csv
import json
import os

import pytest
from cfnlint.api import lint

# A role's name in a DependsOn that its GetAtt implies already: CDK's own Lambda construct writes it.
CDK_WRITES_IT_SO = ["W3005"]
MOST_RESOURCES_OF_A_MODEL = 25


@pytest.fixture(params=["acme-dev-foundation", "acme-dev-churn", "acme-prod-foundation", "acme-prod-churn"])
def template(request, assembly):
    return assembly / f"{request.param}.template.json"


def statements(template):
    for resource in json.loads(template.read_text())["Resources"].values():
        for policy in resource.get("Properties", {}).get("Policies", []):
            yield from policy["PolicyDocument"]["Statement"]


def as_list(value):
    return value if isinstance(value, list) else [value]


def test_cfn_lint_finds_nothing(template):
    findings = lint(template.read_text())
    assert [str(finding) for finding in findings if finding.rule.id not in CDK_WRITES_IT_SO] == []


def test_cdk_nag_finds_nothing_that_is_not_accepted_with_a_reason(assembly):
    rows = [row for path in assembly.glob("*NagReport.csv") for row in csv.DictReader(path.open())]
    assert len(rows) > 200
    assert [row for row in rows if row["Compliance"] not in ("Compliant", "Suppressed")] == []
    assert all(len(row["Exception Reason"]) > 20 for row in rows if row["Compliance"] == "Suppressed")


def test_no_action_is_a_wildcard(template):
    assert [s for s in statements(template) if any("*" in action for action in as_list(s["Action"]))] == []


def test_a_resource_is_a_bare_wildcard_only_where_the_api_has_none(template):
    without_resources = {
        "cloudwatch:PutMetricData",
        "ecr:GetAuthorizationToken",
        "sagemaker:ListEndpointConfigs",
        "sagemaker:ListModels",
        "xray:PutTelemetryRecords",
        "xray:PutTraceSegments",
    }
    bare = {a for s in statements(template) if s["Resource"] == "*" for a in as_list(s["Action"])}
    assert bare <= without_resources


def test_services_take_on_roles_for_this_account_only(template):
    for resource in json.loads(template.read_text())["Resources"].values():
        if resource["Type"] == "AWS::IAM::Role":
            (trust,) = resource["Properties"]["AssumeRolePolicyDocument"]["Statement"]
            if trust["Principal"]["Service"] != "lambda.amazonaws.com":
                account = "111111111111" if "dev" in template.name else "333333333333"
                assert trust["Condition"]["StringEquals"]["aws:SourceAccount"] == account


def test_the_permissions_boundary_of_factory_yaml_is_on_every_role(foundation, model, dev_model):
    for role in foundation.all("IAM::Role") + model.all("IAM::Role"):
        assert "policy/Bounds" in json.dumps(role["PermissionsBoundary"])
    assert all("PermissionsBoundary" not in role for role in dev_model.all("IAM::Role"))


def test_a_model_adds_few_resources(model):
    assert len(model.resources) <= MOST_RESOURCES_OF_A_MODEL


def test_a_model_stack_imports_nothing_but_the_key(assembly):
    text = (assembly / "acme-prod-churn.template.json").read_text()
    (imported,) = {part.split('"')[1] for part in text.split('"Fn::ImportValue":')[1:]}
    assert imported.startswith("acme-prod-foundation:ExportsOutputFnGetAttEncryptionKey")
    assert "GetStackOutput" not in text


def test_templates_need_no_docker_and_hold_no_credentials(assembly):
    for path in assembly.glob("*.assets.json"):
        assert json.loads(path.read_text()).get("dockerImages") == {}, path
    assert not {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} & {
        word for path in assembly.glob("*.template.json") for word in path.read_text().split('"')
    }
    assert os.environ.get("AWS_ENDPOINT_URL") is None
