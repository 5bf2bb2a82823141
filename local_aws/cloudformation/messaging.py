"""SQS queues and SNS topics with their attributes, policies and subscriptions."""

import json
from typing import Any

from .resource_types import Context, Physical, Properties, ResourceType, found, put_again, refuse_unknown, tags_by_key

QUEUE_ATTRIBUTES = (
    "ContentBasedDeduplication", "DeduplicationScope", "DelaySeconds", "FifoQueue", "FifoThroughputLimit",
    "KmsDataKeyReusePeriodSeconds", "KmsMasterKeyId", "MaximumMessageSize", "MessageRetentionPeriod",
    "ReceiveMessageWaitTimeSeconds", "RedriveAllowPolicy", "RedrivePolicy", "SqsManagedSseEnabled", "VisibilityTimeout",
)  # fmt: skip
# What an attribute is without a value in the template.
_DEFAULTS = {
    "ContentBasedDeduplication": "false", "DelaySeconds": "0", "KmsDataKeyReusePeriodSeconds": "300",
    "KmsMasterKeyId": "", "MaximumMessageSize": "262144", "MessageRetentionPeriod": "345600",
    "ReceiveMessageWaitTimeSeconds": "0", "RedrivePolicy": "", "RedriveAllowPolicy": "", "VisibilityTimeout": "30",
}  # fmt: skip
TOPIC_ATTRIBUTES = ("DisplayName", "KmsMasterKeyId", "FifoTopic", "ContentBasedDeduplication", "TracingConfig")


def _attributes(properties: Properties, known: tuple[str, ...], others: tuple[str, ...], what: str) -> dict[str, str]:
    refuse_unknown(what, properties, {*known, *others})
    return {key: _text(properties[key]) for key in known if key in properties}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value) if isinstance(value, dict) else str(value)


def _create_queue(sqs: Any, properties: Properties, context: Context) -> Physical:
    name = properties.get("QueueName") or context.name[:75]
    attributes = _attributes(properties, QUEUE_ATTRIBUTES, ("QueueName", "Tags"), "AWS::SQS::Queue")
    tags = tags_by_key(properties)
    url = sqs.create_queue(QueueName=name, Attributes=attributes, tags=tags)["QueueUrl"]
    arn = f"arn:aws:sqs:{context.region}:{context.account}:{name}"
    return Physical(url, {"Arn": arn, "QueueName": name, "QueueUrl": url})


def _update_queue(sqs: Any, physical: Physical, properties: Properties, context: Context) -> Physical:
    attributes = _attributes(properties, QUEUE_ATTRIBUTES, ("QueueName", "Tags"), "AWS::SQS::Queue")
    attributes.pop("FifoQueue", None)
    attributes |= {name: _DEFAULTS[name] for name in context.removed(properties) if name in _DEFAULTS}
    sqs.set_queue_attributes(QueueUrl=physical.identifier, Attributes=attributes)
    return physical


def _put_queue_policy(sqs: Any, properties: Properties, context: Context) -> Physical:
    policy = json.dumps(properties["PolicyDocument"])
    for url in properties["Queues"]:
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    return Physical(context.name, {"Id": context.name})


def _create_topic(sns: Any, properties: Properties, context: Context) -> Physical:
    name = properties.get("TopicName") or context.name
    attributes = _attributes(properties, TOPIC_ATTRIBUTES, ("TopicName", "Tags", "Subscription"), "AWS::SNS::Topic")
    arn = sns.create_topic(Name=name, Attributes=attributes, Tags=properties.get("Tags", []))["TopicArn"]
    for subscription in properties.get("Subscription", []):
        sns.subscribe(TopicArn=arn, **subscription)
    return Physical(arn, {"TopicArn": arn, "TopicName": name})


def _update_topic(sns: Any, physical: Physical, properties: Properties, context: Context) -> Physical:
    attributes = _attributes(properties, TOPIC_ATTRIBUTES, ("TopicName", "Tags", "Subscription"), "AWS::SNS::Topic")
    attributes |= {name: "" for name in context.removed(properties) if name in TOPIC_ATTRIBUTES}
    for key, value in attributes.items():
        if key == "FifoTopic":
            continue
        sns.set_topic_attributes(TopicArn=physical.identifier, AttributeName=key, AttributeValue=value)
    return physical


def _put_topic_policy(sns: Any, properties: Properties, context: Context) -> Physical:
    policy = json.dumps(properties["PolicyDocument"])
    for arn in properties["Topics"]:
        sns.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=policy)
    return Physical(context.name, {"Id": context.name})


_SUBSCRIPTION = ("TopicArn", "Protocol", "Endpoint", "Region")


def _subscribe(sns: Any, properties: Properties, context: Context) -> Physical:
    attributes = {k: _text(v) for k, v in properties.items() if k not in _SUBSCRIPTION}
    arn = sns.subscribe(
        TopicArn=properties["TopicArn"],
        Protocol=properties["Protocol"],
        Endpoint=properties["Endpoint"],
        Attributes=attributes,
        ReturnSubscriptionArn=True,
    )["SubscriptionArn"]
    return Physical(arn, {"Arn": arn})


def _update_subscription(sns: Any, physical: Physical, properties: Properties, context: Context) -> Physical:
    for key, value in properties.items():
        if key not in _SUBSCRIPTION and value != context.before.get(key):
            arn = physical.identifier
            sns.set_subscription_attributes(SubscriptionArn=arn, AttributeName=key, AttributeValue=_text(value))
    return physical


def _nothing(_: Any, __: Physical) -> None:
    """The policy is deleted with its queue or topic."""


TYPES = [
    ResourceType(
        "AWS::SQS::Queue",
        "sqs",
        _create_queue,
        lambda sqs, physical: sqs.delete_queue(QueueUrl=physical.identifier),
        _update_queue,
        "QueueName",
        lambda sqs, name: found(sqs.get_queue_url, QueueName=name),
    ),
    ResourceType(
        "AWS::SQS::QueuePolicy",
        "sqs",
        _put_queue_policy,
        _nothing,
        put_again(_put_queue_policy),
    ),
    ResourceType(
        "AWS::SNS::Topic",
        "sns",
        _create_topic,
        lambda sns, physical: sns.delete_topic(TopicArn=physical.identifier),
        _update_topic,
        "TopicName",
        lambda sns, name: any(
            topic["TopicArn"].endswith(f":{name}")
            for page in sns.get_paginator("list_topics").paginate()
            for topic in page["Topics"]
        ),
    ),
    ResourceType(
        "AWS::SNS::TopicPolicy",
        "sns",
        _put_topic_policy,
        _nothing,
        put_again(_put_topic_policy),
    ),
    ResourceType(
        "AWS::SNS::Subscription",
        "sns",
        _subscribe,
        lambda sns, physical: sns.unsubscribe(SubscriptionArn=physical.identifier),
        _update_subscription,
    ),
]
