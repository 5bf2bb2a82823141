"""CodeBuild projects."""

from functools import partial
from typing import Any

from ..checks import found
from ..rule import CLOUDFORMATION, Entry, Request, Rule, Values
from .values import last, own, repeated, trusts

_PROJECT = "CodeBuild API reference, CreateProject"
_project = partial(Rule, CLOUDFORMATION, "AWS::CodeBuild::Project", code="InvalidInputException")


def _one_sided(request: Request) -> bool:
    """CODEPIPELINE is the type of both the source and the artifacts, or of neither."""
    types = [request.params.get(each, {}).get("Type") for each in ("Source", "Artifacts")]
    return (types[0] == "CODEPIPELINE") != (types[1] == "CODEPIPELINE")


def _no_location(request: Request) -> bool:
    source = request.params.get("Source", {})
    return source.get("Type") not in ("CODEPIPELINE", "NO_SOURCE") and not source.get("Location")


def _no_buildspec(request: Request) -> bool:
    source = request.params.get("Source", {})
    return source.get("Type") == "NO_SOURCE" and not source.get("BuildSpec")


def _reserved(request: Request) -> Values | None:
    names = found(request.params, "Environment.EnvironmentVariables[].Name")
    return next(({"name": each} for each in names if str(each).startswith("CODEBUILD_")), None)


def _same_variable(request: Request) -> Values | None:
    name = repeated([str(each) for each in found(request.params, "Environment.EnvironmentVariables[].Name")])
    return {"name": name} if name else None


def _cache(request: Request) -> bool:
    cache = request.params.get("Cache", {})
    return cache.get("Type") == "S3" and not cache.get("Location")


def _modes(request: Request) -> bool:
    cache = request.params.get("Cache", {})
    return cache.get("Type") == "LOCAL" and not cache.get("Modes")


def _untrusted(request: Request) -> Values | None:
    arn = str(request.params.get("ServiceRole"))
    known = arn.startswith("arn:") and own(request, arn)
    if known and not trusts(request.find("role", last(arn)), "codebuild.amazonaws.com"):
        return {"arn": arn}
    return None


def _network(request: Request) -> bool:
    config = request.params.get("VpcConfig")
    return bool(config) and not all(config.get(each) for each in ("VpcId", "Subnets", "SecurityGroupIds"))


def _built(**properties: Any) -> dict[str, Any]:
    kind = {"Type": "CODEPIPELINE"}
    role = "arn:aws:iam::123456789012:role/build"
    return {"Source": kind, "Artifacts": kind, "ServiceRole": role, "Environment": {}} | properties


def _variables(*names: str) -> dict[str, Any]:
    return {"EnvironmentVariables": [{"Name": name, "Value": "1"} for name in names]}


_TRUST = {"Statement": [{"Effect": "Allow", "Principal": {"Service": "codebuild.amazonaws.com"}}]}
_GIVEN = {"role/build": {"AssumeRolePolicyDocument": _TRUST}, "role/jobs": {"AssumeRolePolicyDocument": {}}}

ENTRIES: tuple[Entry, ...] = (
    _project(
        says="CODEPIPELINE is the type of both the source and the artifacts.",
        source=f"{_PROJECT}; words: cloudposse/terraform-aws-codebuild, issue 23",
        message="Invalid input: when using CodePipeline both sourceType, and artifactType must be set to: CODEPIPELINE",
        check=_one_sided,
        accepted=_built(),
        refused=_built(Artifacts={"Type": "NO_ARTIFACTS"}),
        given=_GIVEN,
    ),
    _project(
        says="A source has a location.",
        source="CodeBuild API reference, ProjectSource",
        message="Project source location is required",
        check=_no_location,
        accepted=_built(),
        refused=_built(Source={"Type": "S3"}, Artifacts={"Type": "NO_ARTIFACTS"}),
        given=_GIVEN,
    ),
    _project(
        says="A project without source has a buildspec.",
        source="CodeBuild API reference, ProjectSource",
        message="buildspec must be specified when source type is NO_SOURCE",
        inferred=True,
        check=_no_buildspec,
        accepted=_built(Source={"Type": "NO_SOURCE", "BuildSpec": "{}"}, Artifacts={"Type": "NO_ARTIFACTS"}),
        refused=_built(Source={"Type": "NO_SOURCE"}, Artifacts={"Type": "NO_ARTIFACTS"}),
        given=_GIVEN,
    ),
    _project(
        says="Names of environment variables do not begin with CODEBUILD_.",
        source="CodeBuild user guide, Environment variables in build environments",
        message="Environment variable name {name} is not valid: the prefix CODEBUILD_ is reserved",
        inferred=True,
        check=_reserved,
        accepted=_built(Environment=_variables("STAGE")),
        refused=_built(Environment=_variables("CODEBUILD_STAGE")),
        given=_GIVEN,
    ),
    _project(
        says="Names of environment variables are unique.",
        source="CodeBuild API reference, ProjectEnvironment",
        message="Duplicate environment variable name: {name}",
        inferred=True,
        check=_same_variable,
        accepted=_built(Environment=_variables("A", "B")),
        refused=_built(Environment=_variables("A", "A")),
        given=_GIVEN,
    ),
    _project(
        says="A cache in S3 has a location.",
        source="CodeBuild API reference, ProjectCache",
        message="Invalid cache: location must be a valid S3 bucket, followed by slash and the prefix",
        inferred=True,
        check=_cache,
        accepted=_built(Cache={"Type": "S3", "Location": "bucket/cache"}),
        refused=_built(Cache={"Type": "S3"}),
        given=_GIVEN,
    ),
    _project(
        says="A local cache has modes.",
        source="CodeBuild API reference, ProjectCache",
        message="Invalid cache: at least one local cache mode is required",
        inferred=True,
        check=_modes,
        accepted=_built(Cache={"Type": "LOCAL", "Modes": ["LOCAL_SOURCE_CACHE"]}),
        refused=_built(Cache={"Type": "LOCAL"}),
        given=_GIVEN,
    ),
    _project(
        says="A project's role trusts CodeBuild.",
        source="CodeBuild user guide, Allow CodeBuild to interact with other AWS services",
        message="CodeBuild is not authorized to perform: sts:AssumeRole on {arn}",
        check=_untrusted,
        accepted=_built(),
        refused=_built(ServiceRole="arn:aws:iam::123456789012:role/jobs"),
        given=_GIVEN,
    ),
    _project(
        says="A project in a network names the VPC, subnets and security groups.",
        source="CodeBuild API reference, VpcConfig",
        message="Invalid vpc config: vpcId, subnets and securityGroupIds are required",
        inferred=True,
        check=_network,
        accepted=_built(VpcConfig={"VpcId": "v", "Subnets": ["s"], "SecurityGroupIds": ["g"]}),
        refused=_built(VpcConfig={"VpcId": "v"}),
        given=_GIVEN,
    ),
)
