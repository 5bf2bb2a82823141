"""What one model has in one environment, its pipelines apart."""

import json

import pytest


def alarm(model, purpose):
    return model.one("CloudWatch::Alarm", AlarmName=f"acme-prod-churn-{purpose}")


def test_the_retrain_schedule_sends_a_message_in_the_models_group(model):
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


def test_the_monitor_schedule_starts_the_pipeline_once_per_time(model):
    target = model.one("Scheduler::Schedule", Name="acme-prod-churn-monitor")["Target"]
    assert target["Arn"] == "arn:aws:scheduler:::aws-sdk:sagemaker:startPipelineExecution"
    request = json.loads(target["Input"])
    token = request["ClientRequestToken"].replace("<aws.scheduler.scheduled-time>", "2026-11-24T05:00:00Z")
    assert 32 <= len(token) <= 128
    assert token.endswith("2026-11-24T05:00:00Z")
    assert request["PipelineName"] == "acme-prod-churn-monitor"
    assert request["PipelineParameters"] == [{"Name": "ScheduledTime", "Value": "<aws.scheduler.scheduled-time>"}]


def test_the_scheduler_may_do_what_the_schedules_ask_for(model, foundation):
    roles = {s["Target"]["RoleArn"] for s in model.all("Scheduler::Schedule")}
    assert roles == {"arn:aws:iam::333333333333:role/acme-prod-scheduler"}
    actions = {action for s in foundation.statements("acme-prod-scheduler") for action in s["Action"]}
    assert {"sqs:SendMessage", "sagemaker:StartPipelineExecution", "kms:GenerateDataKey", "kms:Decrypt"} == actions


def test_what_could_not_be_delivered_is_kept(model):
    undelivered = "arn:aws:sqs:us-east-1:333333333333:acme-prod-undelivered"
    targets = [s["Target"] for s in model.all("Scheduler::Schedule")]
    targets += [target for rule in model.all("Events::Rule") for target in rule["Targets"]]
    assert [t["DeadLetterConfig"]["Arn"] for t in targets] == [undelivered] * 4


def test_the_drift_and_the_quality_alarm_ask_for_a_retraining_when_they_go_off(model):
    rule = model.one("Events::Rule", Name="acme-prod-churn-drift")
    assert rule["EventPattern"]["detail"] == {
        "alarmName": [alarm(model, "drift")["AlarmName"], alarm(model, "model-quality")["AlarmName"]],
        "state": {"value": ["ALARM"]},
    }
    (target,) = rule["Targets"]
    assert target["Arn"].endswith(":acme-prod-retrain.fifo")
    assert target["SqsParameters"] == {"MessageGroupId": "churn"}


def test_an_approved_version_asks_for_a_deployment_and_so_does_an_endpoint_that_has_settled(model):
    rule = model.one("Events::Rule", Name="acme-prod-churn-approved")
    approved, settled = rule["EventPattern"]["detail"]["$or"]
    assert approved == {"ModelPackageGroupName": ["acme-prod-churn"], "ModelApprovalStatus": ["Approved"]}
    assert settled == {"EndpointName": ["acme-prod-churn"], "EndpointStatus": ["IN_SERVICE", "FAILED"]}
    (target,) = rule["Targets"]
    assert target["Arn"].endswith(":acme-prod-deploy.fifo")
    assert target["SqsParameters"] == {"MessageGroupId": "churn"}


def test_the_settings_parameter_is_what_the_functions_read(model):
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


def test_what_the_endpoint_logs_is_encrypted_and_kept_for_a_year(model):
    group = model.one("Logs::LogGroup", LogGroupName="/aws/sagemaker/Endpoints/acme-prod-churn")
    assert (group["RetentionInDays"], "ImportValue" in str(group["KmsKeyId"])) == (365, True)


def test_the_drift_alarm_needs_as_many_drifted_checks_as_model_yaml_says(model):
    drift = alarm(model, "drift")
    assert drift["MetricName"] == "DriftedFeatures"
    assert {d["Name"]: d["Value"] for d in drift["Dimensions"]} == {"Environment": "prod", "Model": "churn"}
    assert (drift["DatapointsToAlarm"], drift["EvaluationPeriods"], drift["Period"]) == (2, 3, 6 * 3600)


def test_silence_of_the_monitor_raises_an_alarm(model):
    missed = alarm(model, "monitor-missed")
    assert missed["TreatMissingData"] == "breaching"
    assert missed["Period"] * missed["EvaluationPeriods"] == 12 * 3600


