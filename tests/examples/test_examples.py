"""Every example is run as a user's app would be, without cdk.json, and its templates are checked."""

import inspect
import json
import re
import runpy
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import model_factory
from tools import security

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
# Resources whose account and region are given, because CodePipeline deploys to accounts.
WITH_ACCOUNTS = {"delivery_pipeline", "delivery_role", "model_stack", "pull_request_pipeline"}
# Access to an environment of a factory, which is known by its names.
BY_NAMES = {"delivery_role", "model_stack"}
# Names of a model's resources that refer to each other by name start so in a user's own stack.
OF_A_MODEL = re.compile(r"(/aws/sagemaker/Endpoints/)?\w+example-main-employment(-[a-z-]+)?")
# Properties that refer to another resource.
REFERENCES = {
    "AlarmActions", "deadLetterTargetArn", "DeadLetterConfig", "DestinationArn", "EventSourceArn", "KMSMasterKeyID",
    "KmsKeyId", "KmsMasterKeyId", "RoleArn", "ServerAccessLogs", "TopicArn",
}  # fmt: skip
PHYSICAL_NAMES = {
    "AlarmName", "AliasName", "BucketName", "FunctionName", "LogGroupName", "QueueName", "RoleName", "TopicName",
}  # fmt: skip


@pytest.fixture(scope="module")
def assemblies(tmp_path_factory) -> dict[str, Path]:
    """The cloud assembly of every example; one process synthesizes all, because starting the CDK takes a second."""
    out = tmp_path_factory.mktemp("examples")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(out)
        patch.setenv(
            "CDK_VALIDATION", "false"
        )  # it takes longer than all syntheses; cfn-lint validates the same templates
        for example in EXAMPLES:
            app = runpy.run_path(str(example), run_name="__main__")["app"]
            # A folder that the CDK chose, as it does without the CDK CLI.
            shutil.move(app.outdir, out / example.stem)
    return {example.stem: out / example.stem for example in EXAMPLES}


def templates_of(assembly: Path) -> dict[str, Any]:
    """The content of every template by its file name."""
    paths = security.templates_in(assembly)
    assert paths
    return {path.name: json.loads(path.read_text()) for path in paths}


def snake_case(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def properties(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Every property below `value`, with its name."""
    if isinstance(value, dict):
        for name, each in value.items():
            yield name, each
            yield from properties(each, name)
    elif isinstance(value, list):
        for each in value:
            yield from properties(each, key)


def referenced(value: Any) -> set[str]:
    """Logical ids that `value` refers to."""
    found = set()
    for name, each in properties([value]):
        if name == "Ref":
            found.add(each)
        elif name == "Fn::GetAtt":
            found.add(each[0])
    return {each for each in found if not each.startswith("AWS::")}


def test_every_construct_has_an_example():
    from aws_cdk import App, Stack
    from constructs import Construct

    constructs = {
        name
        for name in model_factory.__all__
        if inspect.isclass(each := getattr(model_factory, name))
        and issubclass(each, Construct)
        and not issubclass(each, App | Stack)
    }
    examples = {path.stem: path.read_text() for path in EXAMPLES}
    missing = {name for name in constructs if f"{name}(" not in examples.get(snake_case(name), "")}
    assert missing == set()


@pytest.mark.parametrize("name", [path.stem for path in EXAMPLES])
def test_references_stay_inside_the_template(assemblies, name):
    for template in templates_of(assemblies[name]).values():
        defined = set(template["Resources"]) | set(template.get("Parameters", {}))
        assert referenced(template["Resources"]) <= defined
        for resource in template["Resources"].values():
            for key, value in properties(resource.get("Properties", {})):
                if key in REFERENCES and name not in WITH_ACCOUNTS:
                    assert referenced(value), f"{key} of a {resource['Type']} is {value}"


@pytest.mark.parametrize("name", [path.stem for path in EXAMPLES if path.stem not in BY_NAMES])
def test_cloudformation_generates_names(assemblies, name):
    for template in templates_of(assemblies[name]).values():
        for resource in template["Resources"].values():
            named = {
                k: v
                for k, v in resource.get("Properties", {}).items()
                if k in PHYSICAL_NAMES and isinstance(v, str) and not OF_A_MODEL.fullmatch(v)
            }
            assert named == {}, resource["Type"]


@pytest.mark.parametrize("name", [path.stem for path in EXAMPLES if path.stem not in WITH_ACCOUNTS])
def test_stacks_are_agnostic_of_account_region_and_partition(assemblies, name):
    for file, template in templates_of(assemblies[name]).items():
        text = json.dumps(template["Resources"])
        assert not re.search(r"\b\d{12}\b|\b(eu|us)-[a-z]+-\d\b", text), file
        assert "arn:aws:" not in text, file


@pytest.mark.slow
def test_cfn_lint_reports_nothing(assemblies):
    templates = [path for assembly in assemblies.values() for path in security.templates_in(assembly)]
    # The other environments of the same stacks; cfn-lint takes a second for each.
    templates = [path for path in templates if not path.name.startswith(("acme-dev-", "acme-staging-"))]
    assert len(templates) >= len(EXAMPLES)
    assert [str(finding) for finding in security.cfn_lint_findings(templates)] == []
