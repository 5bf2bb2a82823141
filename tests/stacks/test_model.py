"""Resources of one model in one environment, except its pipeline definitions."""

import json
from datetime import timedelta

import pytest
from aws_cdk.assertions import Match, Template

from model_factory.model.monitor_pipeline import _spread_minutes


@pytest.fixture(scope="session")
def prod(assembly) -> Template:
    """The stack of the model in the environment prod, whose data is retained."""
    return Template.from_json(json.loads((assembly / "acme-prod-churn.template.json").read_text()))


@pytest.fixture(scope="session")
def dev(assembly) -> Template:
    """The stack of the model in the environment dev, whose data is destroyed."""
    return Template.from_json(json.loads((assembly / "acme-dev-churn.template.json").read_text()))


def has_alarm(template, purpose, **properties):
    """The template has the alarm for `purpose` with these properties, among others."""
    template.has_resource_properties("AWS::CloudWatch::Alarm", {"AlarmName": f"acme-prod-churn-{purpose}"} | properties)


def test_retrain_schedule_sends_message_in_group_of_model(model):
    schedule = model.one("Scheduler::Schedule", Name="acme-prod-churn-retrain")
    assert schedule["ScheduleExpression"] == "cron(0 3 * * ? *)"
    assert schedule["ScheduleExpressionTimezone"] == "Europe/Berlin"
    target = schedule["Target"]
    assert target["Arn"] == "arn:aws:sqs:us-east-1:333333333333:acme-prod-retrain.fifo"
    assert target["SqsParameters"] == {"MessageGroupId": "churn"}
    message = json.loads(target["Input"])
    assert message["model"] == "churn"
    assert message["trigger"] == "schedule"
    assert message["id"] == "<aws.scheduler.scheduled-time>"


def test_monitor_schedule_names_what_its_function_looks_at(model):
    target = model.one("Scheduler::Schedule", Name="acme-prod-churn-monitor")["Target"]
    assert target["Arn"] == "arn:aws:lambda:us-east-1:333333333333:function:acme-prod-monitor"
    assert json.loads(target["Input"]) == {
        "model": "churn",
        "pipeline": "acme-prod-churn-monitor",
        "endpoint": "acme-prod-churn",
        "model_package_group": "acme-prod-churn",
        "time": "<aws.scheduler.scheduled-time>",
    }


def test_only_the_function_starts_monitor_pipelines(foundation):
    def started_by(role):
        statements = [s for s in foundation.statements(role) if "sagemaker:StartPipelineExecution" in s["Action"]]
        return [resource.rpartition(":")[2] for s in statements for resource in s["Resource"]]

    assert started_by("acme-prod-monitor") == ["pipeline/acme-prod-*-monitor"]
    assert started_by("acme-prod-scheduler") == ["pipeline/acme-prod-*-score"]


def test_monitor_schedules_are_spread_over_minutes(model):
    schedule = model.one("Scheduler::Schedule", Name="acme-prod-churn-monitor")
    assert schedule["FlexibleTimeWindow"] == {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15}


@pytest.mark.parametrize(("hours", "minutes"), [(24, 15), (1, 15), (0.5, 7), (1 / 60, 1)])
def test_spread_is_quarter_of_interval_at_most(hours, minutes):
    assert _spread_minutes(timedelta(hours=hours)) == minutes


def test_scheduler_role_allows_targets_of_schedules(model, foundation):
    roles = {s["Target"]["RoleArn"] for s in model.all("Scheduler::Schedule")}
    assert roles == {"arn:aws:iam::333333333333:role/acme-prod-scheduler-use1"}
    actions = {action for s in foundation.statements("acme-prod-scheduler") for action in s["Action"]}
    used = {"sqs:SendMessage", "sagemaker:StartPipelineExecution", "kms:GenerateDataKey", "kms:Decrypt"}
    assert actions == used | {"lambda:InvokeFunction"}


def test_undelivered_events_go_to_dead_letter_queue(prod):
    undelivered = {"DeadLetterConfig": {"Arn": "arn:aws:sqs:us-east-1:333333333333:acme-prod-undelivered"}}
    prod.resource_count_is("AWS::Scheduler::Schedule", 2)
    prod.all_resources_properties("AWS::Scheduler::Schedule", {"Target": Match.object_like(undelivered)})
    prod.resource_count_is("AWS::Events::Rule", 2)
    prod.all_resources_properties("AWS::Events::Rule", {"Targets": [Match.object_like(undelivered)]})


