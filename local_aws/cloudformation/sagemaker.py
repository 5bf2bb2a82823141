"""SageMaker pipelines and model package groups."""

import json
import uuid
from typing import Any

from .resource_types import Context, Physical, Properties, ResourceType, request


def _pipeline(properties: Properties, name: str) -> dict[str, Any]:
    definition = properties["PipelineDefinition"]
    if "PipelineDefinitionBody" not in definition:
        raise ValueError("AWS::SageMaker::Pipeline: the embedded AWS supports PipelineDefinitionBody only")
    body = definition["PipelineDefinitionBody"]
    made = {key: value for key, value in properties.items() if key not in ("PipelineDefinition", "Tags")}
    made |= {"PipelineName": name, "PipelineDefinition": body if isinstance(body, str) else json.dumps(body)}
    return made


def _create_pipeline(sagemaker: Any, properties: Properties, context: Context) -> Physical:
    name = properties.get("PipelineName") or context.name
    made = _pipeline(properties, name) | {"ClientRequestToken": uuid.uuid4().hex, "Tags": properties.get("Tags", [])}
    sagemaker.create_pipeline(**request("sagemaker", "CreatePipeline", made))
    return Physical(name, {"PipelineName": name})


def _update_pipeline(sagemaker: Any, physical: Physical, properties: Properties, context: Context) -> Physical:
    sagemaker.update_pipeline(**request("sagemaker", "UpdatePipeline", _pipeline(properties, physical.identifier)))
    return physical


def _create_group(sagemaker: Any, properties: Properties, context: Context) -> Physical:
    made = request("sagemaker", "CreateModelPackageGroup", properties, ignore=("ModelPackageGroupPolicy",))
    arn = sagemaker.create_model_package_group(**made)["ModelPackageGroupArn"]
    return Physical(arn, {"ModelPackageGroupArn": arn, "ModelPackageGroupName": made["ModelPackageGroupName"]})


def _update_group(sagemaker: Any, physical: Physical, properties: Properties, context: Context) -> Physical:
    """Update tags and the resource policy; the name and the description are create-only."""
    if properties.get("Tags"):
        sagemaker.add_tags(ResourceArn=physical.identifier, Tags=properties["Tags"])
    kept = {tag["Key"] for tag in properties.get("Tags", [])}
    if gone := [tag["Key"] for tag in context.before.get("Tags", []) if tag["Key"] not in kept]:
        sagemaker.delete_tags(ResourceArn=physical.identifier, TagKeys=gone)
    return physical


TYPES = [
    ResourceType(
        "AWS::SageMaker::Pipeline",
        "sagemaker",
        _create_pipeline,
        lambda sagemaker, physical: sagemaker.delete_pipeline(PipelineName=physical.identifier),
        _update_pipeline,
        "PipelineName",
    ),
    ResourceType(
        "AWS::SageMaker::ModelPackageGroup",
        "sagemaker",
        _create_group,
        lambda sagemaker, physical: sagemaker.delete_model_package_group(
            ModelPackageGroupName=physical.identifier.rsplit("/", 1)[-1]
        ),
        _update_group,
        "ModelPackageGroupName",
    ),
]
