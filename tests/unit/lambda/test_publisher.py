"""The publisher: OpenLineage events follow from records, however often they are published."""

import json

import pytest

from .cloud import ACCOUNT, REGION, message, policy
from .published_records import NOW


def test_training_is_run_with_jobs_below_it(factory):
    factory.publish(factory.train())
    events = factory.events()
    assert {name: kind for name, kind in events if kind != "START"} == {
        "-train": "COMPLETE",
        "-train.Prepare": "COMPLETE",
        "-train.Train": "COMPLETE",
        "-train.Evaluate": "COMPLETE",
    }
    end, job = events["-train", "COMPLETE"], events["-train.Train", "COMPLETE"]
    assert job["run"]["facets"]["parent"]["run"]["runId"] == end["run"]["runId"]
    whole, *objects = end["inputs"]
    assert (whole["namespace"], whole["name"]) == ("s3://data", f"{factory.model}/raw")
    assert whole["facets"]["version"]["datasetVersion"] == "c0ffee"
    measured = whole["inputFacets"]["inputStatistics"]
    assert (measured["rowCount"], measured["size"], measured["fileCount"]) == (7, 20, 2)
    quality = whole["inputFacets"]["dataQualityMetrics"]["columnMetrics"]
    assert quality["age"] == {"nullCount": 1, "count": 6, "sum": 9.5, "min": 1, "max": 4}
    assert [each["facets"]["version"]["datasetVersion"] for each in objects] == ["v0", "v1"]
    (output,) = end["outputs"]
    assert (output["name"], output["facets"]["version"]["datasetVersion"]) == (factory.cloud.name, "2")


def test_start_has_one_event_whatever_came_first(factory):
    started = factory.cloud.event("training_started")
    started["detail"]["pipelineExecutionArn"] = factory.execution
    factory.publish(started)
    (before,) = factory.events().values()
    factory.publish(factory.train(), started)
    assert factory.events()["-train", "START"] == before
    assert before["eventType"] == "START"


def test_training_that_failed_in_prepare_says_what_it_was_about_to_read(factory):
    objects = [{"bucket": "data", "key": f"{factory.model}/raw/0.csv", "version_id": "v0", "etag": "0a"}]
    evidence = factory.evidence("inputs", {"objects": objects})
    facts = {"outcome": "failed", "failure_reason": "Step Prepare failed", "started": NOW.isoformat(), "steps": []}
    factory.publish(factory.write("training", facts, subject=factory.execution, evidence=evidence))
    whole, one = factory.events()["-train", "FAIL"]["inputs"]
    assert whole["inputFacets"]["inputStatistics"]["fileCount"] == 1
    assert (one["name"], one["facets"]["version"]["datasetVersion"]) == (f"{factory.model}/raw/0.csv", "v0")


def test_monitor_run_reads_captured_requests(factory):
    for status in ("Executing", "Failed"):
        changed = factory.cloud.event("training_started")
        changed["detail"]["pipelineExecutionArn"] = factory.execution.replace("-train/", "-monitor/")
        changed["detail"]["currentPipelineExecutionStatus"] = status
        factory.publish(changed)
    events = factory.events()
    assert set(events) == {("-monitor", "START"), ("-monitor", "FAIL")}
    assert "errorMessage" not in events["-monitor", "START"]["run"]["facets"]
    assert events["-monitor", "FAIL"]["run"]["facets"]["errorMessage"]["message"] == "The execution is Failed."
    for each in events.values():
        assert [found["name"] for found in each["inputs"]] == [f"{factory.model}/captured"]
        assert [found["name"] for found in each["outputs"]] == [f"{factory.model}/monitor"]


def test_end_of_training_waits_for_its_record(factory):
    ended = factory.cloud.event("training_ended")
    ended["detail"]["pipelineExecutionArn"] = factory.execution
    factory.publish(ended)
    assert factory.events() == {}


def test_failed_training_says_why(factory):
    factory.publish(factory.train("failed"))
    events = factory.events()
    assert events["-train", "FAIL"]["run"]["facets"]["errorMessage"]["message"] == "Step Evaluate failed"
    assert events["-train.Evaluate", "FAIL"]["run"]["facets"]["errorMessage"]["message"] == "no rows"
    assert events["-train", "FAIL"]["outputs"] == []


def test_registration_adds_commit_digests_and_metrics(factory, monkeypatch):
    monkeypatch.setenv("REPOSITORY_URL", "https://example.com/acme/models")
    factory.publish(factory.train(), factory.register())
    events = factory.events()
    added = events["-train", "OTHER"]
    assert added["run"]["runId"] == events["-train", "COMPLETE"]["run"]["runId"]
    code = added["job"]["facets"]["sourceCodeLocation"]
    assert (code["repoUrl"], code["version"]) == ("https://example.com/acme/models", "4b825dc")
    (output,) = added["outputs"]
    tags = {tag["key"]: tag["value"] for tag in output["facets"]["tags"]["tags"]}
    assert (tags["metric.auc"], tags["artifact_digest"]) == ("0.81", "0a0a")
    assert output["outputFacets"]["outputStatistics"]["size"] == 999
    assert output["facets"]["symlinks"]["identifiers"][0]["name"] == "m/model.tar.gz"


