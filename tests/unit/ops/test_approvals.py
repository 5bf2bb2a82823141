"""`model-factory approve`, `reject` and `promote`, with two accounts on the embedded AWS."""

import hashlib
import json

import pytest
from moto.sqs.models import sqs_backends

from local_aws.server import LocalAws
from model_factory.functions.shared import chain
from model_factory.ops.project import Project

ACCOUNTS = {"dev": "111111111111", "prod": "123456789012"}
REGION = "eu-west-1"


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    with LocalAws(tmp_path_factory.mktemp("aws")) as local:
        yield local


@pytest.fixture
def session(local, project, monkeypatch, tmp_path):
    """Sessions by environment; each has the buckets, queue and model package group that the commands use."""
    lines = []
    for name, account in ACCOUNTS.items():
        credentials = local.accounts.assume(f"arn:aws:iam::{account}:role/administrator", "ada")
        pairs = [f"{key.lower()} = {value}" for key, value in credentials.items()]
        lines += [f"[profile acme-{name}]", f"region = {REGION}", *pairs]
    (tmp_path / "aws-config").write_text("\n".join(lines))
    for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(key, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "aws-config"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", local.endpoint_url)
    sessions = {name: Project(project).environment(name) for name in ACCOUNTS}
    for each in sessions.values():
        _prepare(each)
    return sessions


def _prepare(session) -> None:
    s3, names = session.client("s3"), session.names
    if names.bucket("records") in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]:
        return
    for purpose in ("records", "artifacts"):
        s3.create_bucket(Bucket=names.bucket(purpose), CreateBucketConfiguration={"LocationConstraint": REGION})
    for purpose in ("deploy", "retrain", "recorder"):
        session.client("sqs").create_queue(
            QueueName=names.queue(purpose), Attributes={"FifoQueue": "true", "ContentBasedDeduplication": "true"}
        )
    settings = {
        "endpoint": names.model("churn").endpoint,
        "model_package_group": names.model("churn").model_package_group,
        "serving": {"canary": {"bake": 60.0}},
    }
    session.client("ssm").put_parameter(
        Name=names.model("churn").settings_parameter, Value=json.dumps(settings), Type="String"
    )
    session.client("sagemaker").create_model_package_group(
        ModelPackageGroupName=names.model("churn").model_package_group
    )


