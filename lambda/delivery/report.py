"""Reports the changes of a delivery in an environment: the models' versions, and the resources of its stacks."""

import html
import io
import json
import os
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.exceptions import ClientError
from commit import delivered_models, leftover_models
from environment import Environment, codepipeline
from outcome import Job, Outcome, Succeeded
from shared.clients import client, retries
from shared.leftovers import remove_command
from template_diff import Change, differences
from versions import newest_version, version_label

_STYLE = (
    "body{font:14px sans-serif;margin:2em}table{border-collapse:collapse}td,th{border:1px solid #ccc;padding:4px 8px}"
)


def report(job: Job, environment: Environment) -> Outcome:
    """Write the report to S3; its URL and a summary of one line are output variables."""
    models = model_rows(job, environment)
    leftovers = leftover_models(job, environment) if environment.exists else []
    changes = stack_changes(job, environment)
    commit, message = _revision(job, environment)
    key = f"reports/{job.execution}/{environment.name}.html"
    bucket = environment.settings.reports_bucket
    page = render(environment.name, commit, message, models, changes, leftovers)
    client("s3").put_object(Bucket=bucket, Key=key, Body=page.encode(), ContentType="text/html; charset=utf-8")
    region = os.environ["AWS_REGION"]
    url = f"https://{region}.console.aws.amazon.com/s3/object/{bucket}?prefix={key}"
    versions = "; ".join(f"{name}: live {live}, candidate {new}" for name, live, new in models) or "no models"
    summary = f"{commit[:12]} to {environment.name}: {len(changes)} resources change; {versions}"
    return Succeeded(summary, {"summary": summary[:950], "url": url, "report": f"s3://{bucket}/{key}"})


def model_rows(job: Job, environment: Environment) -> list[tuple[str, str, str]]:
    """For each model of the commit its name, the version approved here, and the newest version in the previous environment."""
    rows: dict[str, tuple[str, str]] = {}
    for model in delivered_models(job, environment) if environment.exists else ():
        rows[model["model"]] = (version_label(newest_version(environment, model, "Approved")), "trained here first")
    if before := environment.previous:
        for model in delivered_models(job, before):
            live = rows.get(model["model"], ("new model", ""))[0]
            candidate = newest_version(before, model, "Approved", "PendingManualApproval")
            rows[model["model"]] = (live, f"{version_label(candidate)} in {before.name}")
    return [(name, *row) for name, row in sorted(rows.items())]


def stack_changes(job: Job, environment: Environment) -> list[Change]:
    """The resources that differ between the deployed templates and those of this delivery."""
    archive = _assembly(job)
    folder = f"assembly-{environment.name}"
    manifest = json.loads(archive.read(f"{folder}/manifest.json"))
    changes: list[Change] = []
    for artifact in manifest["artifacts"].values():
        if artifact["type"] == "aws:cloudformation:stack":
            properties = artifact["properties"]
            template = json.loads(archive.read(f"{folder}/{properties['templateFile']}"))
            stack = properties["stackName"]
            changes += differences(stack, _deployed_template(environment, stack), template)
    return changes


def _assembly(job: Job) -> zipfile.ZipFile:
    """The cloud assembly: the action's input artifact."""
    artifact = job.inputs[0]
    response = _artifact_client(job).get_object(Bucket=artifact["bucketName"], Key=artifact["objectKey"])
    return zipfile.ZipFile(io.BytesIO(response["Body"].read()))


def _artifact_client(job: Job) -> Any:
    """A client of S3 with the credentials that CodePipeline issues for the action's artifacts."""
    return boto3.client(
        "s3",
        config=retries(),
        aws_access_key_id=job.credentials["accessKeyId"],
        aws_secret_access_key=job.credentials["secretAccessKey"],
        aws_session_token=job.credentials["sessionToken"],
    )


def _deployed_template(environment: Environment, stack: str) -> dict[str, Any]:
    """The deployed template of a stack; an empty one when the stack does not exist."""
    if not environment.exists:
        return {}
    try:
        response = environment.client("cloudformation").get_template(StackName=stack, TemplateStage="Original")
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":
            return {}
        raise
    body: Any = response["TemplateBody"]
    return json.loads(body) if isinstance(body, str) else dict(body)


def _revision(job: Job, environment: Environment) -> tuple[str, str]:
    """Id and message of the delivered commit."""
    execution = codepipeline().get_pipeline_execution(
        pipelineName=environment.settings.pipeline, pipelineExecutionId=job.execution
    )["pipelineExecution"]
    revisions: list[dict[str, str]] = execution.get("artifactRevisions", [])
    if not revisions:
        return "unknown", ""
    return revisions[0]["revisionId"], revisions[0].get("revisionSummary", "")


def render(
    environment: str,
    commit: str,
    message: str,
    models: list[tuple[str, str, str]],
    changes: list[Change],
    leftovers: Sequence[str] = (),
) -> str:
    """The report as an HTML page."""
    model_table = _table(["model", f"approved in {environment}", "newest before"], [list(row) for row in models])
    change_table = _table(
        ["stack", "resource", "type", "change", "properties"],
        [[each.stack, each.resource, each.type, each.kind, ", ".join(each.properties)] for each in changes],
    )
    title = html.escape(f"What {commit[:12]} changes in {environment}")
    return (
        f"<!doctype html><meta charset=utf-8><title>{title}</title><style>{_STYLE}</style><h1>{title}</h1>"
        f"<p>{html.escape(message)}</p><p>{datetime.now(UTC):%Y-%m-%d %H:%M} UTC</p>"
        f"<h2>Models</h2>{model_table}{_leftovers(environment, leftovers)}<h2>Infrastructure</h2>{change_table}"
    )


def _leftovers(environment: str, models: Sequence[str]) -> str:
    commands = "".join(f"<li><code>{html.escape(remove_command(model, environment))}</code>" for model in models)
    return f"<p>Deployed, but not in this commit; to be removed by hand:</p><ul>{commands}</ul>" if commands else ""


def _table(head: list[str], rows: list[list[str]]) -> str:
    if not rows:
        return "<p>No change.</p>"
    cells = "".join(f"<th>{html.escape(text)}" for text in head)
    body = "".join("<tr>" + "".join(f"<td>{html.escape(text)}" for text in row) for row in rows)
    return f"<table><tr>{cells}{body}</table>"
