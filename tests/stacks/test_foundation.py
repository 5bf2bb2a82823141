"""What an environment has once."""

import pytest

BUCKETS = ["data", "artifacts", "records", "logs"]


@pytest.fixture(params=BUCKETS)
def bucket(request, foundation):
    return foundation.one("S3::Bucket", BucketName=f"acme-prod-{request.param}-333333333333-us-east-1")


def test_buckets_are_versioned_encrypted_and_never_public(bucket):
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}


def test_buckets_answer_over_tls_only(foundation):
    policies = foundation.all("S3::BucketPolicy")
    assert len(policies) == len(BUCKETS)
    for policy in policies:
        denied = [s for s in policy["PolicyDocument"]["Statement"] if s["Effect"] == "Deny"]
        assert {"Bool": {"aws:SecureTransport": "false"}} in [s["Condition"] for s in denied]


def test_records_cannot_be_rewritten_for_a_year_where_data_is_retained(foundation, dev_foundation):
    kept = foundation.one("S3::Bucket", BucketName="acme-prod-records-333333333333-us-east-1")
    rule = kept["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]
    assert rule == {"Mode": "GOVERNANCE", "Days": 365}
    dev = dev_foundation.one("S3::Bucket", BucketName="acme-dev-records-111111111111-eu-west-1")
    assert "ObjectLockConfiguration" not in dev


def test_compliance_mode_lets_nobody_shorten_it(isolated_foundation):
    kept = isolated_foundation.one("S3::Bucket", BucketName="acme-vault-records-444444444444-eu-central-1")
    assert kept["ObjectLockConfiguration"]["Rule"]["DefaultRetention"] == {"Mode": "COMPLIANCE", "Days": 365}


def test_access_to_buckets_is_logged_and_old_objects_are_tidied_up(bucket, foundation):
    assert bucket["LifecycleConfiguration"]["Rules"][0]["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] == 7
    logged = [each for each in foundation.all("S3::Bucket") if "LoggingConfiguration" in each]
    assert [each["LoggingConfiguration"]["LogFilePrefix"] for each in logged] == ["data/", "artifacts/", "records/"]


def test_queues_topic_and_logs_are_encrypted_with_the_environments_key(foundation):
    encrypted = [queue["KmsMasterKeyId"] for queue in foundation.all("SQS::Queue")]
    encrypted += [topic["KmsMasterKeyId"] for topic in foundation.all("SNS::Topic")]
    encrypted += [group["KmsKeyId"] for group in foundation.all("Logs::LogGroup")]
    assert len(encrypted) == 5 + 1 + 3
    assert all("EncryptionKey" in str(key) for key in encrypted)


@pytest.mark.parametrize(("stack", "policy"), [("foundation", "Retain"), ("dev_foundation", "Delete")])
def test_removal_decides_what_happens_to_data_when_the_stack_is_deleted(request, stack, policy):
    template = request.getfixturevalue(stack)
    kept = [r for r in template.resources.values() if r["Type"] in ("AWS::S3::Bucket", "AWS::KMS::Key")]
    assert len(kept) == len(BUCKETS) + 1
    assert {r["DeletionPolicy"] for r in kept} == {policy}


def test_old_versions_of_data_do_not_expire_because_manifests_name_them(foundation):
    (rule,) = foundation.one("S3::Bucket", BucketName="acme-prod-data-333333333333-us-east-1")[
        "LifecycleConfiguration"
    ]["Rules"]
    assert "NoncurrentVersionExpiration" not in rule
    assert rule["NoncurrentVersionTransitions"]


def test_the_key_rotates(foundation):
    assert foundation.one("KMS::Key")["EnableKeyRotation"] is True
    assert foundation.one("KMS::Alias")["AliasName"] == "alias/acme-prod"


@pytest.mark.parametrize(("purpose", "timeout"), [("retrain", 60), ("deploy", 120)])
def test_trigger_queues_are_ordered_and_hand_over_what_fails_three_times(foundation, purpose, timeout):
    queue = foundation.one("SQS::Queue", QueueName=f"acme-prod-{purpose}.fifo")
    assert queue["FifoQueue"] is True
    assert queue["ContentBasedDeduplication"] is True
    assert queue["RedrivePolicy"]["maxReceiveCount"] == 3
    assert queue["VisibilityTimeout"] >= 6 * timeout
    assert foundation.one("Lambda::Function", FunctionName=f"acme-prod-{purpose}")["Timeout"] == timeout
    assert foundation.one("SQS::Queue", QueueName=f"acme-prod-{purpose}-dead-letters.fifo")["FifoQueue"] is True


def test_functions_report_each_failed_message_by_itself(foundation):
    mappings = foundation.all("Lambda::EventSourceMapping")
    assert [m["FunctionResponseTypes"] for m in mappings] == [["ReportBatchItemFailures"]] * 2


@pytest.mark.parametrize("purpose", ["retrain", "deploy", "endpoint-cleanup"])
def test_functions_are_traced_logged_and_find_their_settings(foundation, purpose):
    function = foundation.one("Lambda::Function", FunctionName=f"acme-prod-{purpose}")
    assert function["Handler"] == "handler.handler"
    assert function["TracingConfig"] == {"Mode": "Active"}
    environment = function["Environment"]["Variables"]
    assert environment["FACTORY_ENVIRONMENT"] == "prod"
    assert environment["MODELS_PARAMETER_PREFIX"] == "/acme/prod/models/"
    logs = foundation.one("Logs::LogGroup", LogGroupName=f"/aws/lambda/acme-prod-{purpose}")
    assert logs["RetentionInDays"] == 365
    assert logs["KmsKeyId"]


def test_powertools_is_the_layer_that_aws_publishes(assembly, foundation):
    text = (assembly / "acme-prod-foundation.template.json").read_text()
    assert "/aws/service/powertools/python/arm64/python3.14/latest" in text
    assert all(len(f["Layers"]) == 1 for f in foundation.all("Lambda::Function"))


def test_a_failed_pipeline_execution_is_told(foundation):
    rule = foundation.one("Events::Rule")
    detail = rule["EventPattern"]["detail"]
    assert detail["currentStepStatus"] == ["Failed"]
    assert detail["pipelineArn"] == [{"prefix": "arn:aws:sagemaker:us-east-1:333333333333:pipeline/acme-prod-"}]


def test_people_are_told_by_mail(foundation):
    assert foundation.one("SNS::Subscription")["Endpoint"] == "oncall@example.com"


def test_messages_that_wait_for_a_person_raise_an_alarm(foundation):
    watched = {
        a["Dimensions"][0]["Value"]
        for a in foundation.all("CloudWatch::Alarm")
        if a["MetricName"] == "ApproximateNumberOfMessagesVisible"
    }
    assert watched == {
        "acme-prod-retrain-dead-letters.fifo",
        "acme-prod-deploy-dead-letters.fifo",
        "acme-prod-undelivered",
    }


def test_the_deploy_function_hands_roles_to_sagemaker_only(foundation):
    (passing,) = [s for s in foundation.statements("acme-prod-deploy") if "iam:PassRole" in s["Action"]]
    assert passing["Resource"] == ["arn:aws:iam::333333333333:role/acme-prod-*-endpoint"]
    assert passing["Condition"]["StringEquals"]["iam:PassedToService"] == "sagemaker.amazonaws.com"