def test_alarms_and_end_of_training_send_to_retrain_queue(prod):
    raised = {
        "source": ["aws.cloudwatch"],
        "detail-type": ["CloudWatch Alarm State Change"],
        "detail": {
            "alarmName": ["acme-prod-churn-drift", "acme-prod-churn-model-quality"],
            "state": {"value": ["ALARM"]},
        },
    }
    ended = {
        "source": ["aws.sagemaker"],
        "detail-type": ["SageMaker Model Building Pipeline Execution Status Change"],
        "detail": {
            "pipelineArn": ["arn:aws:sagemaker:us-east-1:333333333333:pipeline/acme-prod-churn-train"],
            "currentPipelineExecutionStatus": ["Executing", "Succeeded", "Failed", "Stopped"],
        },
    }
    prod.has_resource_properties(
        "AWS::Events::Rule",
        {
            "Name": "acme-prod-churn-drift",
            "EventPattern": Match.exact({"$or": [raised, ended]}),
            "Targets": [
                {
                    "Arn": "arn:aws:sqs:us-east-1:333333333333:acme-prod-retrain.fifo",
                    "SqsParameters": {"MessageGroupId": "churn"},
                }
            ],
        },
    )
    for purpose in ("drift", "model-quality"):
        has_alarm(prod, purpose)


def test_versions_endpoint_and_settings_request_deployment(prod):
    decisions = ["Approved", "Rejected", "PendingManualApproval"]
    version = {"ModelPackageGroupName": ["acme-prod-churn"], "ModelApprovalStatus": decisions}
    statuses = ["IN_SERVICE", "FAILED", "OUT_OF_SERVICE", "UPDATE_ROLLBACK_FAILED", "DELETING", "DELETED"]
    endpoint = {"EndpointName": ["acme-prod-churn"], "EndpointStatus": statuses}
    settings = {"name": ["/acme/prod/models/churn"], "operation": ["Create", "Update"]}
    prod.has_resource_properties(
        "AWS::Events::Rule",
        {
            "Name": "acme-prod-churn-approved",
            "EventPattern": {"detail": Match.exact({"$or": [version, endpoint, settings]})},
            "Targets": [
                {
                    "Arn": "arn:aws:sqs:us-east-1:333333333333:acme-prod-deploy.fifo",
                    "SqsParameters": {"MessageGroupId": "churn"},
                }
            ],
        },
    )


def test_settings_parameter_has_values_that_functions_read(model):
    parameter = model.one("SSM::Parameter", Name="/acme/prod/models/churn")
    value = parameter["Value"]
    text = "".join(part if isinstance(part, str) else "token" for part in value["Fn::Join"][1])
    settings = json.loads(text)
    assert len(text) < 4096
    assert settings["training_pipeline"] == "acme-prod-churn-train"
    assert settings["raw_uri"] == "s3://acme-prod-data-333333333333-us-east-1/churn/raw/"
    asked = {"on_drift": True, "on_quality": True, "max_failures": 1, "cooldown_seconds": 7200.0}
    assert settings["retrain"] == asked
    assert settings["serving"]["canary"] == {"percent": 10, "bake": 600.0}
    known = {a["AlarmName"] for a in model.all("CloudWatch::Alarm")}
    assert set(settings["serving"]["rollback_alarms"]) <= known


def test_endpoint_logs_are_encrypted_and_kept_for_a_year(prod):
    prod.has_resource_properties(
        "AWS::Logs::LogGroup",
        {
            "LogGroupName": "/aws/sagemaker/Endpoints/acme-prod-churn",
            "RetentionInDays": 365,
            "KmsKeyId": {"Fn::ImportValue": Match.string_like_regexp("acme-prod-foundation")},
        },
    )


def test_drift_alarm_uses_periods_of_model_yaml(prod):
    has_alarm(
        prod,
        "drift",
        MetricName="DriftedFeatures",
        Dimensions=[{"Name": "Environment", "Value": "prod"}, {"Name": "Model", "Value": "churn"}],
        DatapointsToAlarm=2,
        EvaluationPeriods=3,
        Period=6 * 3600,
    )


def test_missed_monitor_checks_notify_by_missing_data(prod):
    has_alarm(prod, "monitor-missed", TreatMissingData="missing", Period=6 * 3600, EvaluationPeriods=2)


@pytest.mark.parametrize(
    ("purpose", "namespace", "metric", "threshold"),
    [
        ("data-violations", "ModelFactory", "DataViolations", 10),
        ("model-quality", "ModelFactory", "QualityShortfall", 0),
        ("endpoint-errors", "AWS/SageMaker", "Invocation5XXErrors", 3),
        ("endpoint-latency", "AWS/SageMaker", "ModelLatency", 2e6),
    ],
)
def test_alarm_has_metric_and_threshold_and_no_action(prod, purpose, namespace, metric, threshold):
    none = {"AlarmActions": Match.absent(), "InsufficientDataActions": Match.absent()}
    has_alarm(prod, purpose, Namespace=namespace, MetricName=metric, Threshold=threshold, **none)


def test_failed_training_is_notified_by_rule_and_not_by_alarm(prod, foundation):
    has_alarm(prod, "training-failed", MetricName="ExecutionFailed", Threshold=0, AlarmActions=Match.absent())
    rule = foundation.one("Events::Rule", Name="acme-prod-pipeline-failed")
    assert [target["Arn"] for target in rule["Targets"]] != []


def test_training_that_was_not_started_is_notified_by_alert_and_not_by_alarm(prod):
    has_alarm(prod, "retrain-not-started", MetricName="RetrainNotStarted", Threshold=0, AlarmActions=Match.absent())


