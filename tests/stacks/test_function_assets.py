"""The code assets of functions: one for all stages of an app, and a clear error for a missing folder."""

import shutil
from pathlib import Path

import pytest
from aws_cdk import App, Duration, Stack, Stage
from aws_cdk import aws_kms as kms
from aws_cdk.assertions import Template

from model_factory.core.factory_function import FactoryFunction
from model_factory.core.function_code import FunctionCodeError
from model_factory.core.names import EnvironmentNames

ROOT = Path(__file__).parents[2]


def add_function(stack: Stack, source: Path) -> None:
    names = EnvironmentNames("acme", "prod", "222222222222", "eu-west-1")
    key = kms.Key.from_key_arn(stack, "Key", "arn:aws:kms:eu-west-1:222222222222:key/0a1b")
    FactoryFunction(
        stack,
        "Retrain",
        names=names,
        purpose="retrain",
        source=source,
        key=key,
        timeout=Duration.seconds(60),
        statements=[],
    )


def code_key(stack: Stack) -> str:
    (function,) = Template.from_stack(stack).find_resources("AWS::Lambda::Function").values()
    return function["Properties"]["Code"]["S3Key"]


def test_stages_share_one_staged_folder(tmp_path):
    app = App(outdir=str(tmp_path))
    stacks = [Stack(Stage(app, name), "stack") for name in ("dev", "prod")]
    for stack in stacks:
        add_function(stack, ROOT / "lambda" / "retrain")
    assert len(list((tmp_path / "functions").iterdir())) == 1
    assert len({code_key(stack) for stack in stacks}) == 1


def test_library_folder_has_same_asset_as_source_folder(tmp_path):
    """The link in the checkout, and a copy as an installed wheel has it."""
    shutil.copytree(ROOT / "constructs" / "model_factory" / "functions", tmp_path / "installed")
    keys = set()
    for number, folder in enumerate(
        [ROOT / "lambda", ROOT / "constructs/model_factory/functions", tmp_path / "installed"]
    ):
        stack = Stack(App(outdir=str(tmp_path / f"out{number}")), "stack")
        add_function(stack, folder / "retrain")
        keys.add(code_key(stack))
    assert len(keys) == 1


def test_missing_function_folder_names_construct_and_path(tmp_path):
    with pytest.raises(
        FunctionCodeError, match=r"stack/Retrain: source: the function's folder .*/nothing does not exist"
    ):
        add_function(Stack(App(outdir=str(tmp_path)), "stack"), tmp_path / "nothing")


def test_stack_without_app_has_function_code():
    stack = Stack()
    add_function(stack, ROOT / "lambda" / "retrain")
    assert code_key(stack)
