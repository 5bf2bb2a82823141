"""Resolution of the functions in a pipeline definition."""

import pytest

from local_aws.sagemaker.pipelines.values import Scope
from local_aws.sagemaker.state import ServiceError


@pytest.fixture
def scope():
    files = {("Evaluate", "Evaluation"): {"metrics": [{"auc": 0.9}], "a b": {"c": 1}}}
    made = Scope({"Limit": 0.8, "Name": "x"}, {"PipelineExecutionId": "abc"}, lambda step, name: files[step, name])
    made.steps["Prepare"] = {
        "ProcessingOutputConfig": {"Outputs": [{"OutputName": "train", "S3Output": {"S3Uri": "s3://b/train"}}]}
    }
    return made


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Get": "Parameters.Limit"}, 0.8),
        ({"Get": "Execution.PipelineExecutionId"}, "abc"),
        ({"Get": "Steps.Prepare.ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri"}, "s3://b/train"),
        ({"Get": "Steps.Prepare.ProcessingOutputConfig.Outputs[0].S3Output.S3Uri"}, "s3://b/train"),
        ({"Std:Join": {"On": "/", "Values": ["a", {"Get": "Parameters.Name"}, 3]}}, "a/x/3"),
        ({"Std:Join": {"Values": ["a", "b"]}}, "ab"),
        ({"deep": [{"Get": "Parameters.Name"}, "kept"]}, {"deep": ["x", "kept"]}),
    ],
)
def test_scope_resolves_functions(scope, value, expected):
    assert scope.resolve(value) == expected


@pytest.mark.parametrize(("path", "expected"), [("metrics[0].auc", 0.9), ("['a b'].c", 1)])
def test_json_get_reads_property_file(scope, path, expected):
    get = {"PropertyFile": {"Get": "Steps.Evaluate.PropertyFiles.Evaluation"}, "Path": path}
    assert scope.resolve({"Std:JsonGet": get}) == expected


def test_missing_property_is_named(scope):
    with pytest.raises(ServiceError, match="'Outptus'"):
        scope.resolve({"Get": "Steps.Prepare.ProcessingOutputConfig.Outptus"})


def compare(kind, left, right):
    return {"Type": kind, "LeftValue": left, "RightValue": right}


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        (compare("Equals", {"Get": "Parameters.Name"}, "x"), True),
        (compare("GreaterThan", 1, 1), False),
        (compare("GreaterThanOrEqualTo", 1, 1), True),
        (compare("LessThan", 1, 1), False),
        (compare("LessThanOrEqualTo", {"Get": "Parameters.Limit"}, 0.8), True),
        ({"Type": "Not", "Expression": compare("Equals", 1, 2)}, True),
        ({"Type": "Or", "Conditions": [compare("Equals", 1, 2), compare("Equals", 1, 1)]}, True),
        ({"Type": "Or", "Conditions": [compare("Equals", 1, 2)]}, False),
        ({"Type": "In", "QueryValue": {"Get": "Parameters.Name"}, "Values": ["x", "y"]}, True),
        ({"Type": "In", "QueryValue": "z", "Values": ["x", "y"]}, False),
    ],
)
def test_conditions(scope, condition, holds):
    assert scope.holds(condition) is holds


def test_unknown_condition_is_refused_by_name(scope):
    with pytest.raises(ServiceError, match="Sounds"):
        scope.holds(compare("Sounds", 1, 1))
