"""Records of a model as the recorder writes them, the events about them, and what the publisher makes of them."""

import hashlib
import json
from datetime import UTC, datetime, timedelta

from moto.sqs.models import sqs_backends

from model_factory.functions.shared import chain

from .cloud import ACCOUNT, REGION, event, message
from .lineage_events import checked

NOW = datetime(2026, 11, 25, 12, 0, 0, tzinfo=UTC)
SAGEMAKER = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}"
CARD_KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0a1b"
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
                "libraries_digest": "11b5",
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
        assert [group for each in events for group in self.deliver(each)] == []

    def deliver(self, event, attempt=1):
        """Deliver an event as a rule does, and the messages that follow; groups of the messages that return to the queue."""
        returned, following = [], [message(event, "_records")]
        while following:
            record = following.pop(0)
            record["attributes"]["ApproximateReceiveCount"] = str(attempt)
            if self.function(record):
                returned.append(record["attributes"]["MessageGroupId"])
            following += [message(each.body, each.group_id) for each in self._queued()]
        return returned

    def _queued(self):
        """Messages that the function sent to its own queue, taken from it."""
        queue = sqs_backends[ACCOUNT][REGION].queues[f"{self.cloud.name}-publisher.fifo"]
        taken = list(queue._messages)
        queue._messages.clear()
        return taken

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