def register(session, status: str) -> int:
    """Registers a version whose artifact and report are in the environment's artifact bucket; its number."""
    bucket = session.names.bucket("artifacts")
    for key in ("model.tar.gz", "statistics.json", "profile.json"):
        key = f"churn/executions/1/{key}"
        session.client("s3").put_object(Bucket=bucket, Key=key, Body=b"the bytes of the model")
    statistics = {"ContentType": "application/json", "S3Uri": f"s3://{bucket}/churn/executions/1/statistics.json"}
    sagemaker = session.client("sagemaker")
    arn = sagemaker.create_model_package(
        ModelPackageGroupName=session.names.model("churn").model_package_group,
        ModelApprovalStatus=status,
        InferenceSpecification={
            "Containers": [{"Image": "image", "ModelDataUrl": f"s3://{bucket}/churn/executions/1/model.tar.gz"}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
        ModelMetrics={"ModelQuality": {"Statistics": statistics}},
        CustomerMetadataProperties={"code_digest": "abc"},
    )["ModelPackageArn"]
    return sagemaker.describe_model_package(ModelPackageName=arn)["ModelPackageVersion"]


def version(session, number: int) -> dict:
    arn = session.names.arn("sagemaker", f"model-package/{session.names.model('churn').model_package_group}/{number}")
    return session.client("sagemaker").describe_model_package(ModelPackageName=arn)


def record(session, out: str) -> dict:
    """The record whose id the output has, as it was sent to the recorder; and written, as the recorder does."""
    names = session.names
    messages = sqs_backends[names.account][REGION].queues[names.queue("recorder")]._messages
    sent = {body["id"]: body for body in (json.loads(message.body) for message in messages)}[identifier(out)]
    s3, bucket = session.client("s3"), names.bucket("records")
    chained = s3.list_objects_v2(Bucket=bucket, Prefix=chain.chain_prefix("churn")).get("Contents", [])
    number, previous = len(chained) + 1, None
    if chained:
        previous = chain.digest(s3.get_object(Bucket=bucket, Key=chained[0]["Key"])["Body"].read())
    by = {"identity": "AROA:ada", "source": "sqs-sender", "claimed": sent["by"]}
    links = {"schema": chain.SCHEMA, "sequence": number, "previous": previous, "recorded": sent["time"]}
    about = {"factory": names.factory, "environment": names.environment}
    body = chain.encode(sent | links | about | {"by": by})
    s3.put_object(Bucket=bucket, Key=chain.record_key("churn", number), Body=body)
    return sent


def identifier(out: str) -> str:
    """The id of a record in the output of a command."""
    return out.partition("; record ")[2].split()[0]


def test_newest_pending_version_is_approved_with_audit_record(session, run, project):
    number = register(session["prod"], "PendingManualApproval")
    code, out, err = run("approve", "churn", "--reason", "looks right", "--project", str(project))
    assert code == 0, err
    assert version(session["prod"], number)["ModelApprovalStatus"] == "Approved"
    saved = record(session["prod"], out)
    assert (saved["kind"], saved["facts"]["reason"], saved["version"]) == ("approval", "looks right", number)
    assert saved["by"] == "arn:aws:sts::123456789012:assumed-role/administrator/ada"


def test_rejecting_approved_version_sends_deploy_message(session, run, project):
    number = register(session["prod"], "Approved")
    code, out, err = run("reject", "churn", "--version", str(number), "--reason", "wrong", "--project", str(project))
    assert code == 0, err
    record(session["prod"], out)
    assert version(session["prod"], number)["ModelApprovalStatus"] == "Rejected"
    sqs = session["prod"].client("sqs")
    url = sqs.get_queue_url(QueueName=session["prod"].names.queue("deploy"))["QueueUrl"]
    (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
    assert json.loads(message["Body"])["model"] == "churn"
    code, _, err = run("reject", "churn", "--version", str(number), "--reason", "wrong", "--project", str(project))
    assert (code, f"version {number} of churn is Rejected already, by" in err) == (1, True)


def test_status_without_record_is_completed_once(session, run, project):
    number = register(session["prod"], "PendingManualApproval")
    session["prod"].client("sagemaker").update_model_package(
        ModelPackageArn=version(session["prod"], number)["ModelPackageArn"], ModelApprovalStatus="Approved"
    )
    arguments = ("approve", "churn", "--version", str(number), "--reason", "as agreed", "--project", str(project))
    code, out, err = run(*arguments)
    assert code == 0, err
    assert f"version {number} of churn in prod was Approved already, without a record; record " in out
    saved = record(session["prod"], out)
    person = "arn:aws:sts::123456789012:assumed-role/administrator/ada"
    assert (saved["kind"], saved["by"], saved["facts"]["decided_by"]) == ("approval", person, person)
    code, _, err = run(*arguments)
    assert (code, f"version {number} of churn is Approved already, by {person}: record " in err) == (1, True)


def test_decision_of_another_at_the_same_time_is_told(session, run, project, monkeypatch):
    from ops.delivery import approvals

    number = register(session["prod"], "PendingManualApproval")
    arn = version(session["prod"], number)["ModelPackageArn"]

    def interrupted(*arguments, **options):
        uri = set_approval(*arguments, **options)
        session["prod"].client("sagemaker").update_model_package(
            ModelPackageArn=arn, ModelApprovalStatus="Rejected", ApprovalDescription="bob: too slow"
        )
        return uri

    set_approval = approvals.set_approval
    monkeypatch.setattr("model_factory.ops.delivery.approvals.set_approval", interrupted)
    code, _, err = run("approve", "churn", "--version", str(number), "--reason", "x", "--project", str(project))
    assert code == 1
    assert "but has been set to Rejected since: bob: too slow" in err


def test_unknown_version_is_rejected_with_existing_versions(session, run, project):
    register(session["dev"], "Approved")
    code, _, err = run(
        "approve", "churn", "--env", "dev", "--version", "99", "--reason", "x", "--project", str(project)
    )
    assert code == 1
    assert "churn has no version 99 in dev; there are: v1 Approved" in err


def test_promotion_copies_artifact_and_records_origin(session, run, project):
    number = register(session["dev"], "Approved")
    arguments = ("promote", "churn", "--from", "dev", "--reason", "proven in dev", "--project", str(project))
    code, out, err = run(*arguments)
    assert code == 0, err
    saved = record(session["prod"], out)["facts"]
    promoted = version(session["prod"], int(out.partition(" as version ")[2].partition(",")[0]))
    facts = promoted["CustomerMetadataProperties"]
    assert facts["promotion_record"] == identifier(out)
    assert facts["origin"] == version(session["dev"], number)["ModelPackageArn"] == saved["origin"]
    assert facts["artifact_digest"] == hashlib.sha256(b"the bytes of the model").hexdigest() == saved["artifact_digest"]
    assert facts["code_digest"] == "abc"
    assert promoted["ModelApprovalStatus"] == "PendingManualApproval"
    artifact = promoted["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
    statistics = promoted["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"]
    assert all(
        uri.startswith(f"s3://{session['prod'].names.bucket('artifacts')}/churn/") for uri in (artifact, statistics)
    )
    # The monitor reads the other objects of the folder, too.
    bucket, _, folder = statistics.removeprefix("s3://").partition("/")
    session["prod"].client("s3").head_object(Bucket=bucket, Key=folder.replace("statistics", "profile"))
    code, _, err = run(*arguments)
    assert (code, "was promoted to prod already" in err) == (1, True)


def test_artifact_with_other_digest_is_not_promoted(session, run, project):
    number = register(session["dev"], "Approved")
    session["dev"].client("sagemaker").update_model_package(
        ModelPackageArn=version(session["dev"], number)["ModelPackageArn"],
        CustomerMetadataProperties={"artifact_digest": "0" * 64},
    )
    code, _, err = run("promote", "churn", "--from", "dev", "--reason", "x", "--project", str(project))
    assert code == 1
    assert f"is not the file that version {number}" in " ".join(err.split())


def test_promotion_to_earlier_environment_is_rejected(session, run, project):
    arguments = ("promote", "churn", "--from", "prod", "--env", "dev", "--reason", "x", "--project", str(project))
    code, _, err = run(*arguments)
    assert (code, "dev does not come after prod; the order of promotion is dev, prod" in err) == (1, True)


def test_approve_needs_model_or_delivery_option(run, project):
    code, _, err = run("approve", "--reason", "x", "--project", str(project))
    assert (code, "give the name of a model, or --delivery" in err) == (1, True)
    code, _, err = run("approve", "--delivery", "--reason", "x", "--project", str(project))
    assert (code, "factory.yaml has no `delivery`" in err) == (1, True)


@pytest.fixture
def run_as(session, local, run, project, tmp_path):
    """Runs a command in prod as a role that has the policy of some commands only."""

    def run_as(command, *policies):
        _, document, _ = run("policy", *policies, "--env", "prod", "--project", str(project))
        name, iam = f"person-{'-'.join(policies)}"[:60], session["prod"].client("iam")
        trust = {"Effect": "Allow", "Principal": {"AWS": ACCOUNTS["prod"]}, "Action": "sts:AssumeRole"}
        if name not in [role["RoleName"] for role in iam.list_roles()["Roles"]]:
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))
        iam.put_role_policy(RoleName=name, PolicyName="commands", PolicyDocument=document)
        credentials = local.accounts.assume(session["prod"].names.iam_arn(f"role/{name}"), "grace")
        pairs = [f"{key.lower()} = {value}" for key, value in credentials.items()]
        with (tmp_path / "aws-config").open("a") as config:
            config.write("\n".join(["", f"[profile {name}]", f"region = {REGION}", *pairs, ""]))
        return run(*command, "--env", "prod", "--profile", name, "--project", str(project))

    return run_as


def test_each_command_works_with_its_policy_alone(session, run_as):
    older, newer = register(session["prod"], "Approved"), register(session["prod"], "Approved")
    waiting = register(session["prod"], "PendingManualApproval")
    for command in (
        ["status"],
        ["retrain", "churn"],
        ["redeploy", "churn", "--no-wait"],
        ["rollback", "churn", "--to", str(older), "--no-wait"],
        ["approve", "churn", "--version", str(waiting), "--reason", "x"],
        ["reject", "churn", "--version", str(waiting), "--reason", "x"],
    ):
        code, _, err = run_as(command, command[0])
        assert (code, err) == (0, ""), command
    assert version(session["prod"], newer)["ModelApprovalStatus"] == "Rejected"


def test_approver_without_records_changes_nothing(session, run_as):
    number = register(session["prod"], "PendingManualApproval")
    arguments = ["approve", "churn", "--version", str(number), "--reason", "x"]
    code, _, err = run_as(arguments, "status")
    assert code == 1
    assert (
        "the role person-status of 123456789012 (session grace) needs sqs:GetQueueUrl on arn:aws:sqs:eu-west-1:1" in err
    )
    assert version(session["prod"], number)["ModelApprovalStatus"] == "PendingManualApproval"


def test_policy_of_unknown_command_lists_commands(run, project):
    code, _, err = run("policy", "deploy", "--project", str(project))
    assert (code, "there is no policy for deploy; there are: status, retrain, redeploy" in err) == (1, True)
