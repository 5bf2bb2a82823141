"""What an environment needs of its account, computed from the synthesized templates and from model.yaml.

Nothing is listed by hand but the names that AWS gives to its services and quotas.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from model_factory.config import ModelConfig

from .assembly import Stack

SERVICE_OF_NAMESPACE = {
    "CloudWatch": "cloudwatch",
    "SecretsManager": "secretsmanager",
    "CodeStarConnections": "codestar-connections",
}
"""Ids in AWS's public parameters that are not the namespace of the resource types in lower case."""
ALWAYS = ("cloudformation", "ecr", "sts", "s3", "iam", "ssm")
"""Services that every deployment uses: stacks, images of jobs, roles, assets."""
USAGES = {
    "Processing": "processing job",
    "Training": "training job",
    "Tuning": "training job",
    "Transform": "transform job",
}
"""Step type of a pipeline -> the words in the names of SageMaker's quotas."""
SPOT = "spot training job"
WARM_POOL = "training warm pool"
ENDPOINT = "endpoint"


@dataclass(frozen=True)
class Instances:
    """Instances of one type for one usage. `least`: what one job, or all endpoints with one update, need; `most`: all at once."""

    usage: str
    kind: str
    least: int
    most: int

    @property
    def quota_name(self) -> str:
        """Name of the SageMaker quota."""
        return f"{self.kind} for {self.usage} usage"


@dataclass
class Needs:
    """What the stacks of one environment need.

    `resources` counts resources by type. `named` are (type, name) of resources with a name of our own, by stack.
    `boundaries` are ARNs of permissions boundaries. `zones`
    are the zones of subnets: names, or indexes into the region's zones; `interface_services` are the VPC endpoints' services.
    `peers`: a training has several instances, which connect to each other.
    """

    resources: Counter[str] = field(default_factory=Counter[str])
    named: dict[str, list[tuple[str, str]]] = field(default_factory=dict[str, list[tuple[str, str]]])
    parameters: set[str] = field(default_factory=set[str])
    images: set[str] = field(default_factory=set[str])
    boundaries: set[str] = field(default_factory=set[str])
    zones: list[str | int] = field(default_factory=list[str | int])
    interface_services: set[str] = field(default_factory=set[str])
    instances: list[Instances] = field(default_factory=list[Instances])
    scaling: bool = False
    peers: bool = False

    @property
    def services(self) -> list[str]:
        """Ids of the AWS services, as in /aws/service/global-infrastructure."""
        namespaces = {kind.split("::")[1] for kind in self.resources if kind.startswith("AWS::")}
        services = {SERVICE_OF_NAMESPACE.get(each, each.lower()) for each in namespaces - {"CDK"}}
        return sorted(services | set(ALWAYS) | ({"application-autoscaling"} if self.scaling else set()))


NAME_PROPERTIES = {
    "AWS::S3::Bucket": "BucketName",
    "AWS::IAM::Role": "RoleName",
    "AWS::SQS::Queue": "QueueName",
    "AWS::KMS::Alias": "AliasName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::SageMaker::ModelPackageGroup": "ModelPackageGroupName",
    "AWS::SageMaker::Pipeline": "PipelineName",
    "AWS::SSM::Parameter": "Name",
}
"""Types with a name that CloudFormation refuses when it exists, and the property that has it."""


def needs_of(stacks: Iterable[Stack], models: Mapping[str, ModelConfig]) -> Needs:
    """The needs of these stacks. `models`: the models of the project, for their endpoints, which no template has."""
    needs, jobs = Needs(), list[tuple[str, str, int]]()
    for stack in stacks:
        parameters = stack.template.get("Parameters", {}).values()
        values = [
            each["Default"] for each in parameters if str(each.get("Type")).startswith("AWS::SSM::Parameter::Value")
        ]
        needs.parameters |= {value for value in values if value != stack.bootstrap_parameter}
        for resource in stack.template.get("Resources", {}).values():
            kind, properties = resource["Type"], resource.get("Properties", {})
            needs.resources[kind] += 1
            name = properties.get(NAME_PROPERTIES.get(kind, ""))
            if isinstance(name, str):
                needs.named.setdefault(stack.name, []).append((kind, name))
            if isinstance(boundary := properties.get("PermissionsBoundary"), str):
                needs.boundaries.add(boundary)
            if kind == "AWS::SageMaker::Pipeline":
                definition = _definition(properties)
                jobs += _jobs(definition)
                needs.images |= set(_values(definition, ("ImageUri", "TrainingImage", "Image")))
            elif kind == "AWS::EC2::Subnet":
                needs.zones.append(_zone(properties.get("AvailabilityZone"), len(needs.zones)))
            elif kind == "AWS::EC2::VPCEndpoint" and properties.get("VpcEndpointType") == "Interface":
                needs.interface_services.add(str(properties["ServiceName"]))
    needs.scaling = any(most > least for _, least, most in _endpoints(models))
    needs.peers = any(model.training.instance_count > 1 for model in models.values())
    needs.instances = [*_job_instances(jobs), *_endpoint_instances(models)]
    return needs


