"""The publisher: OpenLineage events, model cards and lineage entities follow from records, however often they are published."""

import hashlib
import json
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from model_factory.functions.shared import chain

from .cloud import ACCOUNT, REGION, event, message, policy
from .lineage_events import checked

NOW = datetime(2026, 11, 25, 12, 0, 0, tzinfo=UTC)
SAGEMAKER = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}"
EVALUATION = {
    "gate": {"passed": 1, "reason": "auc 0.81 is at least 0.7", "metric": "auc", "value": 0.81},
    "problem": "binary_classification",
    "metrics": {"auc": {"value": 0.81, "low": 0.8, "high": 0.82}, "f1": {"value": None}},
    "rows": 100,
    "champion": {"version": 1, "metrics": {"auc": {"value": 0.8, "low": 0.79, "high": 0.81}}},
    "uses": {"intended": "Rank offers.", "limits": "Not for loans."},
}
STATISTICS = {
    "dataset": {"item_count": 7},
    "features": [
        {
            "name": "age",
            "numerical_statistics": {"common": {"num_present": 6, "num_missing": 1}, "sum": 9.5, "min": 1, "max": 4},
        },
        {"name": "city", "string_statistics": {"common": {"num_present": 7, "num_missing": 0}, "distinct_count": 2.0}},
    ],
}


