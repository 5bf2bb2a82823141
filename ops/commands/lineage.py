"""Commands on lineage: lineage."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..options import CapturedOn, CapturedSince, Profile, ProjectFolder, err, out, refuse
from ..project import EnvironmentSession, Project, UsageError

if TYPE_CHECKING:
    from ..lineage.links import Link

Reference = Annotated[str | None, typer.Argument(help="MODEL for what is live, or MODEL@7 for version 7.")]


def register(app: typer.Typer) -> None:
    """Add the commands to `model-factory`."""
    app.command()(lineage)


def lineage(
    reference: Reference = None,
    endpoint: Annotated[str | None, typer.Option(help="Name of an endpoint, in place of a model.")] = None,
    data: Annotated[
        str | None,
        typer.Option(help="S3 URI of an object, or URI@VERSION (URI?versionId=VERSION): show what was trained on it."),
    ] = None,
    inference_id: Annotated[
        str | None,
        typer.Option(
            "--inference-id", help="Inference id of a captured request, or SageMaker's event id: who answered it."
        ),
    ] = None,
    since: CapturedSince = None,
    date: CapturedOn = None,
    env: Annotated[
        str | None,
        typer.Option("--env", "-e", help="Environment; default: all of factory.yaml (--inference-id: the last one)."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    root: ProjectFolder = Path(),
    profile: Profile = None,
) -> None:
    """Show what a version was made from: approval, training, jobs, image, code and data, back to every object version.

    A promoted version is followed into the account that trained it. With --inference-id it begins at a captured request. With
    --data it is the other way round: every training that read an object, failed and rejected ones too, and the endpoints that
    serve its version; an environment of factory.yaml that is not deployed is named. Exit codes: 0 everything was found
    as registered, 1 mistake or refusal, 3 something is missing or was altered.
    """
    if data:
        refuse(
            "--data",
            "says which object it is about",
            {"MODEL": reference, "--endpoint": endpoint, "--inference-id": inference_id},
        )
    if inference_id:
        refuse("--inference-id", "takes the model that was asked", {"--endpoint": endpoint})
    elif since or date:
        raise UsageError("--since and --date are for --inference-id")
    project = Project(root, profile)
    if data:
        found = _find_data(project, data, env)
    elif inference_id:
        found = [_find_prediction(project, reference, inference_id, env, (since, date))]
    else:
        found = _find(project, reference, endpoint, env)
    if as_json:
        print(json.dumps([each.to_json() for each in found], indent=2))
    else:
        from ..lineage.text import tree

        for each in found:
            out.print(tree(each), soft_wrap=True)
        if data:
            _print_consequence(data, found)
    problems = [problem for each in found for problem in each.problems()]
    for each in problems:
        err.print(f"{each.kind} {each.name}: {each.problem}", markup=False, soft_wrap=True, style="bold red")
    if problems:
        raise typer.Exit(3)


def _find_data(project: Project, reference: str, env: str | None) -> "list[Link]":
    from ..lineage.forward import forward, split_reference

    uri, version = split_reference(reference)
    return forward(_sessions(project, env), uri, version)


def _find_prediction(
    project: Project, text: str | None, inference_id: str, env: str | None, hours: tuple[str | None, datetime | None]
) -> "Link":
    from ..explanation.captures import find, search_range
    from ..lineage.prediction import prediction
    from ..references import parse_reference

    wanted = parse_reference(project, text or "")
    if wanted.version is not None:
        raise UsageError(f"--inference-id takes the model alone: {wanted.model}; the answer says which version gave it")
    session = project.environment(env)
    return prediction(
        session, wanted.model, find(session, wanted.model, inference_id, search_range(*hours, datetime.now(UTC)))
    )


def _print_consequence(reference: str, found: "list[Link]") -> None:
    from ..lineage.forward import to_reject, to_train_again

    if all(each.kind == "environment" for each in found):
        out.print(f"no training has read {reference}", soft_wrap=True)
        return
    again, others = to_train_again(found), to_reject(found)
    what = (
        f"train again without it, if it must be forgotten: {', '.join(again)}" if again else "no live version read it"
    )
    out.print(what, soft_wrap=True)
    if others:
        out.print(f"reject, so that no roll-back deploys them: {', '.join(others)}", soft_wrap=True)


def _sessions(project: Project, env: str | None) -> list[EnvironmentSession]:
    return (
        [project.environment(env)] if env else [project.environment(each.name) for each in project.factory.environments]
    )


def _find(project: Project, text: str | None, endpoint: str | None, env: str | None) -> "list[Link]":
    from ..lineage import endpoint as endpoints
    from ..lineage import version as versions
    from ..operations.facts import read_settings
    from ..references import parse_reference

    if (text is None) == (endpoint is None):
        raise UsageError("give either a model (MODEL or MODEL@7) or --endpoint NAME")
    sessions = (
        [project.environment(env)] if env else [project.environment(each.name) for each in project.factory.environments]
    )
    if endpoint:
        session, model = _owner(project, sessions, endpoint)
        return [endpoints.endpoint(session, model)]
    wanted = parse_reference(project, text or "")
    deployed = [each for each in sessions if wanted.model in read_settings(each)]
    if not deployed:
        raise UsageError(f"{wanted.model} is not deployed in {', '.join(each.environment.name for each in sessions)}")
    if wanted.version is None:
        return [endpoints.endpoint(each, wanted.model) for each in deployed]
    if len(deployed) > 1:  # another environment has another version 7
        names = ", ".join(each.environment.name for each in deployed)
        raise UsageError(f"{text} is another version in each environment: give --env (it is deployed in {names})")
    return [versions.version(deployed[0], wanted.model, wanted.version)]


def _owner(project: Project, sessions: list[EnvironmentSession], endpoint: str) -> tuple[EnvironmentSession, str]:
    """The environment and the model of an endpoint."""
    known = {session.names.model(model).endpoint: (session, model) for session in sessions for model in project.models}
    if endpoint not in known:
        raise UsageError(
            f"no model of this repository has an endpoint {endpoint!r}; there are: {', '.join(sorted(known))}"
        )
    return known[endpoint]
