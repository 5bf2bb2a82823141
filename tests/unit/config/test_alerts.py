"""Section alerts of factory.yaml: what is refused, and which stack configures a chat channel."""

import pytest

from model_factory.config import ConfigError, load_factory

FACTORY = """\
name: acme
environments:
  - {name: dev, account: "111111111111", region: eu-west-1}
  - {name: staging, account: "111111111111", region: eu-central-1}
  - {name: prod, account: "333333333333", region: eu-west-1}
alerts:
"""


def load(tmp_path, alerts):
    path = tmp_path / "factory.yaml"
    path.write_text(f"{FACTORY}  {alerts}\n")
    return load_factory(path)


@pytest.mark.parametrize(
    ("alerts", "message"),
    [
        ("slack: {workspace: acme, channel: C0123ABCD}", "7: alerts.slack.workspace: 'acme' is not the id of a Slack workspace"),
        ("slack: {workspace: T0123ABCD, channel: '#ml'}", "7: alerts.slack.channel: '#ml' is not the id of a Slack channel"),
        ("slack: {workspace: T0123ABCD}", "'alerts.slack.channel' is missing"),
        ("teams: {tenant: acme, team: acme, channel: general}", "alerts.teams.tenant: 'acme' is not an id of Microsoft"),
        ("teams: {tenant: acme, team: acme, channel: '19:a@thread.tacv2'}", "after /channel/, such as 19%3A0123abcd%40thread"),
        ("event_bus: arn:aws:sqs:eu-west-1:111111111111:queue", "queue' is not the ARN of an event bus; write one such as"),
        ("event_bus: arn:aws:events:eu-west-1:333333333333:event-bus/default", "has every notification already; remove it"),
        ("window: 7d", "is longer than six days"),
    ],
)  # fmt: skip
def test_invalid_alerts_are_refused_with_advice(tmp_path, alerts, message):
    with pytest.raises(ConfigError) as refused:
        load(tmp_path, alerts)
    assert message in str(refused.value)


def test_last_environment_of_account_configures_channel_for_all(tmp_path):
    factory = load(tmp_path, "slack: {workspace: T0123ABCD, channel: C0123ABCD}")
    topics = [factory.chat_topics(factory.names(environment)) for environment in factory.environments]
    dev, staging = (
        "arn:aws:sns:eu-west-1:111111111111:acme-dev-alerts",
        "arn:aws:sns:eu-central-1:111111111111:acme-staging-alerts",
    )
    assert topics == [[], [dev, staging], ["arn:aws:sns:eu-west-1:333333333333:acme-prod-alerts"]]