class Factory:
    """Records of a model as the recorder writes them, and the events about them."""

    def __init__(self, cloud, function):
        self.cloud, self.function = cloud, function
        self.s3, self.bucket, self.model = cloud.client("s3"), cloud.bucket, cloud.model
        self.sagemaker = cloud.client("sagemaker")
        self.sequence = 0
        self.execution = f"{SAGEMAKER}:pipeline/{cloud.name}-train/execution/{cloud.model}x"
        self.manifest = {
            "content_digest": "c0ffee",
            "objects": [
                {"bucket": "data", "key": f"{self.model}/raw/{n}.csv", "version_id": f"v{n}", "size": 10, "rows": 3 + n}
                for n in (0, 1)
            ],
        }

    def package(self, version=2):
        return f"{SAGEMAKER}:model-package/{self.cloud.name}/{version}"

    def evidence(self, name, content, source="s3://artifacts/file"):
        body = json.dumps(content).encode()
        digest = hashlib.sha256(body).hexdigest()
        self.s3.put_object(Bucket=self.bucket, Key=chain.evidence_key(self.model, digest), Body=body)
        return {name: {"sha256": digest, "size": len(body), "source": source, "version_id": "v1"}}

    def write(self, kind, facts, *, version=None, subject=None, evidence=None, time=NOW, **more):
        """Write a record with its marker; the event about it."""
        self.sequence += 1
        record = {
            "schema": chain.SCHEMA,
            "sequence": self.sequence,
            "previous": None,
            "id": f"{kind}#{self.sequence}",
            "kind": kind,
            "time": time.isoformat(),
            "recorded": time.isoformat(),
            "factory": "acme",
            "environment": "prod",
            "model": self.model,
            "version": version,
            "subject": subject,
            "by": {"identity": "arn:aws:iam::1:role/ada", "source": "sagemaker", "claimed": None},
            "facts": facts,
            "evidence": evidence or {},
        } | more
        key = chain.record_key(self.model, self.sequence)
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=chain.encode(record))
        self.s3.put_object(Bucket=self.bucket, Key=chain.index_key(record), Body=b"")
        return self.created(key)

    def created(self, key, **changes):
        made = event("object_created") | {"account": ACCOUNT} | changes
        made["detail"]["bucket"]["name"] = self.bucket
        made["detail"]["object"]["key"] = key
        return made

    def register(self, version=2, status="PendingManualApproval"):
        evidence = {
            **self.evidence(
                "manifest", self.manifest, f"s3://artifacts/{self.model}/executions/{version}/manifest.json"
            ),
            **self.evidence("baseline/statistics.json", STATISTICS),
            **self.evidence("evaluation", EVALUATION),
            "artifact": {"sha256": "0a" * 32, "size": 999, "source": "s3://artifacts/a", "version_id": "v1"},
        }
        facts = {
            "ModelApprovalStatus": status,
            "ModelPackageGroupName": self.cloud.name,
            "ModelPackageDescription": "schedule: every night",
            "InferenceSpecification": {
                "Containers": [{"Image": "1.dkr.ecr/sklearn:1", "ModelDataUrl": "s3://artifacts/m/model.tar.gz"}]
            },
            "CustomerMetadataProperties": {
                "pipeline_execution": self.execution,
                "git_commit": "4b825dc",
                "code_digest": "0d1e",
                "data_manifest": "s3://artifacts/manifest.json",
                "artifact_digest": "0a0a",
                "trigger": "schedule",
            },
            "run": {"seed": 7},
        }
        return self.write("registration", facts, version=version, subject=self.package(version), evidence=evidence)

    def train(self, outcome="succeeded"):
        ended = outcome == "succeeded"
        folder = f"{self.model}/executions/{self.model}x/prepare"
        for path, content in (("report/manifest", self.manifest), ("baseline/statistics", STATISTICS)):
            self.s3.put_object(Bucket=self.bucket, Key=f"{folder}/{path}.json", Body=json.dumps(content).encode())
        begin = (NOW - timedelta(minutes=9)).isoformat()
        steps = [
            {
                "name": name,
                "status": "Succeeded",
                "started": begin,
                "ended": NOW.isoformat(),
                "arn": f"{SAGEMAKER}:{arn}",
            }
            for name, arn in (
                ("Prepare", "processing-job/p"),
                ("Train", "training-job/t"),
                ("Evaluate", "processing-job/e"),
            )
        ]
        if ended:
            steps.append(steps[0] | {"name": "Register", "arn": self.package()})
        else:
            steps[-1] |= {"status": "Failed", "failure_reason": "no rows"}
        facts = {
            "outcome": outcome,
            "trigger": "schedule",
            "reason": "every night",
            "failure_reason": None if ended else "Step Evaluate failed",
            "started": begin,
            "steps": steps,
        }
        return self.write("training", facts, subject=self.execution)

    def deploy(self, outcome="succeeded", version=2, configuration="c1"):
        facts = {
            "endpoint": self.cloud.name,
            "configuration": f"{self.cloud.name}-{configuration}",
            "started": NOW.isoformat(),
            "outcome": outcome,
            "reason": None if outcome == "succeeded" else "alarm",
        }
        later = NOW + timedelta(minutes=5)
        return self.write("deployment", facts, version=version, subject=self.package(version), time=later)

    def publish(self, *events):
        assert self.function(*(message(each, "_records") for each in events)) == []

    def publish_entities(self, *events):
        """Change the lineage entities as for these events, and nothing else."""
        module = self.function.module
        records = module.Records(self.s3, self.bucket, self.bucket)
        entities = module.Entities(self.sagemaker, records, "acme-prod")
        for each in events:
            record = records.read(each["detail"]["object"]["key"])
            {"registration": entities.registered, "deployment": entities.deployed}[record["kind"]](record)

    def events(self):
        """All OpenLineage events of the model, by run's job and kind, each checked against the specification."""
        found = {}
        listed = self.s3.list_objects_v2(Bucket=self.bucket, Prefix=f"_openlineage/{self.model}/")
        for entry in listed.get("Contents", []):
            content = json.loads(self.s3.get_object(Bucket=self.bucket, Key=entry["Key"])["Body"].read())
            checked(content)
            found[content["job"]["name"].removeprefix(self.cloud.name), content["eventType"]] = content
        return found

    def cards(self):
        listed = self.sagemaker.list_model_cards(NameContains=f"{self.cloud.name}-v")["ModelCardSummaries"]
        described = [self.sagemaker.describe_model_card(ModelCardName=each["ModelCardName"]) for each in listed]
        return [{key: value for key, value in card.items() if key != "ResponseMetadata"} for card in described]

    @property
    def lineage(self):
        """Entities and associations of the model."""
        state = self.cloud.state
        entities = {arn for arn, each in state.lineage.items() if self.model in each["Source"]["SourceUri"]}
        return entities, {ends for ends in state.associations if entities & set(ends)}


@pytest.fixture
def factory(cloud, load, monkeypatch):
    monkeypatch.setenv("RECORDS_BUCKET", cloud.bucket)
    monkeypatch.setenv("ARTIFACTS_BUCKET", cloud.bucket)
    monkeypatch.setenv("DATA_BUCKET", "data")
    return Factory(cloud, load("publisher"))


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
    assert output["facets"]["symlinks"]["identifiers"][0]["name"] == "m/model.tar.gz"


def test_deployment_leads_from_version_to_endpoint(factory):
    factory.publish(factory.register(), factory.deploy("rolled back"))
    end = factory.events()["-deploy", "FAIL"]
    assert [each["name"] for each in end["inputs"]] == [factory.cloud.name]
    assert [each["name"] for each in end["outputs"]] == [f"endpoint/{factory.cloud.name}"]
    assert end["run"]["facets"]["errorMessage"]["message"] == "rolled back: alarm"


