"""Queues, functions, alarms and alerts of an environment: the stack with its shared resources."""

import pytest
from aws_cdk.assertions import Match

FUNCTIONS = [
    "retrain",
    "deploy",
    "score",
    "recorder",
    "publisher",
    "monitor",
    "record-signer",
    "alerts",
    "endpoint-cleanup",
]
QUEUES = ["retrain", "deploy", "score", "recorder", "publisher"]
"""Queues whose functions send an alert for each message that they give up."""
PROD = "333333333333-us-east-1"


def test_queues_topic_and_logs_use_the_environment_key(foundation):
    encrypted = [queue["KmsMasterKeyId"] for queue in foundation.all("SQS::Queue")]
    encrypted += [topic["KmsMasterKeyId"] for topic in foundation.all("SNS::Topic")]
    encrypted += [group["KmsKeyId"] for group in foundation.all("Logs::LogGroup")]
    assert len(encrypted) == 2 * len([*QUEUES, "alerts"]) + 1 + 1 + len(FUNCTIONS)
    assert all("EncryptionKey" in str(key) for key in encrypted)


@pytest.mark.parametrize(("purpose", "timeout"), [("retrain", 60), ("deploy", 120)])
def test_trigger_queues_are_fifo_with_dead_letters(foundation, purpose, timeout):
    dead_letters = {"QueueName": f"acme-prod-{purpose}-dead-letters.fifo", "FifoQueue": True}
    ((logical_id, _),) = foundation.cdk.find_resources("AWS::SQS::Queue", {"Properties": dead_letters}).items()
    foundation.cdk.has_resource_properties(
        "AWS::SQS::Queue",
        {
            "QueueName": f"acme-prod-{purpose}.fifo",
            "FifoQueue": True,
            "ContentBasedDeduplication": True,
            "RedrivePolicy": {"maxReceiveCount": 5, "deadLetterTargetArn": {"Fn::GetAtt": [logical_id, "Arn"]}},
            "VisibilityTimeout": 6 * timeout,
        },
    )
    foundation.cdk.has_resource_properties(
        "AWS::Lambda::Function", {"FunctionName": f"acme-prod-{purpose}", "Timeout": timeout}
    )


def test_functions_report_each_failed_message(foundation):
    foundation.cdk.resource_count_is("AWS::Lambda::EventSourceMapping", len([*QUEUES, "alerts"]))
    foundation.cdk.all_resources_properties(
        "AWS::Lambda::EventSourceMapping",
        {
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
            "BatchSize": 1,
            "ScalingConfig": {"MaximumConcurrency": 10},
        },
    )


@pytest.mark.parametrize("purpose", FUNCTIONS)
def test_functions_are_traced_and_logged(foundation, purpose):
    foundation.cdk.has_resource_properties(
        "AWS::Lambda::Function",
        {
            "FunctionName": f"acme-prod-{purpose}",
            "Handler": "handler.handler",
            "TracingConfig": {"Mode": "Active"},
            "Environment": {
                "Variables": {"FACTORY_ENVIRONMENT": "prod", "MODELS_PARAMETER_PREFIX": "/acme/prod/models/"}
            },
        },
    )
    foundation.cdk.has_resource_properties(
        "AWS::Logs::LogGroup",
        {
            "LogGroupName": f"/aws/lambda/acme-prod-{purpose}",
            "RetentionInDays": 365,
            "KmsKeyId": Match.any_value(),
        },
    )


def test_powertools_is_the_layer_that_aws_publishes(foundation):
    parameter = {"Default": "/aws/service/powertools/python/arm64/python3.14/latest"}
    ((name, _),) = foundation.cdk.find_parameters("*", parameter).items()
    foundation.cdk.resource_count_is("AWS::Lambda::Function", len(FUNCTIONS))
    foundation.cdk.all_resources_properties("AWS::Lambda::Function", {"Layers": [{"Ref": name}]})


def test_failed_pipeline_steps_are_notified(foundation):
    prefix = "arn:aws:sagemaker:us-east-1:333333333333:pipeline/acme-prod-"
    foundation.cdk.has_resource_properties(
        "AWS::Events::Rule",
        {"EventPattern": {"detail": {"currentStepStatus": ["Failed"], "pipelineArn": [{"prefix": prefix}]}}},
    )


