"""Updates of an endpoint: no failed request, canaries, roll-back by alarms."""

import threading
import time

from botocore.exceptions import ClientError

from .endpoint import SERVE, capture, captured, flush, wait


def an_alarm(aws, state):
    """The name of an alarm of its own metric, in this state."""
    cloudwatch, name = aws.client("cloudwatch"), aws.name("alarm")
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace="Test",
        MetricName=name,
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason="test")
    return name


def test_endpoint_update_fails_no_request(endpoint):
    endpoint.create(endpoint.config("one"))
    new = endpoint.config("two")
    answers, failures, done = set(), [], threading.Event()

    def traffic():
        while not done.is_set():
            try:
                answers.add(endpoint.read().strip())
            except ClientError as error:
                failures.append(str(error))

    threads = [threading.Thread(target=traffic) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        described = endpoint.update(new)
        time.sleep(0.3)
    finally:
        done.set()
        for thread in threads:
            thread.join()

    assert described["EndpointStatus"] == "InService"
    assert described["EndpointConfigName"] == new
    assert failures == []
    assert answers == {"one", "two"}
    assert endpoint.read() == "two\n"


def test_failed_update_keeps_old_model_serving(endpoint):
    old = endpoint.config("one")
    endpoint.create(old)

    described = endpoint.update(endpoint.config("two", {"BREAK": "1"}))

    assert described["EndpointStatus"] == "InService"
    assert described["EndpointConfigName"] == old
    assert "the model does not load" in described["FailureReason"]
    assert endpoint.read() == "one\n"


def test_alarm_rolls_back_endpoint_update(aws, endpoint):
    old, alarm = endpoint.config("one"), an_alarm(aws, "ALARM")
    endpoint.create(old)
    routing = {
        "Type": "CANARY",
        "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 10},
        "WaitIntervalInSeconds": 600,
    }
    deployment = {
        "BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing},
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": alarm}]},
    }

    described = endpoint.update(endpoint.config("two"), DeploymentConfig=deployment)

    assert described["EndpointStatus"] == "InService"
    assert described["EndpointConfigName"] == old
    assert alarm in described["FailureReason"]
    assert {endpoint.read() for _ in range(20)} == {"one\n"}


def test_alarm_in_alarm_ends_deployment_before_it_starts_a_fleet(aws, endpoint):
    old, alarm = endpoint.config("one"), an_alarm(aws, "ALARM")
    endpoint.create(old)
    broken = endpoint.config("two", {"BREAK": "1"})
    described = endpoint.update(broken, DeploymentConfig=canary(10, alarm))
    assert described["EndpointConfigName"] == old
    assert described["FailureReason"].startswith("Deployment was rolled back, because alarms are in ALARM")


def canary(percent, *alarms, seconds=1):
    size = {"Type": "CAPACITY_PERCENT", "Value": percent}
    routing = {"Type": "CANARY", "CanarySize": size, "WaitIntervalInSeconds": seconds}
    named = {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": alarm} for alarm in alarms]}} if alarms else {}
    return {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing}, **named}


def test_canary_gets_its_share_then_all_traffic(aws, endpoint):
    """Answers name their version in the content type, and so do the captured requests of both fleets."""
    serve = SERVE.replace('content_type="text/csv")', "content_type=f\"text/csv; model-version={model['name']}\")")
    captures = {"serve": serve, "capture": capture(aws, aws.name("captured"))}
    endpoint.create(endpoint.config("1", **captures))
    aws.sagemaker.update_endpoint(
        EndpointName=endpoint.name, EndpointConfigName=endpoint.config("2", **captures), DeploymentConfig=canary(20)
    )
    answered = {}

    def canary_answers():
        name = f"request-{len(answered)}"
        answered[name] = endpoint.read(InferenceId=name).strip()
        return answered[name] == "2"

    wait(canary_answers)
    assert endpoint.settled()["EndpointStatus"] == "InService"
    assert {endpoint.read() for _ in range(10)} == {"2\n"}
    flush(aws)
    _, records = captured(aws, captures["capture"]["DestinationS3Uri"].rpartition("/")[2])
    named = {
        record["eventMetadata"].get("inferenceId"): record["captureData"]["endpointOutput"]["observedContentType"]
        for record in records
    }
    assert {name: named[name] for name in answered} == {
        name: f"text/csv; model-version={version}" for name, version in answered.items()
    }


def test_canary_gets_no_more_than_its_share(aws, endpoint):
    arn = endpoint.create(endpoint.config("one"))["EndpointArn"]
    hosting, canary_fleet = aws.local._dispatcher.replaced["sagemakerruntime"], object()
    hosting._canaries[arn] = (canary_fleet, 0.2)
    try:
        picked = [hosting.serving(arn) for _ in range(2000)]
    finally:
        del hosting._canaries[arn]

    assert 300 < picked.count(canary_fleet) < 500
    assert set(picked) == {canary_fleet, hosting.fleets[arn]}


def test_failing_model_is_rolled_back_by_error_alarm(aws, endpoint):
    old, alarm = endpoint.config("one"), aws.name("errors")
    endpoint.create(old)
    aws.client("cloudwatch").put_metric_alarm(
        AlarmName=alarm,
        Namespace="AWS/SageMaker",
        MetricName="Invocation5XXErrors",
        Dimensions=[{"Name": "EndpointName", "Value": endpoint.name}, {"Name": "VariantName", "Value": "main"}],
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=0,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
    )
    broken = (
        "def model_fn(model_dir): return 1\ndef transform_fn(model, body, content_type, accept): raise ValueError\n"
    )
    aws.sagemaker.update_endpoint(
        EndpointName=endpoint.name,
        EndpointConfigName=endpoint.config("two", serve=broken),
        DeploymentConfig=canary(50, alarm, seconds=600),
    )
    failed = 0
    while aws.sagemaker.describe_endpoint(EndpointName=endpoint.name)["EndpointStatus"] == "Updating":
        try:
            endpoint.invoke()
        except ClientError:
            failed += 1
    described = endpoint.settled()

    assert failed > 0
    assert described["EndpointConfigName"] == old
    assert alarm in described["FailureReason"]
    assert {endpoint.read() for _ in range(10)} == {"one\n"}


def test_rollback_restores_old_capture_configuration(aws, endpoint):
    before, after, alarm = aws.name("before"), aws.name("after"), an_alarm(aws, "ALARM")
    endpoint.create(endpoint.config("one", capture=capture(aws, before)))
    endpoint.update(endpoint.config("two", capture=capture(aws, after)), DeploymentConfig=canary(10, alarm))
    endpoint.invoke()
    flush(aws)

    assert len(aws.keys(before)) == 1
    assert aws.keys(after) == []


def test_impossible_deployment_ends_update(aws, endpoint):
    old, new = endpoint.config("one"), endpoint.config("two")
    endpoint.create(old)
    aws.sagemaker.delete_model(ModelName=new)

    described = endpoint.update(new)

    assert (described["EndpointStatus"], described["EndpointConfigName"]) == ("InService", old)
    assert new in described["FailureReason"]


def test_alarm_in_ok_state_does_not_roll_back(aws, endpoint):
    endpoint.create(endpoint.config("one"))
    alarm, new = an_alarm(aws, "OK"), endpoint.config("two")
    described = endpoint.update(new, DeploymentConfig=canary(10, alarm))

    assert (described["EndpointStatus"], described["EndpointConfigName"]) == ("InService", new)
