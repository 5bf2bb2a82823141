"""Deliveries of EventBridge and S3: the condition keys that they send, and what a refusal leaves behind."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from .conftest import ACCOUNT, REGION, document

HERE = {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
ADMINISTRATION = {"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*", "Resource": "*"}


def to_rules(action, resource="*", **condition):
    return {"Principal": {"Service": "events.amazonaws.com"}, "Action": action, "Resource": resource, **condition}


@pytest.fixture
def publish(client, queue):
    """Publishes by a rule to an encrypted topic with these policies; the number of messages that a subscriber gets."""
    sns, kms, events = (client(each) for each in ("sns", "kms", "events"))
    key = kms.create_key(Policy=document(ADMINISTRATION))["KeyMetadata"]["KeyId"]
    topic = sns.create_topic(Name="alerts", Attributes={"KmsMasterKeyId": key})["TopicArn"]
    inbox, read = queue("inbox", "sns.amazonaws.com")
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=inbox)
    events.put_rule(Name="failures", EventPattern=json.dumps({"source": ["shop"]}))
    events.put_targets(Rule="failures", Targets=[{"Id": "topic", "Arn": topic}])

    def published(on_topic, on_key):
        actions = ["kms:Decrypt", "kms:GenerateDataKey"]
        kms.put_key_policy(
            KeyId=key, PolicyName="default", Policy=document(ADMINISTRATION, to_rules(actions, **on_key))
        )
        policy = document(to_rules("sns:Publish", topic, **on_topic))
        sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)
        events.put_events(Entries=[{"Source": "shop", "DetailType": "Failed", "Detail": "{}"}])
        return len(read())

    yield published
    events.remove_targets(Rule="failures", Ids=["topic"])
    events.delete_rule(Name="failures")
    sns.delete_topic(TopicArn=topic)


@pytest.mark.parametrize("conditions", [({"Condition": HERE}, {}), ({}, {"Condition": HERE})])
def test_rule_to_encrypted_topic_sends_no_source_keys(client, local, publish, conditions):
    local.authorization.reset()
    assert publish(*conditions) == 0
    now = datetime.now(UTC)
    found = client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Events", MetricName="FailedInvocations", Dimensions=[{"Name": "RuleName", "Value": "failures"}],
        StartTime=now - timedelta(minutes=5), EndTime=now + timedelta(minutes=5), Period=3600, Statistics=["Sum"],
    )  # fmt: skip
    assert sum(each["Sum"] for each in found["Datapoints"]) >= 1
    report = local.authorization.report()
    assert report["on_behalf"] == {"judged": 1, "refused": 1}
    assert report["refused"][0].startswith("events.amazonaws.com ")
    assert publish({}, {}) == 1


def test_rule_uses_key_for_topics_of_encryption_context(publish):
    topics = {"kms:EncryptionContext:aws:sns:topicArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:*"}
    assert publish({}, {"Condition": {"ArnLike": topics}}) == 1
    others = {"kms:EncryptionContext:aws:sns:topicArn": f"arn:aws:sns:{REGION}:999999999999:*"}
    assert publish({}, {"Condition": {"ArnLike": others}}) == 0


def test_bucket_notifies_queue_whose_policy_allows_it(client, queue):
    s3 = client("s3")
    s3.create_bucket(Bucket="arrivals", CreateBucketConfiguration={"LocationConstraint": REGION})

    def notify(account, name):
        condition = {
            "StringEquals": {"aws:SourceAccount": account},
            "ArnLike": {"aws:SourceArn": "arn:aws:s3:::arrivals"},
        }
        arn, read = queue(name, "s3.amazonaws.com", Condition=condition)
        queues = [{"Id": "arrived", "QueueArn": arn, "Events": ["s3:ObjectCreated:Put"]}]
        configuration = {"QueueConfigurations": queues}
        s3.put_bucket_notification_configuration(Bucket="arrivals", NotificationConfiguration=configuration)
        return read

    with pytest.raises(s3.exceptions.ClientError, match="Unable to validate the following destination configurations"):
        notify("999999999999", "closed")
    read = notify(ACCOUNT, "opened")
    s3.put_object(Bucket="arrivals", Key="file", Body=b"1")
    assert "ObjectCreated:Put" in "".join([*read(), *read()])