def test_alerts_of_this_environment_are_notified(foundation):
    detail = {"factory": ["acme"], "environment": ["prod"]}
    pattern = {"source": ["model-factory"], "detail-type": ["Model Factory Alert"], "detail": detail}
    foundation.cdk.has_resource_properties("AWS::Events::Rule", {"EventPattern": pattern, "Name": "acme-prod-alert"})


def test_emails_are_subscribed(foundation):
    foundation.cdk.resource_count_is("AWS::SNS::Subscription", 1)
    foundation.cdk.has_resource_properties("AWS::SNS::Subscription", {"Endpoint": "oncall@example.com"})


def test_dead_letters_raise_alarm_without_notification(foundation):
    """The functions send an alert for each message that they give up."""
    watched = {
        a["Dimensions"][0]["Value"]: a.get("AlarmActions")
        for a in foundation.all("CloudWatch::Alarm")
        if a["MetricName"] == "ApproximateNumberOfMessagesVisible"
    }
    assert watched.pop("acme-prod-alerts-dead-letters.fifo")  # its function is the one that tells
    assert watched == {f"acme-prod-{queue}-dead-letters.fifo": None for queue in QUEUES}


@pytest.mark.parametrize(("purpose", "visibility"), [("retrain", 360), ("deploy", 720), ("alerts", 360)])
def test_messages_that_no_function_handles_notify_before_sqs_moves_them(foundation, purpose, visibility):
    alarm = foundation.one("CloudWatch::Alarm", AlarmName=f"acme-prod-{purpose}-waiting")
    assert (alarm["MetricName"], alarm["Statistic"]) == ("ApproximateAgeOfOldestMessage", "Maximum")
    assert 4 * visibility <= alarm["Threshold"] < 5 * visibility
    assert alarm["AlarmActions"]


def test_each_undelivered_event_notifies(foundation):
    """The sum of messages sent returns to zero; a number of messages in the queue would stay until somebody reads them."""
    alarm = foundation.one("CloudWatch::Alarm", AlarmName="acme-prod-undelivered")
    assert (alarm["MetricName"], alarm["Statistic"]) == ("NumberOfMessagesSent", "Sum")
    assert alarm["AlarmActions"]


def test_functions_find_their_queues_in_environment_variables(foundation):
    for purpose in QUEUES:
        variables = foundation.one("Lambda::Function", FunctionName=f"acme-prod-{purpose}")["Environment"]["Variables"]
        assert {"QUEUE_URL", "DEAD_LETTER_QUEUE_URL"} < set(variables)
        assert variables["MAX_RECEIVES"] == "5"


def test_alarms_and_the_alerts_function_alone_publish_to_the_topic(foundation):
    key, topic = (
        foundation.one("KMS::Key", EnableKeyRotation=True)["KeyPolicy"],
        foundation.one("SNS::TopicPolicy")["PolicyDocument"],
    )
    services = [s["Principal"]["Service"] for s in topic["Statement"] if "Service" in s["Principal"]]
    assert services == ["cloudwatch.amazonaws.com"]
    assert not [s for s in key["Statement"] if s.get("Sid") == "RulesToTopics"]
    (statement,) = [s for s in foundation.statements("acme-prod-alerts") if s["Action"] == ["sns:Publish"]]
    assert statement["Resource"] == ["arn:aws:sns:us-east-1:333333333333:acme-prod-alerts"]


def test_alarms_steps_and_alerts_go_to_the_alerts_function(foundation):
    every = {rule["Name"]: rule for rule in foundation.all("Events::Rule")}
    rules = {name: rule for name, rule in every.items() if "-record-" not in name and "-publish-" not in name}
    assert set(rules) == {f"acme-prod-{purpose}" for purpose in ("alert", "alarms", "pipeline-failed")}
    targets = [target for rule in rules.values() for target in rule["Targets"]]
    assert all("AlertNotifierQueue" in str(target["Arn"]) for target in targets)
    assert [target["SqsParameters"] for target in targets] == [{"MessageGroupId": "alerts"}] * 3
    assert all("undelivered" in str(target["DeadLetterConfig"]) for target in targets)


def test_scaling_permissions_cover_alarms_without_name(foundation):
    statements = foundation.statements("acme-prod-deploy")
    (scaling,) = [s for s in statements if "cloudwatch:PutMetricAlarm" in s["Action"]]
    assert set(scaling["Action"]) == {f"cloudwatch:{a}" for a in ("DescribeAlarms", "PutMetricAlarm", "DeleteAlarms")}
    assert scaling["Resource"] == ["arn:aws:cloudwatch:us-east-1:333333333333:alarm:*"]


