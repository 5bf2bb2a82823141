"""The pipeline that trains a version again, made from the definition of the execution that trained it.

Prepare and Train keep their recorded arguments: image, instance, hyperparameters, environment. Only where they read and write,
and by whose permissions, is replaced. There is no step that registers.
"""

import copy
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from model_factory.config import hyperparameters

from .failures import CannotRebuild

type Data = dict[str, Any]

EXECUTION_ID = {"Get": "Execution.PipelineExecutionId"}
COMPARE_ZIP = "compare.zip"
_INPUT = "/opt/ml/processing/input"
_OUTPUT = "/opt/ml/processing/output"


@dataclass(frozen=True)
class Place:
    """Where a version is trained again, and from which files.

    Args:
        region: Region of the environment.
        rebuilds_uri: `s3://<artifacts>/_rebuilds/<model>`; everything is written below it.
        staged_uri: Folder below it with the code (`code/`), compare's code (`compare/`) and the request (`request/`).
        manifest_uri: The manifest of the version's data.
        job_role_arn: Role of the jobs.
        kms_key_arn: Key of volumes and outputs.
        vpc_config: Subnets and security groups of the jobs. Default: None, outside of a VPC.
        image_digest: Digest of the jobs' image, as a tag can be moved to another image. Default: None, the recorded URI.
    """

    region: str
    rebuilds_uri: str
    staged_uri: str
    manifest_uri: str
    job_role_arn: str
    kms_key_arn: str
    vpc_config: Data | None = None
    image_digest: str | None = None


def training_steps(definition: Mapping[str, Any]) -> tuple[Data, Data]:
    """The steps Prepare and Train. Raises CannotRebuild when the pipeline is another one."""
    steps = {(step["Name"], step["Type"]): step for step in definition.get("Steps", ())}
    try:
        return steps["Prepare", "Processing"], steps["Train", "Training"]
    except KeyError:
        names = ", ".join(name for name, _ in steps) or "none"
        raise CannotRebuild(
            f"the pipeline that trained it has no steps Prepare and Train of Model Factory (its steps: {names}), so what "
            "they did cannot be repeated"
        ) from None


def code_uri(definition: Mapping[str, Any]) -> str:
    """S3 URI of the zip that trained the version. Raises CannotRebuild."""
    _, train = training_steps(definition)
    return _channel(train["Arguments"], "code")["S3Uri"]


def code_name(definition: Mapping[str, Any]) -> str:
    """Name of the zip in the containers, which the recorded commands run. Raises CannotRebuild."""
    return code_uri(definition).rpartition("/")[2]


def instance_count(definition: Mapping[str, Any]) -> int:
    """Number of instances that trained the version. Raises CannotRebuild."""
    _, train = training_steps(definition)
    return train["Arguments"].get("ResourceConfig", {}).get("InstanceCount", 1)


def with_hyperparameters(definition: Mapping[str, Any], facts: Mapping[str, Any] | None) -> Data:
    """The definition with the hyperparameters that a tuning job chose, so that nothing has to be tuned again.

    `facts`: of the training job, which has them. Raises CannotRebuild without them.
    """
    found, chosen = copy.deepcopy(dict(definition)), (facts or {}).get("hyperparameters") or {}
    for step in found.get("Steps", ()):
        given = step.get("Arguments", {}).get("HyperParameters", {}) if step["Type"] == "Training" else {}
        tuned = [name for name, value in given.items() if not isinstance(value, str)]
        if missing := sorted(set(tuned) - set(chosen)):
            raise CannotRebuild(
                f"a tuning job chose {', '.join(missing)}, and the facts of the training job, which have the values, are gone"
            )
        given |= {name: hyperparameters.text(chosen[name]) for name in tuned}
    return found


def rebuild_definition(original: Mapping[str, Any], place: Place) -> Data:
    """The definition that trains a version again at `place`. Raises CannotRebuild."""
    prepare, train = (copy.deepcopy(step) for step in training_steps(original))
    _settle_prepare(prepare["Arguments"], place, code_name(original))
    _settle_train(train["Arguments"], place, code_name(original))
    steps = [prepare, train, _compare(prepare["Arguments"], train["Arguments"], place)]
    used = set(_references(steps))
    parameters = [each for each in original.get("Parameters", ()) if f"Parameters.{each['Name']}" in used]
    return {"Version": original["Version"], "Metadata": {}, "Parameters": parameters, "Steps": steps}


def pipeline_bytes(definition: Mapping[str, Any]) -> str:
    """The text of a definition."""
    return json.dumps(definition, separators=(",", ":"))


def longest_seconds(definition: Mapping[str, Any]) -> int:
    """The time after which SageMaker has stopped every job of the pipeline, with an hour for what is around them."""
    limits = (step["Arguments"].get("StoppingCondition", {}) for step in definition["Steps"])
    return sum(limit.get("MaxRuntimeInSeconds", 86_400) for limit in limits) + 3600


