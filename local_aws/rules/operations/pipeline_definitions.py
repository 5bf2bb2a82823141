"""SageMaker: definitions that are given to the API, held against the rules of definitions in templates."""

from dataclasses import replace
from typing import Any

from ..resource_types import pipelines
from ..resource_types.pipeline_checks import (
    cycle,
    many_parameters,
    many_steps,
    property_file,
    unknown_parameter,
    unknown_step,
    unknown_step_type,
    unknown_variable,
    wrong_name,
    wrong_parameter,
)
from ..rule import Entry, Params, Rule

CHECKS = (
    *(cycle, many_parameters, many_steps, property_file, unknown_parameter, unknown_step, unknown_step_type),
    *(unknown_variable, wrong_name, wrong_parameter),
)
"""What is checked of a definition alone."""


def _request(properties: Params) -> dict[str, Any]:
    """Parameters of CreatePipeline with a template's definition."""
    return {
        "PipelineName": "new",
        "RoleArn": properties["RoleArn"],
        "ClientRequestToken": "a" * 32,
        "PipelineDefinition": properties["PipelineDefinition"]["PipelineDefinitionBody"],
    }


ENTRIES: tuple[Entry, ...] = tuple(
    replace(
        each,
        service="sagemaker",
        operation="CreatePipeline UpdatePipeline",
        accepted=_request(each.accepted),
        refused=_request(each.refused),
    )
    for each in pipelines.ENTRIES
    if isinstance(each, Rule) and each.check in CHECKS
)