def test_long_manifest_is_named_as_a_whole(factory):
    factory.manifest["objects"] *= 101
    factory.publish(factory.register())
    (only,) = factory.events()["-train", "OTHER"]["inputs"]
    assert only["inputFacets"]["inputStatistics"]["fileCount"] == 202


def test_card_has_what_the_records_say(factory):
    factory.publish(factory.register(), factory.train())
    (card,) = factory.cards()
    content = json.loads(card["Content"])
    assert (card["ModelCardStatus"], content["model_overview"]["model_version"]) == ("PendingReview", 2)
    assert content["intended_uses"]["intended_uses"] == "Rank offers."
    assert content["additional_information"]["caveats_and_recommendations"] == "Not for loans."
    (evaluation,) = content["evaluation_details"]
    metrics = {group["name"]: group["metric_data"] for group in evaluation["metric_groups"]}
    assert metrics["Test rows"] == [
        {"name": "auc", "type": "number", "value": 0.81, "notes": "95 % interval: 0.8 to 0.82"}
    ]
    assert "Live version 1 on the same rows" in metrics
    assert content["training_details"]["training_job_details"]["training_arn"] == f"{SAGEMAKER}:training-job/t"


def test_card_follows_approvals_and_deployments(factory):
    registered = factory.register()
    approved = factory.write(
        "approval",
        {"decision": "Approved", "reason": "fine"},
        version=2,
        subject=factory.package(),
        time=NOW + timedelta(minutes=1),
    )
    deployed = factory.deploy()
    factory.publish(deployed, approved, registered)
    (card,) = factory.cards()
    details = json.loads(card["Content"])["additional_information"]["custom_details"]
    assert card["ModelCardStatus"] == "Approved"
    assert details["approval_2"].endswith("Approved by arn:aws:iam::1:role/ada: fine")
    assert "succeeded" in details["deployment_3"]


def test_refused_decision_changes_no_card(factory):
    factory.publish(factory.register())
    refused = {"refused": "approval#2", "what": "the approval status was not set", "error": "denied"}
    factory.publish(factory.write("approval", refused, version=2, subject=factory.package()))
    (card,) = factory.cards()
    assert card["ModelCardStatus"] == "PendingReview"


def test_lineage_leads_from_endpoint_to_manifest(factory):
    factory.publish(factory.register(), factory.deploy())
    (context,) = factory.sagemaker.list_contexts(SourceUri=f"{SAGEMAKER}:endpoint/{factory.cloud.name}")[
        "ContextSummaries"
    ]
    found = factory.sagemaker.query_lineage(
        StartArns=[context["ContextArn"]], Direction="Ascendants", Filters={"Types": ["DataSet"]}
    )
    (vertex,) = found["Vertices"]
    artifact = factory.sagemaker.describe_artifact(ArtifactArn=vertex["Arn"])
    assert artifact["Source"]["SourceUri"].endswith("/manifest.json")
    assert artifact["Source"]["SourceTypes"] == [{"SourceIdType": "S3Version", "Value": "v1"}]
    assert artifact["Properties"]["git_commit"] == "4b825dc"


def test_same_records_again_change_nothing(factory):
    written = [factory.train(), factory.register(), factory.deploy()]
    factory.publish(*written)
    before = factory.events(), factory.cards(), factory.lineage
    factory.function.calls.clear()
    factory.publish(*written)
    assert (factory.events(), factory.cards(), factory.lineage) == before
    assert set(factory.function.changes) <= {"PutObject"}  # refused by S3: the objects exist


@pytest.fixture
def kept(factory, monkeypatch):
    """A smaller number of versions and deployments that have entities."""
    monkeypatch.setitem(factory.function.module.Entities.registered.__globals__, "KEPT", 2)
    return 2


def test_entities_of_oldest_version_and_deployment_are_deleted(factory, kept):
    for version in range(1, kept + 2):
        factory.publish_entities(factory.register(version))
        factory.publish_entities(factory.deploy(version=version, configuration=f"c{version}"))
    entities, associations = factory.lineage
    manifests = [arn for arn in entities if factory.cloud.state.lineage[arn].get("ArtifactType") == "DataSet"]
    actions = [arn for arn in entities if ":action/" in arn]
    assert (len(manifests), len(actions), len(associations)) == (kept, kept, 3 * kept)


def test_configuration_that_is_deployed_again_keeps_its_action(factory, kept):
    factory.publish_entities(factory.register())
    for configuration in ("c1", "c2", "c1", "c3"):
        factory.publish_entities(factory.deploy(configuration=configuration))
    actions = {arn.rpartition("-")[2] for arn in factory.lineage[0] if ":action/" in arn}
    assert actions == {"c1", "c3"}