@pytest.mark.parametrize("purpose", ["drift", "model-quality", "retrain-not-started"])
def test_missing_data_does_not_change_alarm_state(prod, purpose):
    has_alarm(prod, purpose, TreatMissingData="ignore")


def test_stack_deletion_deletes_endpoint_and_versions_by_removal_policy(prod, dev):
    for template, deletes, policy in ((prod, "false", "RetainExceptOnCreate"), (dev, "true", "Delete")):
        template.has_resource_properties("Custom::EndpointCleanup", {"DeleteVersions": deletes})
        template.has_resource("AWS::SageMaker::ModelPackageGroup", {"DeletionPolicy": policy})
    prod.has_resource_properties("Custom::EndpointCleanup", {"EndpointName": "acme-prod-churn"})


def test_settings_change_after_all_that_a_deployment_needs(model):
    after = model.resource("SSM::Parameter", Name="/acme/prod/models/churn")["DependsOn"]
    needed = {name: r["Type"] for name, r in model.resources.items() if name in after}
    assert {"AWS::Events::Rule", "AWS::CloudWatch::Alarm"} <= set(needed.values())
    value = model.resource("SSM::Parameter", Name="/acme/prod/models/churn")["Properties"]["Value"]
    assert "EndpointRole" in str(value)  # a reference to the role, which CloudFormation then creates before


def test_deploy_rule_is_deleted_before_endpoint(model):
    (cleanup,) = [name for name, r in model.resources.items() if r["Type"] == "Custom::EndpointCleanup"]
    assert cleanup in model.resource("Events::Rule", Name="acme-prod-churn-approved")["DependsOn"]
    assert cleanup in model.resource("SSM::Parameter", Name="/acme/prod/models/churn")["DependsOn"]


def test_monitor_role_cannot_write_training_artifacts(model):
    written = {
        resource
        for statement in model.statements("acme-prod-churn-monitor-job")
        if "s3:PutObject" in statement["Action"]
        for resource in statement["Resource"]
    }
    assert written == {"arn:aws:s3:::acme-prod-artifacts-333333333333-us-east-1/churn/monitor/*"}


def test_monitor_role_reads_captured_data_and_ground_truth_only(model):
    read = {
        resource.split(":::")[1]
        for statement in model.statements("acme-prod-churn-monitor-job")
        if "s3:GetObject" in statement["Action"]
        for resource in statement["Resource"]
        if isinstance(resource, str) and "-data-" in resource
    }
    bucket = "acme-prod-data-333333333333-us-east-1"
    assert read == {f"{bucket}/churn/captured/*", f"{bucket}/churn/ground-truth/*"}


def test_job_roles_access_prefixes_of_own_model_only(model):
    for role in ("train-job", "monitor-job", "endpoint", "train"):
        for statement in model.statements(f"acme-prod-churn-{role}"):
            for resource in statement["Resource"]:
                if isinstance(resource, str) and ":s3:::acme-" in resource and "/" in resource:
                    # Rows of trainings have a prefix of their own, so that a lifecycle rule can name it.
                    assert resource.partition("/")[2].removeprefix("_rows/").split("/")[0] == "churn", resource


@pytest.mark.parametrize("role", ["train-job", "monitor-job"])
def test_job_roles_decrypt_code_bucket_with_any_key(model, role):
    (statement,) = [s for s in model.statements(f"acme-prod-churn-{role}") if s.get("Sid") == "AssetsKey"]
    assert (statement["Action"], statement["Resource"]) == (
        ["kms:Decrypt"],
        ["arn:aws:kms:us-east-1:333333333333:key/*"],
    )
    bucket = "arn:aws:s3:::cdk-hnb659fds-assets-333333333333-us-east-1"
    context = {"kms:EncryptionContext:aws:s3:arn": [bucket, f"{bucket}/*"]}
    assert statement["Condition"] == {"StringLike": context}


def test_endpoint_pulls_images_of_earlier_frameworks(model):
    (pull,) = [s for s in model.statements("acme-prod-churn-endpoint") if "ecr:BatchGetImage" in s["Action"]]
    assert {each.rpartition("/")[2] for each in pull["Resource"]} == {"sagemaker-scikit-learn", "sagemaker-xgboost"}


def test_monitor_role_publishes_to_factory_namespace_only(model):
    (metrics,) = [
        s for s in model.statements("acme-prod-churn-monitor-job") if "cloudwatch:PutMetricData" in s["Action"]
    ]
    assert metrics["Condition"] == {"StringEquals": {"cloudwatch:namespace": "ModelFactory"}}


def test_dashboard_shows_metrics_of_model(model):
    body = json.loads(model.one("CloudWatch::Dashboard")["DashboardBody"])
    metrics = [m for widget in body["widgets"] for m in widget["properties"].get("metrics", [])]
    assert ["ModelFactory", "DriftedFeatures", "Environment", "prod", "Model", "churn"] in metrics