def _job_instances(jobs: list[tuple[str, str, int]]) -> Iterator[Instances]:
    for usage, kind in sorted({(usage, kind) for usage, kind, _ in jobs}):
        counts = [count for each, other, count in jobs if (each, other) == (usage, kind)]
        yield Instances(usage, kind, max(counts), sum(counts))


def _endpoint_instances(models: Mapping[str, ModelConfig]) -> Iterator[Instances]:
    """An update runs a second fleet beside the first one; each has an instance, also where there is none afterwards."""
    endpoints = list(_endpoints(models))
    for kind in sorted({kind for kind, _, _ in endpoints}):
        limits = [(max(1, least), most) for each, least, most in endpoints if each == kind]
        yield Instances(
            ENDPOINT, kind, sum(least for least, _ in limits) + max(limits)[0], sum(2 * most for _, most in limits)
        )


def _endpoints(models: Mapping[str, ModelConfig]) -> Iterator[tuple[str, int, int]]:
    """Instance type, minimum and maximum of each endpoint on instances."""
    for serving in (model.serving for model in models.values()):
        if serving.mode == "realtime":
            yield serving.instance, serving.scaling.minimum, serving.scaling.maximum
        elif serving.mode == "async":
            yield serving.instance, serving.async_.minimum, serving.async_.maximum


def _definition(properties: Mapping[str, Any]) -> Any:
    """A pipeline's definition, parameters with their defaults; a value that only the deployment knows is the text `?`."""
    body = properties["PipelineDefinition"].get("PipelineDefinitionBody", "{}")
    if isinstance(body, dict):
        body = "".join(part if isinstance(part, str) else "?" for part in body["Fn::Join"][1])
    definition = json.loads(body)
    defaults = {each["Name"]: each.get("DefaultValue", "?") for each in definition.get("Parameters", [])}
    return _with_defaults(definition, defaults)


def _with_defaults(part: Any, defaults: Mapping[str, Any]) -> Any:
    if isinstance(part, list):
        return [_with_defaults(each, defaults) for each in part]
    if isinstance(part, dict):
        name = str(part.get("Get", "")).removeprefix("Parameters.")
        return defaults[name] if name in defaults else {k: _with_defaults(v, defaults) for k, v in part.items()}
    return part


def _jobs(part: Any) -> Iterator[tuple[str, str, int]]:
    """(usage, instance type, instances) of each job of a definition."""
    if isinstance(part, list):
        for each in part:
            yield from _jobs(each)
    elif isinstance(part, dict):
        if part.get("Type") in USAGES and "Arguments" in part:
            arguments: dict[str, Any] = part["Arguments"]
            limits = arguments.get("HyperParameterTuningJobConfig", {}).get("ResourceLimits", {})
            for cluster in _clusters(arguments):
                count = int(cluster.get("InstanceCount", 1)) * int(limits.get("MaxParallelTrainingJobs", 1))
                spot = arguments.get("TrainingJobDefinition", arguments).get("EnableManagedSpotTraining")
                yield SPOT if spot else USAGES[part["Type"]], cluster["InstanceType"], count
                if cluster.get("KeepAlivePeriodInSeconds"):
                    yield WARM_POOL, cluster["InstanceType"], count
        else:
            for each in part.values():
                yield from _jobs(each)


def _clusters(part: Any) -> Iterator[dict[str, Any]]:
    if isinstance(part, dict):
        if isinstance(part.get("InstanceType"), str):
            yield part
        for each in part.values():
            yield from _clusters(each)


def _values(part: Any, keys: tuple[str, ...]) -> Iterator[str]:
    if isinstance(part, list):
        for each in part:
            yield from _values(each, keys)
    elif isinstance(part, dict):
        for key, each in part.items():
            if key in keys and isinstance(each, str) and ".dkr.ecr." in each:
                yield each
            else:
                yield from _values(each, keys)


def _zone(zone: Any, position: int) -> str | int:
    """A zone's name, or its index in the region's list: `Fn::Select` of `Fn::GetAZs`."""
    if isinstance(zone, dict) and "Fn::Select" in zone:
        return int(zone["Fn::Select"][0])
    return zone if isinstance(zone, str) else position
