"""CodePipeline pipelines and CodeBuild projects: CloudFormation's keys start with a capital letter, the APIs' do not."""

from typing import Any

from .resource_types import Context, Physical, Properties, ResourceType, request

# Maps whose keys are user-defined names.
_FREE = {"configuration"}


def _api(value: Any) -> Any:
    """The same value with the API's keys."""
    if isinstance(value, list):
        return [_api(item) for item in value]
    if not isinstance(value, dict):
        return value
    made: dict[str, Any] = {}
    for key, item in value.items():
        word = key[0].lower() + key[1:]
        made[word] = {k: _text(v) for k, v in item.items()} if word in _FREE else _api(item)
    return made


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _declaration(properties: Properties, name: str) -> dict[str, Any]:
    ignored = ("RestartExecutionOnUpdate", "Tags", "ArtifactStores", "DisableInboundStageTransitions")
    made = _api({key: value for key, value in properties.items() if key not in ignored}) | {"name": name}
    if stores := properties.get("ArtifactStores"):
        made["artifactStores"] = {store["Region"]: _api(store["ArtifactStore"]) for store in stores}
    for stage in made["stages"]:
        for action in stage["actions"]:
            if "runOrder" in action:
                action["runOrder"] = int(action["runOrder"])
    return request("codepipeline", "CreatePipeline", {"pipeline": made})


def _create_pipeline(codepipeline: Any, properties: Properties, context: Context) -> Physical:
    name = properties.get("Name") or context.name
    codepipeline.create_pipeline(**_declaration(properties, name))
    return Physical(name, {"Version": "1"})


def _update_pipeline(codepipeline: Any, physical: Physical, properties: Properties, context: Context) -> Physical:
    codepipeline.update_pipeline(**_declaration(properties, physical.identifier))
    if _text(properties.get("RestartExecutionOnUpdate", False)) == "true":
        codepipeline.start_pipeline_execution(name=physical.identifier)
    return physical


def _project(properties: Properties, name: str) -> dict[str, Any]:
    made = _api({key: value for key, value in properties.items() if key not in ("Tags", "Triggers", "Visibility")})
    made["source"] = {("buildspec" if key == "buildSpec" else key): value for key, value in made["source"].items()}
    return request("codebuild", "CreateProject", made | {"name": name})


def _create_project(codebuild: Any, properties: Properties, context: Context) -> Physical:
    name = properties.get("Name") or context.name
    arn = codebuild.create_project(**_project(properties, name))["project"]["arn"]
    return Physical(name, {"Arn": arn})


def _update_project(codebuild: Any, physical: Physical, properties: Properties, context: Context) -> Physical:
    codebuild.update_project(**_project(properties, physical.identifier))
    return physical


TYPES = [
    ResourceType(
        "AWS::CodePipeline::Pipeline",
        "codepipeline",
        _create_pipeline,
        lambda codepipeline, physical: codepipeline.delete_pipeline(name=physical.identifier),
        _update_pipeline,
        "Name",
    ),
    ResourceType(
        "AWS::CodeBuild::Project",
        "codebuild",
        _create_project,
        lambda codebuild, physical: codebuild.delete_project(name=physical.identifier),
        _update_project,
        "Name",
    ),
]
