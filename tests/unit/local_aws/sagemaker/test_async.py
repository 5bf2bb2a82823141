"""Asynchronous endpoints: requests in a queue, answers and failures as objects, notifications, metrics, scaling to zero."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from local_aws.sagemaker.hosting import asynchronous, queues
from local_aws.scaling import policies

from .conftest import policy
from .endpoint import Endpoint, wait


class Async:
    """An asynchronous endpoint, and what became of its requests."""

    def __init__(self, aws, topic):
        self.aws, self.endpoint, self.prefix = aws, Endpoint(aws), aws.name("async")
        self.queue = {
            "OutputConfig": {
                "S3OutputPath": f"s3://{aws.bucket}/{self.prefix}/output",
                "S3FailurePath": f"s3://{aws.bucket}/{self.prefix}/failure/",
                "NotificationConfig": {
                    "SuccessTopic": topic,
                    "ErrorTopic": topic,
                    "IncludeInferenceResponseIn": ["SUCCESS_NOTIFICATION_TOPIC"],
                },
            }
        }

    def invoke(self, **request):
        runtime = self.aws.client("sagemaker-runtime")
        return runtime.invoke_endpoint_async(EndpointName=self.endpoint.name, ContentType="text/csv", **request)

    def send(self, body, **request):
        """Put a request into the bucket and its location into the queue."""
        location = self.aws.put(f"{self.prefix}/input/{self.aws.name('r')}.csv", body)
        return self.invoke(InputLocation=location, **request)

    def result(self, answer):
        """The object with the answer or the failure, when there is one."""

        def look():
            for place in ("OutputLocation", "FailureLocation"):
                try:
                    return place, self.aws.get(answer[place]).decode()
                except self.aws.client("s3").exceptions.NoSuchKey:
                    pass
            return None

        return wait(look)

    def count(self):
        (variant,) = self.endpoint.settled()["ProductionVariants"]
        return variant["CurrentInstanceCount"]

    def total(self, metric):
        """Sum of a metric of the endpoint or of its variant."""
        found = [
            self.aws.client("cloudwatch").get_metric_statistics(
                Namespace="AWS/SageMaker",
                MetricName=metric,
                Dimensions=[{"Name": "EndpointName", "Value": self.endpoint.name}, *more],
                StartTime=datetime.now(UTC) - timedelta(hours=1),
                EndTime=datetime.now(UTC) + timedelta(minutes=1),
                Period=60,
                Statistics=["Sum"],
            )["Datapoints"]
            for more in ([], [{"Name": "VariantName", "Value": "main"}])
        ]
        return sum(point["Sum"] for points in found for point in points)


@pytest.fixture(scope="module")
def served(aws):
    """An asynchronous endpoint with one instance, and the queue of its topic's messages."""
    topic = aws.client("sns").create_topic(Name=aws.name("topic"))["TopicArn"]
    allowed = policy("sqs:SendMessage", "*", "sns.amazonaws.com")
    queue = aws.client("sqs").create_queue(QueueName=aws.name("queue"), Attributes={"Policy": allowed})["QueueUrl"]
    arn = aws.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    aws.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    served = Async(aws, topic)
    described = served.endpoint.create(served.endpoint.config("one", queue=served.queue))
    assert described["EndpointStatus"] == "InService"
    assert described["AsyncInferenceConfig"] == served.queue
    served.messages = queue
    return served


def test_answer_is_an_object(served):
    answer = served.send("1,2\n3,4\n", InferenceId="mine")
    assert answer["InferenceId"] == "mine"
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert served.result(answer) == ("OutputLocation", "one\none\n")


def test_body_in_the_request_is_answered_under_its_file_name(served):
    answer = served.invoke(Body=b"1\n", Filename="mine.csv", S3OutputPathExtension="today")
    assert answer["OutputLocation"].endswith("/output/today/mine.csv")
    assert served.result(answer) == ("OutputLocation", "one\n")


@pytest.mark.parametrize(
    ("body", "text"), [("bad", "Received client error (400) from main"), ("raise", "server error")]
)
def test_refusal_of_the_model_is_a_failure_object(served, body, text):
    place, content = served.result(served.send(body))
    assert place == "FailureLocation"
    assert text in content


def test_missing_input_is_a_failure_object(served):
    answer = served.invoke(InputLocation=f"s3://{served.aws.bucket}/nothing")
    place, content = served.result(answer)
    assert place == "FailureLocation"
    assert content.startswith("Failed to download the request from s3://")
    wait(lambda: served.total("RequestDownloadFailures"))


