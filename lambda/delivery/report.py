"""What is about to change in an environment: models, old against new, and resources of its stacks."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false

import html
import io
import json
import os
import zipfile
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError
from difference import Change, differences
from environment import Environment, client, pipeline
from outcome import Done, Job, Outcome
from versions import label, newest

_STYLE = (
    "body{font:14px sans-serif;margin:2em}table{border-collapse:collapse}td,th{border:1px solid #ccc;padding:4px 8px}"
)


def report(job: Job, environment: Environment) -> Outcome:
    """Write the report to S3; its address and a summary of one line are output variables."""
    models = model_rows(environment)
    changes = stack_changes(job, environment)
    commit, message = _revision(job, environment)
    key = f"reports/{job.execution}/{environment.name}.html"
    bucket = environment.settings.reports_bucket
    page = render(environment.name, commit, message, models, changes)
    client("s3").put_object(Bucket=bucket, Key=key, Body=page.encode(), ContentType="text/html; charset=utf-8")
    region = os.environ["AWS_REGION"]
    url = f"https://{region}.console.aws.amazon.com/s3/object/{bucket}?prefix={key}"
    told = "; ".join(f"{name}: live {live}, candidate {new}" for name, live, new in models) or "no models"
    summary = f"{commit[:12]} to {environment.name}: {len(changes)} resources change; {told}"
    return Done(summary, {"summary": summary[:950], "url": url, "report": f"s3://{bucket}/{key}"})


def model_rows(environment: Environment) -> list[tuple[str, str, str]]:
    """(model, version approved here, newest version of the environment before: what this code just made there)."""
    rows: dict[str, tuple[str, str]] = {}
    for model in environment.models() if environment.exists else ():
        rows[model["model"]] = (label(newest(environment, model, "Approved")), "trained here first")
    if before := environment.previous:
        for model in before.models():
            live = rows.get(model["model"], ("new model", ""))[0]
            candidate = newest(before, model, "Approved", "PendingManualApproval")
            rows[model["model"]] = (live, f"{label(candidate)} in {before.name}")
    return [(name, *row) for name, row in sorted(rows.items())]


def stack_changes(job: Job, environment: Environment) -> list[Change]:
    """Resources that differ between what is deployed and the templates of this delivery."""
    archive = _assembly(job)
    folder = f"assembly-{environment.name}"
    manifest = json.loads(archive.read(f"{folder}/manifest.json"))
    found: list[Change] = []
    for artifact in manifest["artifacts"].values():
        if artifact["type"] == "aws:cloudformation:stack":
            properties = artifact["properties"]
            template = json.loads(archive.read(f"{folder}/{properties['templateFile']}"))
            stack = properties["stackName"]
            found += differences(stack, _deployed(environment, stack), template)
    return found


def _assembly(job: Job) -> zipfile.ZipFile:
    given = job.credentials
    s3 = client(
        "s3",
        aws_access_key_id=given["accessKeyId"],
        aws_secret_access_key=given["secretAccessKey"],
        aws_session_token=given["sessionToken"],
    )
    at = job.inputs[0]
    return zipfile.ZipFile(io.BytesIO(s3.get_object(Bucket=at["bucketName"], Key=at["objectKey"])["Body"].read()))


def _deployed(environment: Environment, stack: str) -> dict[str, Any]:
    """The template that is deployed; an empty one for a stack that is not there."""
    if not environment.exists:
        return {}
    try:
        answer = environment.client("cloudformation").get_template(StackName=stack, TemplateStage="Original")
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":
            return {}
        raise
    body: Any = answer["TemplateBody"]
    return json.loads(body) if isinstance(body, str) else dict(body)


def _revision(job: Job, environment: Environment) -> tuple[str, str]:
    found = pipeline().get_pipeline_execution(
        pipelineName=environment.settings.pipeline, pipelineExecutionId=job.execution
    )["pipelineExecution"]
    revisions: list[dict[str, str]] = found.get("artifactRevisions", [])
    if not revisions:
        return "unknown", ""
    return revisions[0]["revisionId"], revisions[0].get("revisionSummary", "")


def render(
    environment: str, commit: str, message: str, models: list[tuple[str, str, str]], changes: list[Change]
) -> str:
    """The page."""
    model_table = _table(["model", f"approved in {environment}", "newest before"], [list(row) for row in models])
    change_table = _table(
        ["stack", "resource", "type", "change", "properties"],
        [[one.stack, one.resource, one.type, one.kind, ", ".join(one.properties)] for one in changes],
    )
    title = html.escape(f"What {commit[:12]} changes in {environment}")
    return (
        f"<!doctype html><meta charset=utf-8><title>{title}</title><style>{_STYLE}</style><h1>{title}</h1>"
        f"<p>{html.escape(message)}</p><p>{datetime.now(UTC):%Y-%m-%d %H:%M} UTC</p>"
        f"<h2>Models</h2>{model_table}<h2>Infrastructure</h2>{change_table}"
    )


def _table(head: list[str], rows: list[list[str]]) -> str:
    if not rows:
        return "<p>No change.</p>"
    cells = "".join(f"<th>{html.escape(text)}" for text in head)
    body = "".join("<tr>" + "".join(f"<td>{html.escape(text)}" for text in row) for row in rows)
    return f"<table><tr>{cells}{body}</table>"
