"""Deliveries of SNS topics."""

from types import SimpleNamespace

from moto.sns.models import SNSBackend, sns_backends
from moto.sqs.models import SQSBackend, sqs_backends

from local_aws import topics

ACCOUNT, REGION = "123456789012", "us-east-1"


def test_failing_subscription_breaks_neither_publisher_nor_others(monkeypatch):
    allowed = SimpleNamespace(check_call=lambda *_: None)
    local = SimpleNamespace(
        replace=monkeypatch.setattr,
        control=lambda *_: None,
        authorization=allowed,
        endpoint_url="http://localhost",
        stores=SimpleNamespace(add=lambda *_: None),
    )
    topics.install(local)
    queues = SQSBackend(REGION, ACCOUNT)
    monkeypatch.setitem(sqs_backends[ACCOUNT], REGION, queues)
    queues.create_queue("gone")
    queues.create_queue("kept")
    sns = SNSBackend(REGION, ACCOUNT)
    monkeypatch.setitem(sns_backends[ACCOUNT], REGION, sns)
    topic = sns.create_topic("news").arn
    for name in ("gone", "kept"):
        sns.subscribe(topic, f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}", "sqs")
    queues.delete_queue("gone")
    sns.publish("hello", arn=topic)
    assert len(queues.queues["kept"]._messages) == 1
