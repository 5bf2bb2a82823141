"""Who gets a topic's message: e-mail after its confirmation, chat in its schema; and events on another account's bus."""

import json
import urllib.request

import pytest
from botocore.exceptions import ClientError

from local_aws.cloudformation.chat import TYPES
from local_aws.cloudformation.resource_types import Context

from .conftest import ACCOUNT, REGION, document

OTHER = "999999999999"
CUSTOM = {"version": "1.0", "source": "custom", "content": {"title": "t", "description": "d"}}
SLACK, TEAMS = TYPES


@pytest.fixture
def topic(client):
    arn = client("sns").create_topic(Name="news")["TopicArn"]
    yield arn
    client("sns").delete_topic(TopicArn=arn)


@pytest.fixture
def report(local):
    def report(name):
        with urllib.request.urlopen(f"{local.endpoint_url}/_local/{name}") as answer:
            return json.loads(answer.read())

    return report


@pytest.fixture
def slack(client, topic):
    properties = {
        "ConfigurationName": "news", "SlackWorkspaceId": "T0123ABCD", "SlackChannelId": "C0123ABCD",
        "IamRoleArn": f"arn:aws:iam::{ACCOUNT}:role/chat", "SnsTopicArns": [topic],
    }  # fmt: skip
    made = SLACK.create(client("sns"), properties, Context(ACCOUNT, REGION, "news"))
    yield properties
    SLACK.delete(client("sns"), made)


def publish(client, topic, **bodies):
    client("sns").publish(TopicArn=topic, Subject="s", MessageStructure="json", Message=json.dumps(bodies))


def test_email_gets_nothing_before_its_confirmation(client, topic, report):
    sns = client("sns")
    answer = sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="ada@example.com")
    assert answer["SubscriptionArn"] == "pending confirmation"
    publish(client, topic, default="first")
    (listed,) = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert listed["SubscriptionArn"] == "PendingConfirmation"
    (request,) = [mail for mail in report("mail") if mail["to"] == "ada@example.com"]
    with pytest.raises(ClientError, match="Invalid parameter: Token"):
        sns.confirm_subscription(TopicArn=topic, Token="wrong")
    arn = sns.confirm_subscription(TopicArn=topic, Token=request["token"])["SubscriptionArn"]
    publish(client, topic, default="no", email="second")
    (listed,) = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert listed["SubscriptionArn"] == arn
    assert [mail["text"] for mail in report("mail") if mail["to"] == "ada@example.com"][1:] == ["second"]


def test_chat_shows_its_schema_and_drops_text(client, topic, slack, report):
    publish(client, topic, default="text", https=json.dumps(CUSTOM))
    publish(client, topic, default="only text")
    (channel,) = [each for each in report("chat") if each["name"] == "news"]
    assert channel["shown"] == [CUSTOM["content"]]
    assert channel["dropped"] == ["only text"]


def test_configured_channel_is_known_to_rules(local, slack):
    found = local.rules.find("chat-channel", ACCOUNT, REGION, "T0123ABCD/C0123ABCD")
    assert found == {"ConfigurationName": "news"}


def test_deleted_channel_is_not_subscribed(client, topic):
    properties = {
        "ConfigurationName": "team", "TeamsTenantId": "1", "TeamId": "2", "TeamsChannelId": "3", "SnsTopicArns": [topic],
    }  # fmt: skip
    made = TEAMS.create(client("sns"), properties, Context(ACCOUNT, REGION, "team"))
    (subscription,) = client("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert subscription["Endpoint"].startswith("https://global.sns-api.chatbot")
    TEAMS.delete(client("sns"), made)
    assert client("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"] == []


@pytest.fixture
def other_bus(local, client, role):
    """A rule of this account whose target is a bus of another account; a function that sets the role's and bus's policies."""
    there = local.session(OTHER, REGION)
    bus = there.client("events").create_event_bus(Name="ops")["EventBusArn"]
    sqs = there.client("sqs")
    url = sqs.create_queue(QueueName="ops")["QueueUrl"]
    queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = document(
        {"Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": queue}
    )
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    there.client("events").put_rule(Name="all", EventBusName="ops", EventPattern='{"source": ["shop"]}')
    there.client("events").put_targets(Rule="all", EventBusName="ops", Targets=[{"Id": "1", "Arn": queue}])
    events = client("events")
    events.put_rule(Name="forward", EventPattern='{"source": ["shop"]}')

    def send(may_put, *, allowed):
        target = {"Id": "bus", "Arn": bus, "RoleArn": role(*may_put, service="events", name="forward")}
        events.put_targets(Rule="forward", Targets=[target])
        if allowed:
            there.client("events").put_permission(
                EventBusName="ops", Action="events:PutEvents", Principal=ACCOUNT, StatementId="sender"
            )
        events.put_events(Entries=[{"Source": "shop", "DetailType": "Order", "Detail": '{"number": 7}'}])
        return [json.loads(m["Body"]) for m in sqs.receive_message(QueueUrl=url).get("Messages", [])]

    yield bus, send
    events.remove_targets(Rule="forward", Ids=["bus"])
    events.delete_rule(Name="forward")
    there.client("events").remove_targets(Rule="all", EventBusName="ops", Ids=["1"])
    there.client("events").delete_rule(Name="all", EventBusName="ops")
    there.client("events").delete_event_bus(Name="ops")
    sqs.delete_queue(QueueUrl=url)


@pytest.mark.parametrize(
    ("may_put", "allowed", "received"),
    [(True, True, 1), (False, True, 0), (True, False, 0)],
    ids=["both", "role", "bus"],
)
def test_event_needs_role_and_policy_of_other_bus(other_bus, may_put, allowed, received):
    bus, send = other_bus
    statements = (
        [{"Action": "events:PutEvents", "Resource": bus}] if may_put else [{"Action": "s3:GetObject", "Resource": "*"}]
    )
    found = send(statements, allowed=allowed)
    assert [(event["account"], event["detail"]) for event in found] == [(ACCOUNT, {"number": 7})] * received
