"""What an auditor asks about the live version: its lineage back and forward, the report, its evidence."""

import json

import pytest

from model_factory.functions.publisher.run_events import run_id
from model_factory.ops.waiting import wait_for

from .auditor import auditor
from .sales import records

pytestmark = pytest.mark.e2e


def links(link):
    return [link, *(each for below in link["below"] for each in links(below))]


@pytest.fixture
def registered(live):
    """The record of the registration of version 1, which comes after its evidence and markers."""
    return live.record("registration", 1).record


def test_live_version_is_followed_to_its_objects_and_back(live, registered, tmp_path, monkeypatch):
    with auditor(live, tmp_path, monkeypatch, "lineage") as lineage:
        code, text = lineage(live.model, "--json")
        assert code == 0, text
        found = links(json.loads(text)[0])
        kinds = {each["kind"] for each in found}
        assert kinds >= {
            "endpoint",
            "configuration",
            "model",
            "version",
            "artifact",
            "execution",
            "job",
            "code",
            "data",
            "object",
            "record",
            "libraries",
        }
        execution = next(each for each in found if each["kind"] == "execution")
        assert execution["facts"]["requested by"]
        read = next(each for each in found if each["kind"] == "object")
        code, text = lineage("--data", read["id"].replace("?versionId=", "@"))
        assert code == 0, text
        assert f"train again without it, if it must be forgotten: {live.model} v" in " ".join(text.split())


def test_captured_prediction_is_followed_to_its_version(live, registered, tmp_path, monkeypatch):
    live.predict(records(1), "order-8")
    live.control("flush")
    with auditor(live, tmp_path, monkeypatch, "lineage") as lineage:
        code, text = lineage(live.model, "--inference-id", "order-8", "--json")
    assert code == 0, text
    (found,) = json.loads(text)
    assert (found["kind"], found["facts"]["answered by"]) == ("prediction", "named by the captured answer")
    assert [each["name"] for each in found["below"]] == [f"{live.model} v{live.reader.live_version()} in prod"]


def test_captured_prediction_is_explained(live, registered, tmp_path, monkeypatch):
    live.predict(records(3), "order-10")
    live.control("flush")
    with auditor(live, tmp_path, monkeypatch, "explain") as explain:
        code, text = explain(live.model, "--inference-id", "order-10", "--record", "1", "--json")
    assert code == 0, text
    found = json.loads(text)
    assert found["score"] == found["captured"]
    assert (found["version"], found["records"]) == (live.reader.live_version(), 3)
    assert found["attribution"] == "named by the captured answer"
    assert {each["name"] for each in found["columns"]} == set(records(1).columns) - {"sold"}
    assert sum(each["contribution"] for each in found["columns"]) == pytest.approx(
        found["score"] - found["base"], abs=1e-6
    )


def test_forgotten_object_leaves_a_record_alone(live, tmp_path, monkeypatch):
    live.upload_records(records(5), "2026-11-20", "ada.csv")
    bucket, key = live.session.names.bucket("data"), f"{live.model}/raw/dt=2026-11-20/ada.csv"
    with auditor(live, tmp_path, monkeypatch, "forget") as forget:
        shown = forget("--data", f"s3://{bucket}/{key}", env=False)
        assert (shown[0], "nothing was deleted" in shown[1]) == (0, True), shown
        done = forget("--data", f"s3://{bucket}/{key}", "--reason", "request 4711", "--yes", env=False)
    assert done[0] == 0, done
    assert "Versions" not in live.client("s3").list_object_versions(Bucket=bucket, Prefix=key)
    record = live.record("forgetting").record
    assert (record["facts"]["reason"], record["facts"]["versions"]) == ("request 4711", 1)
    assert record["by"]["identity"].endswith(":ada")


