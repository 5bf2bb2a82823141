"""Command that forgets a person: forget."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..options import CapturedOn, CapturedSince, EnvironmentName, Profile, ProjectFolder, err, out
from ..project import Project, UsageError

if TYPE_CHECKING:
    from ..forget.plan import Plan


def register(app: typer.Typer) -> None:
    """Add the command to `model-factory`."""
    app.command()(forget)


def forget(
    model: Annotated[str | None, typer.Argument(help="Model, with --inference-id.")] = None,
    data: Annotated[
        str | None,
        typer.Option(help="S3 URI of an object in a data bucket: all its versions, and rows derived from it."),
    ] = None,
    inference_id: Annotated[
        str | None, typer.Option("--inference-id", help="Captured requests with this inference id.")
    ] = None,
    env: EnvironmentName = None,
    since: CapturedSince = None,
    date: CapturedOn = None,
    reason: Annotated[
        str, typer.Option(help="Why, such as the number of the request; recorded, so it must name no person.")
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Delete. Default: only show what would be deleted.")] = False,
    retrain: Annotated[
        bool,
        typer.Option("--retrain", help="With --yes: then start trainings of the models that have to be trained again."),
    ] = False,
    root: ProjectFolder = Path(),
    profile: Profile = None,
) -> None:
    """Delete an object, or captured requests, of a person for good; say what has to be trained again and what stays.

    Without --yes it deletes nothing. A record of kind `forgetting` has the SHA-256 of what was forgotten, when, by whom and why.
    An environment of factory.yaml that is not deployed is named; it has nothing to delete. Exit codes: 0 done, or shown; 1 a
    mistake or a refusal, such as one of a training that --retrain asks for: the same command goes on where it stopped.
    """
    if (data is None) == (inference_id is None):
        raise UsageError("give either --data S3-URI, or MODEL and --inference-id ID")
    if data and (model or since or date):
        raise UsageError("--data takes neither a model nor --since nor --date: the URI says which model it is")
    if yes and not reason:
        raise UsageError("--yes needs --reason: it is recorded why something was forgotten")
    if retrain and not yes:
        raise UsageError("--retrain is for --yes: a training before the deletion would read the object again")
    project = Project(root, profile)
    plans = _plans(project, model, data, inference_id, env, (since, date))
    for plan in plans:
        _show(plan)
    if not yes:
        _say("nothing was deleted; --yes deletes")
        return
    from ..forget.act import forget as act

    for plan in plans:
        if plan.empty:
            _say(f"{plan.session.environment.name}: nothing is there to delete")
        else:
            _say(f"{plan.session.environment.name}: deleted; the record has the id {act(plan, reason)}")
    if retrain and not _retrain(plans, reason):
        raise typer.Exit(1)


def _plans(
    project: Project,
    model: str | None,
    data: str | None,
    inference_id: str | None,
    env: str | None,
    hours: tuple[str | None, datetime | None],
) -> "list[Plan]":
    from ..explanation.captures import search_range
    from ..forget.plan import plan_object, plan_request

    if data is not None:
        from ..lineage.forward import split_reference

        uri, version = split_reference(data)
        if version:
            raise UsageError(f"all versions are forgotten: give {uri} without @{version}")
        if env:
            raise UsageError(
                "--data takes no --env: the bucket says which environment it is, and all others are searched"
            )
        return plan_object(project, uri, _warn)
    if model is None:
        raise UsageError("--inference-id needs the model: model-factory forget MODEL --inference-id ID")
    project.model(model)
    within = search_range(*hours, datetime.now(UTC))
    return plan_request(project.environment(env), model, str(inference_id), within)


def _show(plan: "Plan") -> None:
    from ..forget.plan import kept_for

    name = plan.session.environment.name
    _say(f"{plan.what} {plan.subject} in {name}:")
    deleted = sum(each.deleted for each in plan.versions)
    if plan.versions:
        _say(f"  delete {len(plan.versions) - deleted} versions and {deleted} delete markers of it")
    if plan.rows:
        _say(f"  delete {len(plan.rows)} versions of files with rows that trainings derived from it")
    for each in plan.rewrites:
        _say(f"  delete {each.requests} requests from s3://{each.bucket}/{each.key}")
    if plan.empty:
        _say("  nothing is there to delete")
    for each in plan.in_flight:
        _say(f"  a training is in flight since {each.started:%Y-%m-%d %H:%M} UTC: repeat the command when it has ended")
    if plan.train_again:
        _say(f"  train again without it: {', '.join(plan.train_again)}")
    if plan.reject:
        _say(f"  reject, so that no roll-back deploys them: {', '.join(plan.reject)}")
    if plan.trained:
        kept = kept_for(plan.session)
        until = f" for {kept.days} days from its registration (records_retention)" if kept else ""
        _say(f"  stays: artifact and manifest of {', '.join(plan.trained)}; the records bucket keeps each{until}")


def _retrain(plans: "list[Plan]", reason: str) -> bool:
    """Start a training in each environment whose live version was trained on the object; False when one was refused."""
    from ..operations.trigger import request_training

    refused = False
    for plan in plans:
        if not plan.train_again:
            continue
        name = plan.session.environment.name
        try:
            asked = request_training(plan.session, plan.model, f"data was forgotten: {reason}")
        except UsageError as error:
            refused = True
            err.print(f"{plan.model} in {name}: {error}", markup=False, soft_wrap=True)
        else:
            _say(f"{plan.model} in {name}: {asked.outlook}")
    return not refused


def _warn(text: str) -> None:
    err.print(text, markup=False, soft_wrap=True)


def _say(text: str) -> None:
    out.print(text, markup=False, soft_wrap=True)
