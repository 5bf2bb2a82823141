"""Types of fields that both configuration files use: names, durations, schedules."""

import re
from datetime import timedelta
from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema

from .schedule_expressions import check_schedule

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h|d)")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class Section(BaseModel):
    """A mapping in a configuration file: unknown keys are mistakes, values are read-only after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def _parse_duration(value: object) -> object:
    if not isinstance(value, str):
        return value
    match = _DURATION.fullmatch(value.strip())
    if not match:
        raise ValueError(f"{value!r} is not a duration; write a number and a unit, such as 30s, 15m, 6h or 90d")
    return timedelta(**{_UNITS[match[2]]: float(match[1])})


def _check_timezone(value: str) -> str:
    if value not in available_timezones():
        raise ValueError(f"{value!r} is not a time zone; use a name of the IANA database, such as UTC or Europe/Berlin")
    return ZoneInfo(value).key


Duration = Annotated[
    timedelta,
    BeforeValidator(_parse_duration),
    PlainSerializer(lambda value: value.total_seconds(), return_type=float),
    WithJsonSchema({"type": "string", "pattern": r"^\d+(\.\d+)?\s*(s|m|h|d)$", "examples": ["15m", "6h", "90d"]}),
]
"""A length of time: 30s, 15m, 6h, 90d. Seconds (a float) when written as JSON."""

Schedule = Annotated[str, AfterValidator(check_schedule)]
TimeZone = Annotated[str, AfterValidator(_check_timezone)]
Fraction = Annotated[float, Field(ge=0, le=1)]
_NAME = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"
_INSTANCE = r"^ml\.[a-z0-9-]+\.[a-z0-9]+$"
_ACCOUNT = r"^\d{12}$"
_REGION = r"^[a-z]{2}(-[a-z]+)+-\d$"
_EMAIL = r"^[^@\s]+@[^@\s]+\.[^@\s]+$"
_VPC = r"^vpc-[0-9a-f]{8,17}$"
_SUBNET = r"^subnet-[0-9a-f]{8,17}$"
_SECURITY_GROUP = r"^sg-[0-9a-f]{8,17}$"
_SLACK_WORKSPACE = r"^[TE][0-9A-Z]{4,254}$"
_SLACK_CHANNEL = r"^[CG][0-9A-Z]{4,254}$"
_MICROSOFT = r"^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$"
_TEAMS_CHANNEL = r"^[a-zA-Z0-9-_=+/.,]*%3[aA][a-zA-Z0-9-_=+/.,]*%40[a-zA-Z0-9-_=+/.,]*$"
_EVENT_BUS = r"^arn:aws(-cn|-us-gov)?:events:[a-z]{2}(-[a-z]+)+-\d:\d{12}:event-bus/[\w./-]+$"
_PARAMETER = r"^/[a-zA-Z0-9_.-]+(/[a-zA-Z0-9_.-]+)*$"
_HYPERPARAMETER = r"^[A-Za-z_][A-Za-z0-9_-]{0,255}$"
_POLICY_NAME = r"^[\w+=,.@/-]+$"

EXPECTED = {
    _NAME: "a name; write lower-case letters, digits and single hyphens, such as churn or card-fraud, and begin with a letter",
    _INSTANCE: "an instance type; write one of SageMaker, such as ml.m5.large",
    _ACCOUNT: 'an account id; write twelve digits in quotes, such as "111111111111"',
    _REGION: "a region; write its code, such as eu-west-1",
    _EMAIL: "an email address; write one such as oncall@example.com",
    _VPC: "the id of a VPC; write one such as vpc-0123456789abcdef0",
    _SUBNET: "the id of a subnet; write one such as subnet-0123456789abcdef0",
    _SECURITY_GROUP: "the id of a security group; write one such as sg-0123456789abcdef0",
    _SLACK_WORKSPACE: "the id of a Slack workspace; write the id that the chat service's console shows after the authorization, "
    "such as T0123ABCD",
    _SLACK_CHANNEL: "the id of a Slack channel; write the last part of the channel's link, such as C0123ABCD",
    _MICROSOFT: "an id of Microsoft; write the one in the channel's link, such as 1a2b3c4d-1a2b-1a2b-1a2b-1a2b3c4d5e6f",
    _TEAMS_CHANNEL: "the id of a channel of Microsoft Teams; write the part of its link after /channel/, such as "
    "19%3A0123abcd%40thread.tacv2, with %3A and %40",
    _EVENT_BUS: "the ARN of an event bus; write one such as arn:aws:events:eu-west-1:111111111111:event-bus/alerts",
    _PARAMETER: "the name of a parameter of Systems Manager; write one such as /acme/openlineage-key",
    _HYPERPARAMETER: "the name of a hyperparameter that can be tuned; write letters, digits, _ and -, and begin with a letter",
    _POLICY_NAME: "the name of an IAM policy; write the name without its ARN, such as Boundary",
}
"""What a value should have been, by the pattern that it does not match."""

# A SageMaker resource name has at most 63 characters, for factory, environment, model and part together.
ShortName = Annotated[str, Field(pattern=_NAME, max_length=20)]
ModelName = Annotated[str, Field(pattern=_NAME, max_length=24)]
InstanceType = Annotated[str, Field(pattern=_INSTANCE)]

AccountId = Annotated[str, Field(pattern=_ACCOUNT, description="AWS account id: twelve digits, in quotes.")]
Region = Annotated[str, Field(pattern=_REGION, description="AWS region, such as eu-west-1.")]
Email = Annotated[str, Field(pattern=_EMAIL)]
VpcId = Annotated[str, Field(pattern=_VPC)]
SubnetId = Annotated[str, Field(pattern=_SUBNET)]
SecurityGroupId = Annotated[str, Field(pattern=_SECURITY_GROUP)]
SlackWorkspaceId = Annotated[str, Field(pattern=_SLACK_WORKSPACE)]
SlackChannelId = Annotated[str, Field(pattern=_SLACK_CHANNEL)]
MicrosoftId = Annotated[str, Field(pattern=_MICROSOFT)]
TeamsChannelId = Annotated[str, Field(pattern=_TEAMS_CHANNEL, max_length=255)]
EventBusArn = Annotated[str, Field(pattern=_EVENT_BUS)]
ParameterName = Annotated[str, Field(pattern=_PARAMETER, max_length=512)]
HyperparameterName = Annotated[str, Field(pattern=_HYPERPARAMETER)]
PolicyName = Annotated[str, Field(pattern=_POLICY_NAME, max_length=128)]


def at_most(limit: timedelta, text: str, api: str, *, at_least: timedelta = timedelta(0)) -> AfterValidator:
    """Validator of a duration that an API limits. `text`: the limit as a user writes it; `api`: whose limit it is."""

    def check(value: timedelta) -> timedelta:
        if value > limit:
            raise ValueError(f"{value} is longer than {text}, the limit of {api}")
        if value < at_least:
            raise ValueError(f"{value} is shorter than {at_least}, the shortest that {api} accepts")
        return value

    return AfterValidator(check)
