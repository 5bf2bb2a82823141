"""Trains a version again on AWS, with a pipeline of its own that registers nothing."""

import json
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from model_factory.functions.shared.errors import is_missing
from model_factory.functions.shared.s3 import split_uri

from ..operations.executions import follow
from ..project import EnvironmentSession, UsageError
from . import definition as definitions
from .failures import CannotRebuild
from .recorded import Recorded
from .staging import Staged, stage

FIRST = 1
"""Version of a pipeline that was just created: CreatePipeline does not answer it."""


def home_of(session: EnvironmentSession, recorded: Recorded) -> EnvironmentSession:
    """The environment that has the version's data: the first one of a promoted version. Raises CannotRebuild."""
    prepare, _ = definitions.training_steps(recorded.definition)
    data, _ = split_uri(prepare["Arguments"]["Environment"]["DATA_URI"])
    for environment in session.project.factory.environments:
        if session.project.factory.names(environment).bucket("data") == data:
            return session.project.environment(environment.name)
    raise CannotRebuild(f"its data is in the bucket {data}, which is of no environment in factory.yaml")


def rebuild(home: EnvironmentSession, recorded: Recorded, log: Callable[[str], None]) -> dict[str, Any]:
    """Train the version again and compare; the content of verdict.json.

    `log` gets a line for each step that starts or ends. Raises CannotRebuild when a step fails, with its reason.
    """
    parameters = _parameters(home)
    staged = stage(home, recorded, uuid.uuid4().hex)
    definition = definitions.rebuild_definition(recorded.definition, _place(home, parameters, staged, recorded))
    execution = _start(home, recorded, definition, parameters["role_arn"])
    log(f"started {execution}")
    ended = follow(home, execution, definitions.longest_seconds(definition), log)
    if ended.status != "Succeeded":
        raise CannotRebuild(ended.reason or f"the execution {execution} was stopped")
    bucket, prefix = split_uri(staged.rebuilds_uri)
    key = f"{prefix}/{execution.rpartition('/')[2]}/verdict/verdict.json"
    verdict = json.loads(home.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())
    return verdict | {"execution": execution, "verdict_uri": f"s3://{bucket}/{key}"}


def _parameters(home: EnvironmentSession) -> dict[str, Any]:
    ssm, name = home.client("ssm"), home.names.rebuild_parameter
    try:
        return json.loads(ssm.get_parameter(Name=name)["Parameter"]["Value"])
    except ssm.exceptions.ParameterNotFound:
        stack = home.names.foundation_stack
        raise UsageError(
            f"there is no parameter {name}; deploy the environment with this version: cdk deploy {stack}"
        ) from None


def _place(
    home: EnvironmentSession, parameters: Mapping[str, Any], staged: Staged, recorded: Recorded
) -> definitions.Place:
    return definitions.Place(
        home.environment.region,
        staged.rebuilds_uri,
        staged.folder_uri,
        staged.manifest_uri,
        parameters["job_role_arn"],
        parameters["kms_key_arn"],
        parameters.get("vpc_config"),
        # The image of another region, from which a version was promoted, has the same digest.
        recorded.image_digest,
    )


def _start(home: EnvironmentSession, recorded: Recorded, definition: Mapping[str, Any], role_arn: str) -> str:
    """Start an execution of exactly this definition; its ARN. Others may update the pipeline at the same time."""
    sagemaker, name = home.client("sagemaker"), home.names.model(recorded.model).rebuild_pipeline
    body = {"PipelineName": name, "PipelineDefinition": definitions.pipeline_bytes(definition), "RoleArn": role_arn}
    try:
        number = sagemaker.update_pipeline(**body)["PipelineVersionId"]
    except ClientError as error:
        if not is_missing(error):
            raise
        number = FIRST if _create(sagemaker, body) else sagemaker.update_pipeline(**body)["PipelineVersionId"]
    return sagemaker.start_pipeline_execution(
        PipelineName=name,
        PipelineVersionId=number,
        PipelineExecutionDescription=f"version {recorded.version} of {recorded.model}, trained again",
    )["PipelineExecutionArn"]


def _create(sagemaker: Any, body: Mapping[str, Any]) -> bool:
    """Create the pipeline; False when another person created it just now."""
    try:
        sagemaker.create_pipeline(**body, PipelineDescription="Trains versions again, to compare; registers nothing")
    except ClientError as error:
        if "already exists" not in str(error):
            raise
        return False
    return True
