"""Deployed definitions against the JSON schema that AWS published for the format.

The schema is not part of this repository: PIPELINE_DEFINITION_SCHEMA is its path. Members that are newer than the schema
are removed here; botocore's service model checks them at synth.
"""

import json
import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DEFAULT = ROOT.parent / "shared" / "conformance" / "pipeline-definition.schema.json"
SCHEMA = Path(os.environ.get("PIPELINE_DEFINITION_SCHEMA", DEFAULT))
UNKNOWN_TO_THE_SCHEMA = {
    "Processing": [("PropertyFiles",)],
    "Training": [
        ("Arguments", "Environment"),
        ("Arguments", "AlgorithmSpecification", "ContainerArguments"),
        ("Arguments", "AlgorithmSpecification", "ContainerEntrypoint"),
        ("Arguments", "ResourceConfig", "KeepAlivePeriodInSeconds"),
    ],
    "Tuning": [
        ("Arguments", "HyperParameterTuningJobConfig", "RandomSeed"),
        ("Arguments", "TrainingJobDefinition", "Environment"),
    ],
    "RegisterModel": [
        ("Arguments", "CustomerMetadataProperties"),
        ("Arguments", "DriftCheckBaselines"),
        ("Arguments", "ModelApprovalStatus"),
        ("Arguments", "InferenceSpecification", "Containers", 0, "Environment"),
        ("Arguments", "InferenceSpecification", "Containers", 0, "Framework"),
    ],
}

pytestmark = pytest.mark.skipif(not SCHEMA.is_file(), reason="PIPELINE_DEFINITION_SCHEMA is not given")


def without_functions(value):
    """Std:Join with On and Std:JsonGet came after the schema; a Get stands for them."""
    if isinstance(value, dict):
        if value.keys() & {"Std:Join", "Std:JsonGet"}:
            return {"Get": "Parameters.Any"}
        return {key: without_functions(item) for key, item in value.items()}
    return [without_functions(item) for item in value] if isinstance(value, list) else value


def without_what_is_newer(step):
    for *path, last in UNKNOWN_TO_THE_SCHEMA.get(step["Type"], []):
        place = step
        for part in path:
            place = place[part]
        place.pop(last, None)
    for policy in step.get("RetryPolicies", []):
        (policy["ExceptionType"], *_) = policy["ExceptionType"]
    for branch in ("IfSteps", "ElseSteps"):
        for inner in step["Arguments"].get(branch, []):
            without_what_is_newer(inner)


def mistakes(definition):
    from jsonschema import Draft7Validator

    definition = without_functions(definition)
    for step in definition["Steps"]:
        without_what_is_newer(step)
    schema = json.loads(SCHEMA.read_text())
    return [error.message for error in Draft7Validator(schema).iter_errors(definition)]


@pytest.mark.parametrize("pipeline", ["train", "monitor"])
def test_definition_matches_published_schema(model, pipeline):
    assert mistakes(model.definition(f"acme-prod-churn-{pipeline}")) == []


def test_definition_with_tuning_matches_published_schema(tuned_model):
    assert mistakes(tuned_model.definition("acme-test-offers-train")) == []
