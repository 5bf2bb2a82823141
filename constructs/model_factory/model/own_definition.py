"""The definition that is deployed: an own pipeline with the environment's names, policy, network and encryption filled in.

What the pipeline says itself stays as it is, except the status of approval, which is the environment's policy.
"""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from ..definition import Execution, Parameter
from ..definition.functions import render
from ..own_pipeline import placeholders
from ..own_pipeline.steps import known_value, parameter_defaults, walk
from ..own_pipeline.synthesis import Synthesized
from . import own_uris
from .instance_types import has_local_storage
from .props import ModelProps
from .registration import OFFLINE
from .triggers import CODE_PARAMETER, REASON, TRIGGER

_OFFLINE = "sagemaker-scikit-learn"
"""The repository of AWS's image that installs its code with pip when it starts (docs/reference/contracts.md)."""


def deployed_definition(own: Synthesized, props: ModelProps, job_role_arn: str, code_uri: str) -> dict[str, Any]:
    """The definition for one environment; CDK tokens in it are still unresolved.

    Args:
        own: The pipeline.
        props: The model.
        job_role_arn: ARN of the role of its jobs.
        code_uri: S3 URI of the folder with its code.
    """
    definition = {name: value for name, value in deepcopy(own.definition).items() if value is not None}
    # Experiments are no part of lineage here, and need permissions that nothing else needs.
    definition.pop("PipelineExperimentConfig", None)
    parameters = definition.setdefault("Parameters", [])
    _set_defaults(parameters, props)
    declared = {each["Name"] for each in parameters}
    added = (TRIGGER, REASON, Parameter(CODE_PARAMETER, props.code_uri))
    parameters += [each.declaration() for each in added if each.name not in declared]
    defaults = parameter_defaults(definition)
    for step in walk(definition["Steps"]):
        _fill_in(step, props, defaults)
    return _with_names(definition, props, job_role_arn, code_uri)


def _set_defaults(parameters: list[dict[str, Any]], props: ModelProps) -> None:
    places = {
        "{raw_uri}": props.uri("data", "raw"),
        "{data_uri}": props.uri("data"),
        "{artifacts_uri}": props.uri("artifacts", "executions"),
        "{environment}": props.environment_names.environment,
    }
    given: Mapping[str, Any] = props.config.pipeline.parameters if props.config.pipeline else {}
    for parameter in parameters:
        if parameter["Name"] in given:
            value = given[parameter["Name"]]
            for place, text in places.items():
                value = value.replace(place, text) if isinstance(value, str) else value
            parameter["DefaultValue"] = value


def _fill_in(step: dict[str, Any], props: ModelProps, defaults: Mapping[str, Any]) -> None:
    """What the environment demands, where the step does not say it itself."""
    arguments = step.get("Arguments", {})
    match step["Type"]:
        case "Processing":
            _encrypt_output(arguments.setdefault("ProcessingOutputConfig", {"Outputs": []}), props)
            _encrypt_volume(arguments["ProcessingResources"]["ClusterConfig"], props, defaults)
            if props.vpc:
                arguments.setdefault("NetworkConfig", {}).setdefault("VpcConfig", props.vpc.vpc_config)
            _tag(arguments, props)
        case "Training":
            _fill_in_training(arguments, props, defaults)
            _tag(arguments, props)
        case "Tuning":
            for training in (
                *arguments.get("TrainingJobDefinitions", []),
                *([arguments["TrainingJobDefinition"]] if "TrainingJobDefinition" in arguments else []),
            ):
                _fill_in_training(training, props, defaults)
            _tag(arguments, props)
        case "Transform":
            _encrypt_output(arguments["TransformOutput"], props)
            _encrypt_volume(arguments["TransformResources"], props, defaults)
            _tag(arguments, props)
        case "Model":
            if props.vpc:
                arguments.setdefault("VpcConfig", props.vpc.vpc_config)
            _tag(arguments, props)
        case "RegisterModel":
            _register(arguments, props)
        case _:
            pass


def _tag(arguments: dict[str, Any], props: ModelProps) -> None:
    """Add the model's tags to those of the step."""
    own = arguments.get("Tags", [])
    given = {tag["Key"] for tag in own}
    arguments["Tags"] = [*own, *(tag for tag in props.tags if tag["Key"] not in given)]


def _fill_in_training(arguments: dict[str, Any], props: ModelProps, defaults: Mapping[str, Any]) -> None:
    _encrypt_output(arguments["OutputDataConfig"], props)
    if "ResourceConfig" in arguments:
        _encrypt_volume(arguments["ResourceConfig"], props, defaults)
    if props.vpc:
        arguments.setdefault("VpcConfig", props.vpc.vpc_config)


def _encrypt_output(output: dict[str, Any], props: ModelProps) -> None:
    if props.key_arn:
        output.setdefault("KmsKeyId", props.key_arn)


def _encrypt_volume(resources: dict[str, Any], props: ModelProps, defaults: Mapping[str, Any]) -> None:
    """Encrypt the volume, unless the instance type has disks of its own or is only known later."""
    instance = known_value(resources.get("InstanceType"), defaults)
    if props.key_arn and isinstance(instance, str) and "." in instance and not has_local_storage(instance):
        resources.setdefault("VolumeKmsKeyId", props.key_arn)


def _register(arguments: dict[str, Any], props: ModelProps) -> None:
    """The version is approved by the environment's policy, and says what it was made of."""
    if arguments.get("ModelApprovalStatus") != "Rejected":
        arguments["ModelApprovalStatus"] = "Approved" if props.approval == "automatic" else "PendingManualApproval"
    lineage = {
        "code_digest": props.code.digest,
        "git_commit": props.code.git_commit,
        "trigger": TRIGGER,
        "pipeline_execution": Execution.ARN,
    }
    own = arguments.get("CustomerMetadataProperties", {})
    arguments["CustomerMetadataProperties"] = {**render(lineage), **own}
    if props.vpc:
        for container in arguments.get("InferenceSpecification", {}).get("Containers", []):
            if f"/{_OFFLINE}:" in str(container.get("Image")):
                container["Environment"] = OFFLINE | container.get("Environment", {})


def _with_names(definition: dict[str, Any], props: ModelProps, job_role_arn: str, code_uri: str) -> Any:
    artifacts = props.bucket("artifacts").bucket_name
    role = placeholders.role_arn(props.environment_names.region)
    definition = own_uris.place_uris(definition, executions=props.uri("artifacts", "executions"), code=code_uri)
    names = {
        role: job_role_arn,
        placeholders.GROUP: props.names.model_package_group,
        placeholders.PIPELINE: props.names.training_pipeline,
        placeholders.BUCKET: artifacts,
        placeholders.ACCOUNT: props.environment_names.account,
    }

    def text(value: str) -> str:
        for placeholder, name in names.items():
            value = value.replace(placeholder, name)
        return value

    return placeholders.map_strings(definition, text)