def test_container_that_takes_too_long_is_a_failure(served, monkeypatch):
    monkeypatch.setattr(asynchronous, "INVOCATION_SECONDS", 0.2)
    place, content = served.result(served.invoke(Body=b"slow"))
    assert (place, "timed out" in content) == ("FailureLocation", True)


def test_end_of_request_is_notified(served):
    answer = served.invoke(Body=b"1\n", InferenceId="told")
    served.result(answer)
    sqs = served.aws.client("sqs")

    def look():
        for message in sqs.receive_message(QueueUrl=served.messages, MaxNumberOfMessages=10).get("Messages", []):
            content = json.loads(message["Body"])
            if content["inferenceId"] == "told":
                return content
        return None

    content = wait(look)
    assert content["invocationStatus"] == "Completed"
    assert content["responseParameters"]["outputLocation"] == answer["OutputLocation"]
    assert content["responseBody"] == {"content": "one\n"}


def test_async_endpoint_has_other_metrics_than_realtime(served):
    before = served.total("InvocationsProcessed")
    served.result(served.send("bad"))
    wait(lambda: served.total("InvocationsProcessed") > before)
    assert served.total("Invocation4XXErrors") > 0
    assert served.total("InvocationFailures") > 0
    assert served.total("Invocations") == 0


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({}, "exactly one of Body and InputLocation"),
        ({"Body": b"1", "InputLocation": "s3://b/k"}, "exactly one of Body and InputLocation"),
        ({"Body": b"1", "RequestTTLSeconds": 21_601}, "RequestTTLSeconds|requestTTLSeconds"),
    ],
)
def test_wrong_request_is_refused(served, request_, message):
    with pytest.raises(ClientError, match=message):
        served.invoke(**request_)


def test_async_endpoint_refuses_synchronous_requests(served):
    with pytest.raises(ClientError, match="Use InvokeEndpointAsync"):
        served.endpoint.invoke()


def test_requests_expire_without_instances_and_one_starts_with_the_next(served, monkeypatch):
    """Target tracking takes the last instance of an idle endpoint; the alarm on waiting requests gives it the first one."""
    monkeypatch.setattr(queues, "OFTEN_SECONDS", 0.2)
    monkeypatch.setattr(policies, "SCALE_IN_SECONDS", 0.1)
    name, scaling = served.endpoint.name, served.aws.client("application-autoscaling")
    target = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{name}/variant/main",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
    metric = {"Namespace": "AWS/SageMaker", "Dimensions": [{"Name": "EndpointName", "Value": name}]}
    scaling.register_scalable_target(**target, MinCapacity=0, MaxCapacity=2)
    tracking = metric | {"MetricName": "ApproximateBacklogSizePerInstance", "Statistic": "Average"}
    scaling.put_scaling_policy(
        **target,
        PolicyName="tracking",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={"TargetValue": 5.0, "CustomizedMetricSpecification": tracking},
    )
    served.result(served.invoke(Body=b"1\n"))
    wait(lambda: served.count() == 0)

    expired = served.invoke(Body=b"1\n", RequestTTLSeconds=60)
    runtime = served.aws.local._dispatcher.replaced["sagemaker"].hosting
    (queue,) = [each for arn, each in runtime._queues._queues.items() if arn.endswith(name)]
    queue.waiting[0] = type(queue.waiting[0])(**vars(queue.waiting[0]) | {"ttl": 0.0})
    assert served.result(expired)[1].startswith("The request expired")

    step = scaling.put_scaling_policy(
        **target,
        PolicyName="from-zero",
        PolicyType="StepScaling",
        StepScalingPolicyConfiguration={
            "AdjustmentType": "ChangeInCapacity",
            "StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}],
        },
    )
    answer = served.invoke(Body=b"1\n")
    wait(lambda: served.total("HasBacklogWithoutCapacity"))
    assert served.count() == 0
    served.aws.client("cloudwatch").put_metric_alarm(
        AlarmName=f"{name}-scale-from-zero",
        **metric,
        MetricName="HasBacklogWithoutCapacity",
        Statistic="Maximum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1.0,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        AlarmActions=[step["PolicyARN"]],
    )
    assert served.result(answer) == ("OutputLocation", "one\n")


def test_update_of_endpoint_without_instances_starts_one(served):
    capacity = {"VariantName": "main", "DesiredInstanceCount": 0}
    served.aws.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=served.endpoint.name, DesiredWeightsAndCapacities=[capacity]
    )
    wait(lambda: served.count() == 0)
    described = served.endpoint.update(served.endpoint.config("two", queue=served.queue))
    assert described["ProductionVariants"][0]["CurrentInstanceCount"] == 1
    assert served.result(served.invoke(Body=b"1\n")) == ("OutputLocation", "two\n")
