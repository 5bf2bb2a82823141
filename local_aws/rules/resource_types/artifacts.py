"""Artifacts of CodePipeline pipelines."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from ..checks import first
from ..rule import Entry, Request, Values
from .codepipeline import STRUCTURE, VALID, acting, action, actions, category, pipeline, stages
from .values import every, number, repeated


def _names(declared_action: dict[str, Any], kind: str) -> list[str]:
    return [str(each.get("Name")) for each in every(declared_action.get(f"{kind}Artifacts"))]


def _same_action(request: Request) -> Values | None:
    for stage in stages(request):
        if name := repeated([str(each.get("Name")) for each in actions(stage)]):
            return {"name": name, "stage": stage["Name"]}
    return None


def _ordered(request: Request) -> Iterator[tuple[dict[str, Any], set[str]]]:
    """Each action with the artifacts of the actions before it."""
    before: set[str] = set()
    for stage in stages(request):
        for order in sorted({number(each, "RunOrder", 1) for each in actions(stage)}):
            together = [each for each in actions(stage) if number(each, "RunOrder", 1) == order]
            yield from ((each, set(before)) for each in together)
            before.update(name for each in together for name in _names(each, "Output"))


def _undeclared(request: Request) -> Values | None:
    for each, before in _ordered(request):
        for name in _names(each, "Input"):
            if name not in before:
                return {"name": name, "action": each["Name"]}
    return None


def _same_output(request: Request) -> Values | None:
    outputs = Counter(name for stage in stages(request) for each in actions(stage) for name in _names(each, "Output"))
    return next(({"name": name} for name, count in outputs.items() if count > 1), None)


def _no_input(request: Request) -> Values | None:
    for stage in stages(request):
        for each in actions(stage):
            if category(each) in ("Build", "Test") and not _names(each, "Input"):
                return {"action": each["Name"]}
    return None


def _approval_artifacts(request: Request) -> Values | None:
    for stage in stages(request):
        for each in actions(stage):
            if category(each) == "Approval" and (_names(each, "Input") or _names(each, "Output")):
                return {"action": each["Name"]}
    return None


def _no_primary(request: Request) -> Values | None:
    for stage in stages(request):
        for each in actions(stage):
            primary = first(each, "Configuration.PrimarySource")
            inputs = _names(each, "Input")
            several = each.get("ActionTypeId", {}).get("Provider") == "CodeBuild" and len(inputs) > 1
            if several and primary not in inputs:
                return {"action": each["Name"]}
    return None


def _both_stores(request: Request) -> bool:
    return ("ArtifactStore" in request.params) == ("ArtifactStores" in request.params)


_TWO: dict[str, Any] = {"provider": "CodeBuild", "Configuration": {"ProjectName": "p"}}
_PRIMARY: dict[str, Any] = {"provider": "CodeBuild", "Configuration": {"ProjectName": "p", "PrimarySource": "code"}}
_OTHER = action("Other", "Build", "code", "other")

ENTRIES: tuple[Entry, ...] = (
    pipeline(
        says="Names of actions are unique in their stage.",
        source=STRUCTURE,
        message="Action names must be unique within stage {stage}: {name}",
        inferred=True,
        check=_same_action,
        accepted=acting(_OTHER),
        refused=acting(_OTHER, _OTHER | {"OutputArtifacts": []}),
    ),
    pipeline(
        says="Input artifacts are outputs of earlier actions.",
        source="CodePipeline user guide, Input and output artifacts",
        code="InvalidActionDeclarationException",
        message="Input Artifact Bundle {name} in action {action} is not declared as Output Artifact Bundle in any of the "
        "preceding actions",
        check=_undeclared,
        accepted=VALID,
        refused=acting(action("Synth", "Build", "gone")),
    ),
    pipeline(
        says="Names of output artifacts are unique in a pipeline.",
        source="CodePipeline user guide, Input and output artifacts",
        code="InvalidActionDeclarationException",
        message="Output Artifact Bundle {name} must have unique name within the pipeline",
        check=_same_output,
        accepted=acting(_OTHER),
        refused=acting(_OTHER, _OTHER | {"Name": "Again"}),
    ),
    pipeline(
        says="Build and test actions have an input artifact.",
        source="CodePipeline user guide, Valid number of input and output artifacts for each action type",
        code="InvalidActionDeclarationException",
        message="Action {action} declares 0 input artifacts which is less than the minimum count (1)",
        check=_no_input,
        accepted=VALID,
        refused=acting(action("Synth", "Build")),
    ),
    pipeline(
        says="Approvals have no artifacts.",
        source="CodePipeline user guide, Valid number of input and output artifacts for each action type",
        code="InvalidActionDeclarationException",
        message="Action {action} declares artifacts which is more than the maximum count (0)",
        inferred=True,
        check=_approval_artifacts,
        accepted=acting(action("Approve", "Approval")),
        refused=acting(action("Approve", "Approval", "code")),
    ),
    pipeline(
        says="A build with several input artifacts names the primary one.",
        source="CodePipeline user guide, AWS CodeBuild build and test action reference; words: as users report them for "
        "'OAuthToken'",
        code="InvalidActionDeclarationException",
        message="Action configuration for action '{action}' is missing required configuration 'PrimarySource'",
        check=_no_primary,
        accepted=acting(_OTHER, action("Test", "Test", "code other", RunOrder=2, **_PRIMARY)),
        refused=acting(_OTHER, action("Test", "Test", "code other", RunOrder=2, **_TWO)),
    ),
    pipeline(
        says="A pipeline has one artifact store, or one for each region.",
        source="CodePipeline API reference, PipelineDeclaration",
        message="Pipeline must have either artifactStore or artifactStores, and not both",
        inferred=True,
        check=_both_stores,
        accepted=VALID,
        refused=VALID | {"ArtifactStores": []},
    ),
)