def _settle_prepare(arguments: Data, place: Place, code: str) -> None:
    arguments["RoleArn"] = place.job_role_arn
    _pin(arguments["AppSpecification"], "ImageUri", place.image_digest)
    arguments["Environment"] |= {"DATA_MANIFEST": place.manifest_uri}
    for given in arguments["ProcessingInputs"]:
        if given["InputName"] == "code":
            given["S3Input"]["S3Uri"] = f"{place.staged_uri}/code/{code}"
    config = arguments["ProcessingOutputConfig"]
    for output in config["Outputs"]:
        output["S3Output"]["S3Uri"] = _below(place, "prepare", output["OutputName"])
    _replace(config, "KmsKeyId", place.kms_key_arn)
    _replace(arguments["ProcessingResources"]["ClusterConfig"], "VolumeKmsKeyId", place.kms_key_arn)
    _set(arguments.setdefault("NetworkConfig", {}), "VpcConfig", place.vpc_config)


def _settle_train(arguments: Data, place: Place, code: str) -> None:
    arguments["RoleArn"] = place.job_role_arn
    _pin(arguments["AlgorithmSpecification"], "TrainingImage", place.image_digest)
    _channel(arguments, "code")["S3Uri"] = f"{place.staged_uri}/code/{code}"
    arguments["OutputDataConfig"]["S3OutputPath"] = _below(place, "train")
    _replace(arguments["OutputDataConfig"], "KmsKeyId", place.kms_key_arn)
    _replace(arguments["ResourceConfig"], "VolumeKmsKeyId", place.kms_key_arn)
    _set(arguments, "VpcConfig", place.vpc_config)
    # From the start, without the checkpoints of the first training, and without what only spot instances and warm pools have.
    for members, member in (
        (arguments, "CheckpointConfig"),
        (arguments, "EnableManagedSpotTraining"),
        (arguments.get("StoppingCondition", {}), "MaxWaitTimeInSeconds"),
        (arguments["ResourceConfig"], "KeepAlivePeriodInSeconds"),
    ):
        members.pop(member, None)


def _compare(prepare: Data, train: Data, place: Place) -> Data:
    """The step Compare, on the instance of Prepare with the image of Train: it scores with the version's libraries."""
    inputs = {
        "code": f"{place.staged_uri}/compare/{COMPARE_ZIP}",
        "request": f"{place.staged_uri}/request",
        "rebuilt": _below(place, "train"),
        "report": _below(place, "prepare", "report"),
    }
    arguments = {
        "ProcessingResources": copy.deepcopy(prepare["ProcessingResources"]),
        "AppSpecification": {
            "ImageUri": train["AlgorithmSpecification"]["TrainingImage"],
            "ContainerEntrypoint": ["python3", f"{_INPUT}/code/{COMPARE_ZIP}", "compare"],
        },
        "RoleArn": place.job_role_arn,
        "Environment": {"AWS_DEFAULT_REGION": place.region},
        "ProcessingInputs": [_processing_input(name, uri) for name, uri in inputs.items()],
        "ProcessingOutputConfig": {
            "KmsKeyId": place.kms_key_arn,
            "Outputs": [
                {
                    "OutputName": "verdict",
                    "S3Output": {
                        "S3Uri": _below(place, "verdict"),
                        "LocalPath": f"{_OUTPUT}/verdict",
                        "S3UploadMode": "EndOfJob",
                    },
                }
            ],
        },
        "StoppingCondition": prepare.get("StoppingCondition", {"MaxRuntimeInSeconds": 86_400}),
        "NetworkConfig": prepare["NetworkConfig"],
        **({"Tags": prepare["Tags"]} if "Tags" in prepare else {}),
    }
    return {"Name": "Compare", "Type": "Processing", "Arguments": arguments, "DependsOn": ["Prepare", "Train"]}


def _processing_input(name: str, uri: Any) -> Data:
    source = {
        "S3Uri": uri,
        "LocalPath": f"{_INPUT}/{name}",
        "S3DataType": "S3Prefix",
        "S3InputMode": "File",
        "S3DataDistributionType": "FullyReplicated",
    }
    return {"InputName": name, "S3Input": source}


def _below(place: Place, *parts: str) -> Data:
    return {"Std:Join": {"On": "/", "Values": [place.rebuilds_uri, EXECUTION_ID, *parts]}}


def _channel(train: Data, name: str) -> Data:
    for channel in train.get("InputDataConfig", ()):
        if channel["ChannelName"] == name:
            return channel["DataSource"]["S3DataSource"]
    raise CannotRebuild(f"the training job that made it has no channel {name!r}, so its code is not known")


def _pin(specification: Data, name: str, digest: str | None) -> None:
    """`<repository>@<digest>` in place of `<repository>:<tag>` (API reference, AlgorithmSpecification)."""
    if digest:
        registry, _, repository = specification[name].partition("@")[0].rpartition("/")
        specification[name] = f"{registry}/{repository.partition(':')[0]}@{digest}"


def _replace(arguments: Data, name: str, value: str) -> None:
    """Set a member that is there; instances with local storage take no volume key."""
    if name in arguments:
        arguments[name] = value


def _set(arguments: Data, name: str, value: Any) -> None:
    """Set a member, or remove it when there is no value."""
    arguments.pop(name, None)
    if value is not None:
        arguments[name] = value


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("Get"), str):
            yield value["Get"]
        for each in value.values():
            yield from _references(each)
    elif isinstance(value, list):
        for each in value:
            yield from _references(each)
