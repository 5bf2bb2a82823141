"""CodePipeline pipelines: stages, actions and triggers."""

from functools import partial
from typing import Any

from ..checks import found
from ..rule import CLOUDFORMATION, Entry, Request, Rule, Values
from .values import every, repeated

STRUCTURE = "CodePipeline user guide, Pipeline declaration"
_QUOTAS = "CodePipeline user guide, Quotas in AWS CodePipeline"
pipeline = partial(Rule, CLOUDFORMATION, "AWS::CodePipeline::Pipeline", code="InvalidStructureException")


def stages(request: Request) -> list[dict[str, Any]]:
    """The stages of a pipeline."""
    return every(request.params.get("Stages"))


def actions(stage: dict[str, Any]) -> list[dict[str, Any]]:
    """The actions of a stage."""
    return every(stage.get("Actions"))


def category(action: dict[str, Any]) -> Any:
    """The category of an action: Source, Build, Test and so on."""
    return action.get("ActionTypeId", {}).get("Category")


def _few_stages(request: Request) -> Values | None:
    return {"count": len(stages(request))} if len(stages(request)) < 2 else None


def _many_stages(request: Request) -> Values | None:
    return {"count": len(stages(request))} if len(stages(request)) > 50 else None


def _many_actions(request: Request) -> Values | None:
    return next(({"stage": each["Name"]} for each in stages(request) if len(actions(each)) > 50), None)


def _same_stage(request: Request) -> Values | None:
    name = repeated([str(each.get("Name")) for each in stages(request)])
    return {"name": name} if name else None


def _no_source(request: Request) -> bool:
    return bool(stages(request)) and any(category(each) != "Source" for each in actions(stages(request)[0]))


def _late_source(request: Request) -> Values | None:
    for stage in stages(request)[1:]:
        for each in actions(stage):
            if category(each) == "Source":
                return {"action": each["Name"], "stage": stage["Name"]}
    return None


def _old_triggers(request: Request) -> bool:
    newer = any(request.params.get(each) for each in ("Triggers", "Variables"))
    return newer and request.params.get("PipelineType") != "V2"


def _trigger_source(request: Request) -> Values | None:
    sources = {str(each.get("Name")) for stage in stages(request)[:1] for each in actions(stage)}
    names = [str(each) for each in found(request.params, "Triggers[].GitConfiguration.SourceActionName")]
    return next(({"name": each} for each in names if each not in sources), None)


def action(name: str, category: str, inputs: str = "", outputs: str = "", **more: Any) -> dict[str, Any]:
    """An action with its artifacts, named in one text."""
    made: dict[str, Any] = {"Name": name, "ActionTypeId": {"Category": category, "Provider": more.pop("provider", "x")}}
    made |= {"InputArtifacts": [{"Name": each} for each in inputs.split()]}
    return made | {"OutputArtifacts": [{"Name": each} for each in outputs.split()]} | more


def declared(*stages: dict[str, Any], **properties: Any) -> dict[str, Any]:
    """A pipeline of these stages."""
    return {"ArtifactStore": {"Type": "S3"}, "Stages": list(stages)} | properties


SOURCE = {"Name": "Source", "Actions": [action("Code", "Source", outputs="code")]}
BUILD = {"Name": "Build", "Actions": [action("Synth", "Build", "code", "assembly")]}
VALID = declared(SOURCE, BUILD)


def acting(*actions: dict[str, Any]) -> dict[str, Any]:
    """A pipeline whose second stage has these actions."""
    return declared(SOURCE, {"Name": "Build", "Actions": list(actions)})


_GIT = {"Triggers": [{"ProviderType": "CodeStarSourceConnection", "GitConfiguration": {"SourceActionName": "Code"}}]}
_GONE = {"Triggers": [{"ProviderType": "CodeStarSourceConnection", "GitConfiguration": {"SourceActionName": "Gone"}}]}

ENTRIES: tuple[Entry, ...] = (
    pipeline(
        says="A pipeline has two stages or more.",
        source=STRUCTURE,
        message="Pipeline has only {count} stage(s). There should be a minimum of 2 stages in a pipeline",
        check=_few_stages,
        accepted=VALID,
        refused=declared(SOURCE),
    ),
    pipeline(
        says="A pipeline has up to 50 stages.",
        source=_QUOTAS,
        code="LimitExceededException",
        message="Pipeline has {count} stages. There should be a maximum of 50 stages in a pipeline",
        inferred=True,
        check=_many_stages,
        accepted=VALID,
        refused=declared(SOURCE, *({"Name": f"S{n}", "Actions": []} for n in range(50))),
    ),
    pipeline(
        says="A stage has up to 50 actions.",
        source=_QUOTAS,
        code="LimitExceededException",
        message="Stage {stage} has more than the maximum of 50 actions",
        inferred=True,
        check=_many_actions,
        accepted=VALID,
        refused=acting(*(action(f"A{n}", "Invoke") for n in range(51))),
    ),
    pipeline(
        says="Names of stages are unique.",
        source=STRUCTURE,
        message="Stage names must be unique within the pipeline: {name}",
        inferred=True,
        check=_same_stage,
        accepted=VALID,
        refused=declared(SOURCE, BUILD, BUILD | {"Actions": []}),
    ),
    pipeline(
        says="The first stage has source actions only.",
        source=STRUCTURE,
        message="Pipeline should start with a stage that only contains source actions",
        check=_no_source,
        accepted=VALID,
        refused=declared(BUILD | {"Actions": [action("Synth", "Invoke")]}, SOURCE | {"Actions": []}),
    ),
    pipeline(
        says="Source actions are in the first stage only.",
        source=STRUCTURE,
        message="Action {action} in stage {stage}: source actions are allowed in the first stage of a pipeline only",
        inferred=True,
        check=_late_source,
        accepted=VALID,
        refused=acting(action("More", "Source", outputs="more")),
    ),
    pipeline(
        says="Triggers and variables are for pipelines of type V2.",
        source="CodePipeline user guide, Pipeline types",
        message="Triggers and variables are supported for pipelines of type V2 only",
        inferred=True,
        check=_old_triggers,
        accepted=VALID | _GIT | {"PipelineType": "V2"},
        refused=VALID | _GIT,
    ),
    pipeline(
        says="A trigger names a source action.",
        source="CodePipeline API reference, GitConfiguration",
        message="Trigger has the source action name {name} which is not an action of the source stage",
        inferred=True,
        check=_trigger_source,
        accepted=VALID | _GIT | {"PipelineType": "V2"},
        refused=VALID | _GONE | {"PipelineType": "V2"},
    ),
)