@pytest.mark.parametrize(
    ("purpose", "namespace", "metric", "threshold"),
    [
        ("data-violations", "ModelFactory", "DataViolations", 10),
        ("model-quality", "ModelFactory", "QualityShortfall", 0),
        ("retrain-not-started", "ModelFactory", "RetrainNotStarted", 0),
        ("endpoint-errors", "AWS/SageMaker", "Invocation5XXErrors", 3),
        ("endpoint-latency", "AWS/SageMaker", "ModelLatency", 2e6),
    ],
)
def test_alarms_watch_their_metric_and_tell_people(model, purpose, namespace, metric, threshold):
    watched = alarm(model, purpose)
    assert (watched["Namespace"], watched["MetricName"], watched["Threshold"]) == (namespace, metric, threshold)
    assert watched["AlarmActions"] == ["arn:aws:sns:us-east-1:333333333333:acme-prod-alerts"]


def test_a_failed_training_is_told_by_its_step_and_not_by_its_alarm_as_well(model, foundation):
    failed = alarm(model, "training-failed")
    assert (failed["MetricName"], failed["Threshold"]) == ("ExecutionFailed", 0)
    assert "AlarmActions" not in failed
    rule = foundation.one("Events::Rule", Name="acme-prod-pipeline-failed")
    assert [target["Arn"] for target in rule["Targets"]] != []


@pytest.mark.parametrize("purpose", ["drift", "model-quality", "retrain-not-started"])
def test_what_was_not_said_again_changes_no_alarm(model, purpose):
    assert alarm(model, purpose)["TreatMissingData"] == "ignore"


def test_the_endpoint_goes_with_the_stack_and_versions_only_where_data_goes(model, dev_model):
    def cleanup(template):
        (found,) = [r for r in template.resources.values() if r["Type"] == "Custom::EndpointCleanup"]
        return found

    assert cleanup(model)["Properties"]["EndpointName"] == "acme-prod-churn"
    assert cleanup(model)["Properties"]["DeleteVersions"] == "false"
    assert cleanup(dev_model)["Properties"]["DeleteVersions"] == "true"
    assert model.resource("SageMaker::ModelPackageGroup")["DeletionPolicy"] == "Retain"
    assert dev_model.resource("SageMaker::ModelPackageGroup")["DeletionPolicy"] == "Delete"


def test_no_version_is_deployed_while_the_endpoint_is_removed(model):
    (cleanup,) = [name for name, r in model.resources.items() if r["Type"] == "Custom::EndpointCleanup"]
    assert cleanup in model.resource("Events::Rule", Name="acme-prod-churn-approved")["DependsOn"]
    assert cleanup in model.resource("SSM::Parameter", Name="/acme/prod/models/churn")["DependsOn"]


def test_the_monitor_may_not_touch_what_trainings_wrote(model):
    written = {
        resource
        for statement in model.statements("acme-prod-churn-monitor-job")
        if "s3:PutObject" in statement["Action"]
        for resource in statement["Resource"]
    }
    assert written == {"arn:aws:s3:::acme-prod-artifacts-333333333333-us-east-1/churn/monitor/*"}


def test_the_monitor_reads_captured_requests_and_labels_and_no_training_data(model):
    read = {
        resource.split(":::")[1]
        for statement in model.statements("acme-prod-churn-monitor-job")
        if "s3:GetObject" in statement["Action"]
        for resource in statement["Resource"]
        if isinstance(resource, str) and "-data-" in resource
    }
    bucket = "acme-prod-data-333333333333-us-east-1"
    assert read == {f"{bucket}/churn/captured/*", f"{bucket}/churn/ground-truth/*"}


def test_jobs_reach_only_their_own_models_data(model):
    for role in ("train-job", "monitor-job", "endpoint", "train"):
        for statement in model.statements(f"acme-prod-churn-{role}"):
            for resource in statement["Resource"]:
                if isinstance(resource, str) and ":s3:::acme-" in resource and "/" in resource:
                    assert resource.split("/")[1] == "churn", resource


def test_metrics_go_to_the_factorys_namespace_only(model):
    (metrics,) = [
        s for s in model.statements("acme-prod-churn-monitor-job") if "cloudwatch:PutMetricData" in s["Action"]
    ]
    assert metrics["Condition"] == {"StringEquals": {"cloudwatch:namespace": "ModelFactory"}}


def test_the_dashboard_shows_the_models_own_metrics(model):
    body = json.loads(model.one("CloudWatch::Dashboard")["DashboardBody"])
    metrics = [m for widget in body["widgets"] for m in widget["properties"].get("metrics", [])]
    assert ["ModelFactory", "DriftedFeatures", "Environment", "prod", "Model", "churn"] in metrics