def test_report_shows_live_version(live, tmp_path, monkeypatch):
    with auditor(live, tmp_path, monkeypatch, "report") as report:
        code, text = report("--out", str(tmp_path / "report.html"))
    assert code == 0, text
    page = (tmp_path / "report.html").read_text()
    for heading in ("At a glance", f"{live.model} in prod", "Gate", "Features", "Data and lineage"):
        assert heading in page
    assert "Not shown" not in page


def test_clauses_are_answered_by_verified_records(live, registered, tmp_path, monkeypatch):
    with auditor(live, tmp_path, monkeypatch, "report", "audit") as report:
        out = tmp_path / "clauses.html"
        code, text = report(f"{live.model}@1", "--framework", "eu-ai-act", "--out", str(out))
    assert code == 0, text
    page = out.read_text()
    assert registered["sequence"] > 0
    assert f"record {registered['sequence']}" in page
    assert "each with its S3 version" in page
    assert page.count('<span class="good">answered</span>') > 8


def test_evidence_of_version_is_verified(live, registered, tmp_path, monkeypatch):
    with auditor(live, tmp_path, monkeypatch, "verify") as verify:
        code, text = verify(f"{live.model}@1")
    assert code == 0, text


def test_live_version_does_not_differ_from_itself(live, registered, tmp_path, monkeypatch):
    with auditor(live, tmp_path, monkeypatch, "diff") as diff:
        code, text = diff(f"{live.model}@1", f"{live.model}@prod/1", "--json")
    assert code == 0, text
    assert "both have the same artifact, so the same predictions" in text


def test_version_has_model_card_with_its_metrics(live, registered):
    sagemaker = live.client("sagemaker")

    def deployed():
        cards = sagemaker.list_model_cards(NameContains=f"{live.names.endpoint}-v1")["ModelCardSummaries"]
        described = [sagemaker.describe_model_card(ModelCardName=each["ModelCardName"]) for each in cards]
        return next((card for card in described if "deployment_" in card["Content"]), None)

    card = wait_for("the card", deployed)
    content = json.loads(card["Content"])
    assert card["ModelCardStatus"] == "Approved"
    assert content["model_overview"]["model_id"] == registered["subject"]
    metrics = content["evaluation_details"][0]["metric_groups"][0]["metric_data"]
    assert {each["name"] for each in metrics} >= {"auc"}


def test_lineage_of_sagemaker_leads_from_endpoint_to_manifest(live, registered):
    sagemaker, endpoint = (
        live.client("sagemaker"),
        live.session.names.arn("sagemaker", f"endpoint/{live.names.endpoint}"),
    )

    def manifests():
        for context in sagemaker.list_contexts(SourceUri=endpoint)["ContextSummaries"]:
            found = sagemaker.query_lineage(
                StartArns=[context["ContextArn"]], Direction="Ascendants", Filters={"Types": ["DataSet"]}
            )
            return [sagemaker.describe_artifact(ArtifactArn=each["Arn"]) for each in found["Vertices"]] or None
        return None

    sources = {each["Source"]["SourceUri"] for each in wait_for("the manifest", manifests)}
    assert registered["evidence"]["manifest"]["source"] in sources


def test_runs_are_openlineage_events(live, registered):
    s3, bucket = live.client("s3"), live.session.names.bucket("artifacts")
    prefix = (
        f"_openlineage/{live.model}/{run_id(registered['facts']['CustomerMetadataProperties']['pipeline_execution'])}/"
    )

    def complete():
        listed = s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
        names = {entry["Key"].removeprefix(prefix) for entry in listed}
        return names if {"START.json", "COMPLETE.json", "OTHER.json"} <= names else None

    wait_for("the events of the training", complete)
    event = json.loads(s3.get_object(Bucket=bucket, Key=f"{prefix}COMPLETE.json")["Body"].read())
    assert {each["name"] for each in event["inputs"]} >= {f"{live.model}/raw"}
    assert [each["facets"]["version"]["datasetVersion"] for each in event["outputs"]] == ["1"]
