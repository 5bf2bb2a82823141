"""State over a restart: a first life of the embedded AWS fills every store, a second one is asked for what is in them."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from local_aws.server import LocalAws

from . import first_life
from .first_life import ACCOUNT, REGION, TEMPLATE, clients

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[4]


@pytest.fixture(scope="module")
def again(tmp_path_factory):
    """The second life, in another process than the first."""
    folder = tmp_path_factory.mktemp("state")
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    first = subprocess.run(
        [sys.executable, first_life.__file__, folder], env=environment, stdout=subprocess.PIPE, check=True
    )
    known = json.loads(first.stdout)
    with LocalAws(folder, known["port"], keep=True) as local:
        yield SimpleNamespace(local=local, **known, **clients(local))


def test_every_version_of_object_is_there(again):
    versions = again.s3.list_object_versions(Bucket="kept-data", Prefix="rows.csv")["Versions"]
    bodies = {
        again.s3.get_object(Bucket="kept-data", Key="rows.csv", VersionId=v["VersionId"])["Body"].read()
        for v in versions
    }
    assert bodies == {b"first", b"second"}


def test_bucket_still_belongs_to_its_account(again):
    other = again.local.session("222222222222").client("s3")
    with pytest.raises(other.exceptions.BucketAlreadyExists):
        other.create_bucket(Bucket="kept-data")


def test_message_in_flight_returns_first_after_its_timeout(again):
    found = again.sqs.receive_message(QueueUrl=again.url, WaitTimeSeconds=3, MaxNumberOfMessages=10)["Messages"]
    assert [each["Body"] for each in found] == ["taken", "waiting"]


def test_deduplication_id_is_remembered(again):
    sent = {"QueueUrl": again.url, "MessageBody": "again", "MessageGroupId": "other"}
    again.sqs.send_message(**sent, MessageDeduplicationId="id-waiting")
    left = again.sqs.get_queue_attributes(QueueUrl=again.url, AttributeNames=["All"])["Attributes"]
    assert int(left["ApproximateNumberOfMessages"]) + int(left["ApproximateNumberOfMessagesNotVisible"]) == 2


def test_registry_version_is_there(again):
    found = again.sagemaker.list_model_packages(ModelPackageGroupName="models")["ModelPackageSummaryList"]
    assert [(each["ModelPackageVersion"], each["ModelApprovalStatus"]) for each in found] == [(1, "Approved")]


def test_endpoint_answers_after_restart(again):
    answer = again.__dict__["sagemaker-runtime"].invoke_endpoint(EndpointName="live", Body="1", ContentType="text/csv")
    assert answer["Body"].read() == b"alive"


def test_running_execution_fails_and_names_restart(again):
    found = again.sagemaker.describe_pipeline_execution(PipelineExecutionArn=again.execution)
    assert found["PipelineExecutionStatus"] == "Failed"
    assert "The embedded AWS was restarted while the pipeline ran" in found["FailureReason"]
    (name,) = [each["ProcessingJobName"] for each in again.sagemaker.list_processing_jobs()["ProcessingJobSummaries"]]
    ended = again.sagemaker.describe_processing_job(ProcessingJobName=name)
    assert ended["ProcessingJobStatus"] == "Failed"
    assert ended["FailureReason"].startswith("InternalServerError: We encountered an internal error.")


def test_running_tuning_job_fails_with_its_training_job(again):
    found = again.sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName="search")
    assert found["HyperParameterTuningJobStatus"] == "Failed"
    assert found["FailureReason"].startswith("InternalServerError: We encountered an internal error.")
    assert found["TrainingJobStatusCounters"]["NonRetryableError"] == 1


def test_rules_hear_of_what_restart_ended(again):
    url = again.sqs.get_queue_url(QueueName="events")["QueueUrl"]
    failed = set()
    while found := again.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in found:
            event = json.loads(message["Body"])
            if "Failed" in json.dumps(event["detail"]):
                failed.add(event["detail-type"].removeprefix("SageMaker "))
    assert failed == {
        "Processing Job State Change",
        "HyperParameter Tuning Job State Change",
        "Training Job State Change",
        "Model Building Pipeline Execution Step Status Change",
        "Model Building Pipeline Execution Status Change",
    }


def test_schedule_fires(again):
    again.local.post("tick", schedule="nightly", account=ACCOUNT, region=REGION)


def test_function_runs_and_its_mapping_is_there(again):
    answer = again.__dict__["lambda"].invoke(FunctionName="adder", Payload=b'{"n": 1}')
    assert json.load(answer["Payload"]) == 2
    (mapping,) = again.__dict__["lambda"].list_event_source_mappings(FunctionName="adder")["EventSourceMappings"]
    assert mapping["EventSourceArn"].endswith(":work")


def test_parameter_and_key_are_there(again):
    assert again.ssm.get_parameter(Name="/kept/number")["Parameter"]["Value"] == "1"
    encrypted = again.kms.encrypt(KeyId="alias/kept", Plaintext=b"text")["CiphertextBlob"]
    assert again.kms.decrypt(CiphertextBlob=encrypted)["Plaintext"] == b"text"


def test_alarm_has_its_state(again):
    (alarm,) = again.cloudwatch.describe_alarms(AlarmNames=["of-stack"])["MetricAlarms"]
    assert alarm["StateValue"] == "ALARM"
    assert "5.0" in alarm["StateReason"]


def test_unconfirmed_subscription_keeps_its_mail(again):
    assert [mail["to"] for mail in again.local._controls["mail"]({})] == ["ada@example.com"]


def test_stack_is_updated_and_deleted(again):
    assert again.cloudformation.describe_stacks(StackName="small")["Stacks"][0]["Outputs"] == again.outputs
    changed = json.loads(json.dumps(TEMPLATE))
    changed["Resources"]["Queue"]["Properties"]["DelaySeconds"] = 2
    again.cloudformation.update_stack(StackName="small", TemplateBody=json.dumps(changed))
    url = again.sqs.get_queue_url(QueueName="of-stack")["QueueUrl"]
    assert again.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["DelaySeconds"])["Attributes"] == {
        "DelaySeconds": "2"
    }
    again.cloudformation.delete_stack(StackName="small")
    assert not [url for url in again.sqs.list_queues()["QueueUrls"] if url.endswith("of-stack")]