def test_alarms_publish_to_the_alerts_topic(foundation):
    topic = "arn:aws:sns:us-east-1:333333333333:acme-prod-alerts"
    for alarm in foundation.all("CloudWatch::Alarm"):
        reports_state_only = alarm["AlarmName"] in {f"acme-prod-{queue}-dead-letters" for queue in QUEUES}
        assert alarm.get("AlarmActions") == (None if reports_state_only else [topic]), alarm["AlarmName"]
    foundation.cdk.has_resource_properties("AWS::SNS::Topic", {"TopicName": "acme-prod-alerts"})


def test_deploy_function_passes_roles_to_sagemaker_only(foundation):
    (passing,) = [s for s in foundation.statements("acme-prod-deploy") if "iam:PassRole" in s["Action"]]
    assert passing["Resource"] == ["arn:aws:iam::333333333333:role/acme-prod-*-endpoint-use1"]
    assert passing["Condition"]["StringEquals"]["iam:PassedToService"] == "sagemaker.amazonaws.com"


def test_events_go_to_the_recorder_in_groups_of_their_own(foundation):
    rules = [rule for rule in foundation.all("Events::Rule") if "-record-" in rule["Name"]]
    groups = [target["SqsParameters"]["MessageGroupId"] for rule in rules for target in rule["Targets"]]
    assert sorted(groups) == ["_alarms", "_executions", "_settings", "_versions"]


def test_new_records_and_executions_go_to_the_publisher(foundation):
    rules = {rule["Name"]: rule for rule in foundation.all("Events::Rule") if "-publish-" in rule["Name"]}
    records, executions = rules["acme-prod-publish-records"], rules["acme-prod-publish-executions"]
    assert records["EventPattern"]["detail"] == {
        "bucket": {"name": [f"acme-prod-records-{PROD}"]},
        "object": {"key": [{"wildcard": "*/chain/*.json"}]},
    }
    trainings, monitors = executions["EventPattern"]["detail"]["$or"]
    assert trainings["currentPipelineExecutionStatus"] == ["Executing"]
    assert len(monitors["currentPipelineExecutionStatus"]) == 4
    groups = [target["SqsParameters"]["MessageGroupId"] for rule in (records, executions) for target in rule["Targets"]]
    assert groups == ["_records", "_executions"]
    bucket = foundation.one("S3::Bucket", BucketName=f"acme-prod-records-{PROD}")
    assert bucket["NotificationConfiguration"] == {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}


def test_publisher_sends_to_its_own_queue(foundation):
    sends = [s for s in foundation.statements("acme-prod-publisher") if "sqs:SendMessage" in s["Action"]]
    queues = {resource.rpartition(":")[2] for s in sends for resource in s["Resource"]}
    assert {"acme-prod-publisher.fifo", "acme-prod-publisher-dead-letters.fifo"} == queues


def test_model_cards_are_encrypted_with_the_key_of_the_environment(foundation):
    variables = foundation.one("Lambda::Function", FunctionName="acme-prod-publisher")["Environment"]["Variables"]
    uses = [s for s in foundation.statements("acme-prod-publisher") if "kms:GenerateDataKey" in s["Action"]]
    assert [s["Resource"] for s in uses] == [[variables["MODEL_CARD_KEY"]]]


def test_publisher_writes_events_alone(foundation):
    writes = [s for s in foundation.statements("acme-prod-publisher") if "s3:PutObject" in s["Action"]]
    assert [s["Resource"] for s in writes] == [[f"arn:aws:s3:::acme-prod-artifacts-{PROD}/_openlineage/*"]]


def test_publisher_knows_endpoint_and_reads_its_key_alone(foundation):
    function = foundation.one("Lambda::Function", FunctionName="acme-prod-publisher")
    variables = function["Environment"]["Variables"]
    assert variables["OPENLINEAGE_URL"] == "https://lineage.example.com/api/v1/lineage"
    assert variables["OPENLINEAGE_KEY_PARAMETER"] == "/acme/openlineage-key"
    (reading,) = [s for s in foundation.statements("acme-prod-publisher") if "ssm:GetParameter" in s["Action"]]
    assert reading["Resource"] == ["arn:aws:ssm:us-east-1:333333333333:parameter/acme/openlineage-key"]