def test_deployed_version_keeps_its_entities(factory, kept):
    factory.publish_entities(factory.register(1), factory.deploy(version=1))
    for version in range(2, kept + 3):
        factory.publish_entities(factory.register(version))
    sources = {factory.cloud.state.lineage[arn]["Source"]["SourceUri"] for arn in factory.lineage[0]}
    assert f"s3://artifacts/{factory.model}/executions/1/manifest.json" in sources
    assert f"s3://artifacts/{factory.model}/executions/2/manifest.json" not in sources


def test_deletion_archives_cards_and_deletes_entities(factory):
    factory.publish(factory.register(), factory.deploy())
    stack = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{factory.cloud.name}/0a1b"
    facts = {"versions_deleted": True, "endpoint": factory.cloud.name}
    deletion = factory.write("deletion", facts, subject=stack)
    factory.publish(deletion, deletion)
    assert [card["ModelCardStatus"] for card in factory.cards()] == ["Archived"]
    assert factory.lineage == (set(), set())


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


def test_failure_of_one_part_leaves_the_others(factory, monkeypatch):
    registered = factory.register()
    monkeypatch.setattr(factory.function.module.Cards, "refresh", lambda *_: 1 / 0)
    assert len(factory.function(message(registered, "_records"))) == 1
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


class Receiver:
    """An HTTP endpoint that answers with a status, and what it got."""

    def __init__(self):
        self.status, self.got = 201, []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append((self.headers["Authorization"], json.loads(body)))
                self.send_response(receiver.status)
                self.send_header("Location", "/elsewhere")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}/api/v1/lineage"


@pytest.fixture
def receiver(factory, monkeypatch):
    started = Receiver()
    name = f"/openlineage/{factory.model}"
    factory.cloud.client("ssm").put_parameter(Name=name, Value="secret", Type="SecureString")
    monkeypatch.setenv("OPENLINEAGE_URL", started.url)
    monkeypatch.setenv("OPENLINEAGE_KEY_PARAMETER", name)
    yield started
    started.server.shutdown()


def test_events_are_sent_with_key(factory, receiver):
    factory.publish(factory.register())
    ((authorization, sent),) = receiver.got
    assert authorization == "Bearer secret"
    assert [sent] == list(factory.events().values())


@pytest.mark.parametrize("status", [302, 429, 503])
def test_endpoint_that_fails_gets_the_same_event_again(factory, receiver, status):
    receiver.status, registered = status, factory.register()
    assert len(factory.function(message(registered, "_records"))) == 1
    receiver.status = 201
    factory.publish(registered)
    assert receiver.got[0] == receiver.got[1]
    assert len(factory.cards()) == 1


def test_event_that_endpoint_refuses_is_given_up_at_once(factory, receiver):
    receiver.status = 400
    factory.function.logged()
    factory.publish(factory.register())
    assert any("answers with 400" in line.get("reason", "") for line in factory.function.logged())


def test_refused_event_keeps_none_from_the_bucket(factory, receiver):
    receiver.status, trained = 401, factory.train()
    factory.publish(trained)
    assert len(receiver.got) == 1
    assert len(factory.events()) == 8
    receiver.status = 201
    factory.publish(trained)
    assert ("-train", "COMPLETE") in factory.events()


def test_replaced_key_is_used_for_the_next_message(factory, receiver):
    factory.publish(factory.register())
    name = f"/openlineage/{factory.model}"
    factory.cloud.client("ssm").put_parameter(Name=name, Value="new", Type="SecureString", Overwrite=True)
    factory.publish(factory.register(3))
    assert [authorization for authorization, _ in receiver.got] == ["Bearer secret", "Bearer new"]


def test_all_pages_of_associations_are_deleted(factory):
    factory.publish(factory.register())
    (manifest,) = [
        arn for arn in factory.lineage[0] if factory.cloud.state.lineage[arn].get("ArtifactType") == "DataSet"
    ]
    for number in range(12):  # ListAssociations has ten in a page
        used = factory.sagemaker.create_artifact(
            Source={"SourceUri": f"s3://artifacts/{factory.model}/{number}"}, ArtifactType="DataSet"
        )
        factory.sagemaker.add_association(SourceArn=manifest, DestinationArn=used["ArtifactArn"])
    stack = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{factory.cloud.name}/0a1b"
    facts = {"versions_deleted": True, "endpoint": factory.cloud.name}
    factory.publish(factory.write("deletion", facts, subject=stack))
    assert manifest not in factory.lineage[0]