def test_deployment_leads_from_version_to_endpoint(factory):
    factory.publish(factory.register(), factory.deploy("rolled back"))
    end = factory.events()["-deploy", "FAIL"]
    assert [each["name"] for each in end["inputs"]] == [factory.cloud.name]
    assert [each["name"] for each in end["outputs"]] == [f"endpoint/{factory.cloud.name}"]
    assert {each["namespace"] for each in (*end["inputs"], *end["outputs"])} == {f"sagemaker://{REGION}.{ACCOUNT}"}
    assert end["run"]["facets"]["errorMessage"]["message"] == "rolled back: alarm"


@pytest.mark.parametrize(("objects", "named"), [(200, 201), (202, 1)])
def test_long_manifest_is_named_as_a_whole(factory, objects, named):
    factory.manifest["objects"] *= objects // 2
    factory.publish(factory.register())
    whole, *others = factory.events()["-train", "OTHER"]["inputs"]
    assert whole["inputFacets"]["inputStatistics"]["fileCount"] == objects
    assert 1 + len(others) == named


def test_same_records_again_change_nothing(factory):
    written = [factory.train(), factory.register(), factory.deploy()]
    factory.publish(*written)
    before = factory.events(), factory.cards(), factory.lineage
    factory.function.calls.clear()
    factory.publish(*written)
    assert (factory.events(), factory.cards(), factory.lineage) == before
    # Messages to its own queue, and objects that S3 refuses because they exist.
    assert set(factory.function.changes) <= {"PutObject", "SendMessage"}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"account": "999999999999"}, "another account"),
        (
            {"detail": {"bucket": {"name": "other"}, "object": {"key": "m/chain/9999999998-1.json"}}},
            "not the records bucket",
        ),
        ({"detail-type": "Object Deleted"}, "Object Deleted"),
    ],
)
def test_invalid_event_is_refused(factory, changes, reason):
    factory.function.logged()
    factory.publish(factory.created("m/chain/9999999998-1.json") | changes)
    assert any(reason in line.get("reason", "") for line in factory.function.logged())


@pytest.mark.parametrize("body", ["[]", "no json", '{"detail-type": 7}'])
def test_message_that_is_no_event_is_refused(factory, body):
    factory.function.logged()
    assert factory.function(message(body, "_records")) == []
    assert any("message refused" in line["message"] for line in factory.function.logged())


def test_record_of_environment_is_not_published(factory):
    factory.function.logged()
    factory.publish(factory.created("_environment/chain/9999999998-1.json"))
    assert any("about no model" in line["message"] for line in factory.function.logged())
    assert factory.function.changes == []


def test_failure_of_one_part_leaves_the_others(factory, monkeypatch):
    registered = factory.register()
    monkeypatch.setattr(factory.function.module.Cards, "refresh", lambda *_: 1 / 0)
    factory.function.logged()
    assert factory.deliver(registered) == [factory.model]
    (failed,) = [line for line in factory.function.logged() if line["message"] == "message failed"]
    assert failed["exception_name"] == "ZeroDivisionError"
    assert factory.events()
    assert factory.lineage[1]


def test_new_record_reaches_the_queue_of_a_rule(factory):
    """The event that S3 sends for a record is one that the publisher accepts; markers send none to the rule."""
    sqs, events, name = factory.cloud.client("sqs"), factory.cloud.client("events"), f"{factory.cloud.name}-publisher"
    attributes = {"FifoQueue": "true", "ContentBasedDeduplication": "true"}
    url = sqs.create_queue(QueueName=f"{name}.fifo", Attributes=attributes)["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}.fifo"
    allowed = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage"}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy(allowed | {"Resource": arn})})
    pattern = {
        "source": ["aws.s3"],
        "detail": {"bucket": {"name": [factory.bucket]}, "object": {"key": [{"wildcard": "*/chain/*.json"}]}},
    }
    events.put_rule(Name=name, EventPattern=json.dumps(pattern))
    target = {"Id": "queue", "Arn": arn, "SqsParameters": {"MessageGroupId": "_records"}}
    events.put_targets(Rule=name, Targets=[target])
    factory.s3.put_bucket_notification_configuration(
        Bucket=factory.bucket, NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    factory.train()
    (received,) = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    factory.publish(json.loads(received["Body"]))
    assert ("-train", "COMPLETE") in factory.events()
