"""lambda/delivery: the action report, with versions and templates in memory."""

import io
import json
import zipfile
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError

from .delivery_stages import NEW, Environment, SageMaker, job, version


def test_report_names_versions_and_resources(stage, monkeypatch):
    dev = Environment(SageMaker(version(7, "PendingManualApproval"), version(6, "Approved")), name="dev")
    environment = Environment(SageMaker(version(4, "Rejected"), version(3, "Approved")), dev)
    written = []
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setattr(stage.report, "client", lambda _: SimpleNamespace(put_object=lambda **r: written.append(r)))
    monkeypatch.setattr(stage.report, "_assembly", lambda _: assembly("acme-prod-churn"))
    monkeypatch.setattr(stage.report, "leftover_models", lambda *_: ["old"])
    outcome = stage.report.report(job(stage, "report"), environment)
    versions = "churn: live v3 (auc 0.8123), candidate v7 (auc 0.8123) in dev"
    assert outcome.summary == f"0123456789ab to prod: 3 resources change; {versions}"
    assert outcome.variables == {
        "summary": outcome.summary,
        "url": "https://eu-west-1.console.aws.amazon.com/s3/object/reports?prefix=reports/e1/prod.html",
        "report": "s3://reports/reports/e1/prod.html",
    }
    (put,) = written
    assert (put["Bucket"], put["Key"]) == ("reports", "reports/e1/prod.html")
    page = put["Body"].decode()
    assert "<h1>What 0123456789ab changes in prod</h1><p>new &lt;features&gt;</p>" in page
    assert f"{datetime.now(UTC):%Y-%m-%d}" in page
    assert "<td>churn<td>v3 (auc 0.8123)<td>v7 (auc 0.8123) in dev" in page
    assert "<td>acme-prod-churn<td>A<td>AWS::SQS::Queue<td>change<td>Delay" in page
    assert "Deployed, but not in this commit; to be removed by hand" in page
    assert "<li><code>model-factory remove-model old --env prod</code>" in page


def assembly(*stacks):
    """A cloud assembly with the new template for each stack, and with its assets."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        artifacts = {
            stack: {
                "type": "aws:cloudformation:stack",
                "properties": {"templateFile": f"{stack}.json", "stackName": stack},
            }
            for stack in stacks
        }
        manifest = {"artifacts": {"assets": {"type": "cdk:asset-manifest"}, **artifacts}}
        archive.writestr("assembly-prod/manifest.json", json.dumps(manifest))
        for stack in stacks:
            archive.writestr(f"assembly-prod/{stack}.json", json.dumps(NEW))
    return zipfile.ZipFile(content)


@pytest.mark.parametrize(
    ("stack", "kinds"),
    [
        ("acme-prod-churn", ["change", "remove", "add"]),
        ("acme-prod-text", ["change", "remove", "add"]),
        ("acme-prod-new", ["add", "add"]),
    ],
)
def test_changes_are_those_of_the_deployed_templates(stage, monkeypatch, stack, kinds):
    monkeypatch.setattr(stage.report, "_assembly", lambda _: assembly(stack))
    environment = Environment(SageMaker())
    assert [each.kind for each in stage.report.stack_changes(job(stage), environment)] == kinds
    environment.exists = False
    assert [each.kind for each in stage.report.stack_changes(job(stage), environment)] == ["add", "add"]


def test_template_that_may_not_be_read_fails_the_report(stage, monkeypatch):
    monkeypatch.setattr(stage.report, "_assembly", lambda _: assembly("acme-prod-denied"))
    with pytest.raises(ClientError, match="AccessDenied"):
        stage.report.stack_changes(job(stage), Environment(SageMaker()))


def test_assembly_is_read_with_the_credentials_of_the_job(stage, monkeypatch):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("a", "b")
    asked = []

    def client(service, **more):
        asked.append((service, more))
        body = SimpleNamespace(read=content.getvalue)
        return SimpleNamespace(get_object=lambda **request: asked.append(request) or {"Body": body})

    monkeypatch.setattr(stage.report.boto3, "client", client)
    credentials = {"accessKeyId": "id", "secretAccessKey": "secret", "sessionToken": "token"}
    given = job(stage, inputs=[{"bucketName": "artifacts", "objectKey": "key"}], credentials=credentials)
    assert stage.report._assembly(given).read("a") == b"b"
    (service, more), request = asked
    assert (service, more["aws_access_key_id"], more["aws_secret_access_key"]) == ("s3", "id", "secret")
    assert (more["aws_session_token"], request) == ("token", {"Bucket": "artifacts", "Key": "key"})


def test_long_summary_is_cut_for_codepipeline(stage, monkeypatch):
    environment = Environment(SageMaker(version(3, "Approved")))
    environment.model["model"] = "m" * 1000
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setattr(stage.report, "client", lambda _: SimpleNamespace(put_object=lambda **_: None))
    monkeypatch.setattr(stage.report, "_assembly", lambda _: assembly())
    monkeypatch.setattr(stage.report, "leftover_models", lambda *_: [])
    assert len(stage.report.report(job(stage, "report"), environment).variables["summary"]) == 950


def test_first_environment_and_new_models_have_rows(stage):
    first = Environment(SageMaker(version(3, "Approved")))
    assert stage.report.model_rows(job(stage), first) == [("churn", "v3 (auc 0.8123)", "trained here first")]
    dev = Environment(SageMaker(), name="dev")
    new = Environment(SageMaker(version(3, "Approved")), dev)
    new.exists = False
    assert stage.report.model_rows(job(stage), new) == [("churn", "new model", "none in dev")]


def test_delivery_without_source_is_reported(stage):
    stage.pipeline.revisions = ()
    assert stage.report._revision(job(stage), Environment(SageMaker())) == ("unknown", "")
    page = stage.report.render("prod", "unknown", "", [], [])
    assert page.count("<p>No change.</p>") == 2
    assert "removed by hand" not in page
