"""Names that are too long for AWS, or that two stacks would have."""

from contextlib import nullcontext

import pytest

from local_aws.rules.register import enforced
from local_aws.rules.rule import Request
from model_factory.config import ConfigError, load_factory, load_model, naming_mistakes
from model_factory.core.names import EnvironmentNames

from .test_loading import MODEL, change, write_model

DELIVERY = """
delivery:
  account: "999999999999"
  region: ap-southeast-1
  source: codecommit
  repository: models
"""


def mistakes(
    folder, environments: list[str], models: list[str], *, name="acme", delivery="", account="111111111111", regions=()
):
    lines = [
        f"  - {{name: {each}, account: '{account}', region: {dict(regions).get(each, 'eu-west-1')}}}"
        for each in environments
    ]
    path = folder / "factory.yaml"
    path.write_text(f"name: {name}\nenvironments:\n" + "\n".join(lines) + delivery)
    return [str(each).removeprefix(f"{folder}/") for each in naming_mistakes(load_factory(path), models, path=path)]


def test_usual_names_have_no_mistakes(tmp_path):
    assert mistakes(tmp_path, ["dev", "prod"], ["churn", "churn-eu"], delivery=DELIVERY) == []


def test_model_and_environment_with_one_name_are_reported(tmp_path):
    found = mistakes(tmp_path, ["dev", "dev-eu"], ["churn", "eu-churn"])
    assert found[:1] == [
        "factory.yaml:4: model 'eu-churn' in 'dev' and model 'churn' in 'dev-eu' would both be called "
        "'acme-dev-eu-churn'; rename an environment or a model"
    ]


@pytest.mark.parametrize(("outer", "inner"), [("dev", "dev-eu"), ("dev", "dev-2"), ("test-a", "test-a-b")])
@pytest.mark.parametrize("swapped", [False, True])
def test_neighbours_with_nested_names_are_refused(tmp_path, outer, inner, swapped):
    environments = [inner, outer] if swapped else [outer, inner]
    line = 3 + environments.index(inner)
    assert mistakes(tmp_path, environments, ["churn"]) == [
        f"factory.yaml:{line}: {inner!r} is in the account and region of {outer!r}, whose rules and policies are about every "
        f"name that starts with 'acme-{outer}-'; choose a name such as {inner.replace('-', '')!r}, or another account"
    ]


RESERVED = ("awsome", "aws-models", "ssm-models", "ssmith", "sthree-models", "amzn-s3-demo-x")


@pytest.mark.parametrize("name", [*RESERVED, "acme", "saws"])
def test_factory_names_are_refused_where_services_refuse_their_names(tmp_path, name):
    """The rules of the embedded AWS and `validate` know the same reserved beginnings."""
    names = EnvironmentNames(name, "dev", "111111111111", "eu-west-1")
    parameter = {"Name": f"{names.models_parameter_prefix}churn", "Type": "String", "Value": "{}"}
    requests = {"AWS::SSM::Parameter": parameter, "AWS::S3::Bucket": {"BucketName": names.bucket("data")}}
    violations = [
        rule.violation(Request(requests[kind])) for rule in enforced() if (kind := rule.operation) in requests
    ]
    path = tmp_path / "factory.yaml"
    path.write_text(f"name: {name}\nenvironments: [{{name: dev, account: '111111111111', region: eu-west-1}}]")
    assert any(violations) == (name in RESERVED)
    with pytest.raises(ConfigError, match="starts with") if name in RESERVED else nullcontext():
        load_factory(path)


def test_neighbour_of_delivery_with_nested_name_is_refused(tmp_path):
    delivery = DELIVERY.replace("999999999999", "111111111111").replace("ap-southeast-1", "eu-west-1")
    (found,) = mistakes(tmp_path, ["delivery-eu"], [], delivery=delivery)
    assert "'delivery-eu' is in the account and region of 'delivery'" in found


@pytest.mark.parametrize(("name", "region"), [("dev2", "eu-west-1"), ("de", "eu-west-1"), ("dev-eu", "us-east-1")])
def test_names_that_do_not_nest_have_no_mistakes(tmp_path, name, region):
    assert mistakes(tmp_path, ["dev", name], ["churn"], regions={name: region}) == []


def test_model_named_as_shared_resources_is_reported(tmp_path):
    found, _ = mistakes(tmp_path, ["dev", "dev-eu"], ["eu-foundation"])
    assert "model 'eu-foundation' in 'dev' and the shared resources of 'dev-eu' would both" in found


def test_environment_named_as_delivery_stack_is_reported(tmp_path):
    (found,) = mistakes(tmp_path, ["acme-delivery"], [], delivery=DELIVERY)
    assert "the delivery and the stage of 'acme-delivery' would both be called 'acme-delivery'" in found


def test_long_delivery_bucket_is_reported(tmp_path):
    (found,) = mistakes(tmp_path, ["dev"], [], name="a-factory-of-20-char", delivery=DELIVERY)
    assert found == (
        "factory.yaml:1: bucket 'a-factory-of-20-char-delivery-artifacts-999999999999-ap-southeast-1' has 67 characters, "
        "S3 allows 63; shorten `name`"
    )


def test_long_bucket_of_environment_names_its_line(tmp_path):
    (found,) = mistakes(tmp_path, ["dev", "pre-production-eu"], [], name="a-long-factory")
    assert found.startswith(
        "factory.yaml:4: bucket 'a-long-factory-pre-production-eu-artifacts-111111111111-eu-west-1'"
    )
    assert found.endswith("shorten `name` or the environment 'pre-production-eu'")


def test_long_model_name_has_its_limit_in_the_region(tmp_path):
    (found,) = mistakes(tmp_path, ["production"], ["m" * 24], name="a-factory-12")
    assert "48 characters of at most 47 in eu-west-1; shorten one of the three parts" in found


def test_model_called_foundation_is_refused(tmp_path):
    folder = write_model(tmp_path, change(MODEL, "name", "foundation"), "foundation")
    with pytest.raises(ConfigError, match=r"model\.yaml:\d+: name 'foundation' is reserved for the stack of"):
        load_model(folder)
