"""What an auditor asks about the live version: its lineage back and forward, the report, its evidence."""

import json

import pytest

from model_factory.functions.publisher.run_events import run_id
from model_factory.ops.records.chain import newest
from model_factory.ops.waiting import wait_for

from .auditor import auditor

pytestmark = pytest.mark.e2e


def links(link):
    return [link, *(each for below in link["below"] for each in links(below))]


@pytest.fixture
def registered(live):
    """The record of the registration of version 1, which comes after its evidence and markers."""
    bucket = live.session.names.bucket("records")
    return wait_for("the record", lambda: newest(live.session, bucket, live.model, "registration", 1)).record


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
        }
        read = next(each for each in found if each["kind"] == "object")
        code, text = lineage("--data", read["id"].replace("?versionId=", "@"))
        assert code == 0, text
        assert f"train again without it, if it must be forgotten: {live.model} v" in " ".join(text.split())


def test_report_shows_live_version(live, tmp_path, monkeypatch):
    with auditor(live, tmp_path, monkeypatch, "report") as report:
        code, text = report("--out", str(tmp_path / "report.html"))
    assert code == 0, text
    page = (tmp_path / "report.html").read_text()
    for heading in ("At a glance", f"{live.model} in prod", "Gate", "Features", "Data and lineage"):
        assert heading in page
    assert "Not shown" not in page


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
        cards = sagemaker.list_model_cards(NameContains=f"{live.names.endpoint}-v1-")["ModelCardSummaries"]
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
            return [sagemaker.describe_artifact(ArtifactArn=each["Arn"]) for each in found["Vertices"]]
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
