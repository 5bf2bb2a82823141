"""What may stand in the retrain queue: our own message, or CloudWatch's event about a model's drift alarm."""

import re
from typing import Literal

from aws_lambda_powertools.utilities.parser import BaseModel, ValidationError
from pydantic import ConfigDict, Field, TypeAdapter

Kind = Literal["schedule", "drift", "manual", "code"]
MODEL_NAME = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"


class Trigger(BaseModel):
    """Why a model is to be trained."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    model: str = Field(pattern=MODEL_NAME, max_length=24)
    kind: Kind = Field(alias="trigger")
    reason: str = Field(min_length=1, max_length=1024)
    id: str = Field(min_length=1, max_length=128)


class _State(BaseModel):
    value: Literal["ALARM"]
    reason: str


class _Metric(BaseModel):
    namespace: Literal["ModelFactory"]
    dimensions: dict[str, str]


class _MetricStat(BaseModel):
    metric: _Metric


class _MetricQuery(BaseModel):
    metric_stat: _MetricStat = Field(alias="metricStat")


class _Configuration(BaseModel):
    metrics: list[_MetricQuery] = Field(min_length=1)


class _Detail(BaseModel):
    alarm_name: str = Field(alias="alarmName")
    state: _State
    configuration: _Configuration


class _AlarmEvent(BaseModel):
    """The parts we read of EventBridge's 'CloudWatch Alarm State Change'; what else CloudWatch sends is left alone."""

    id: str = Field(max_length=128)
    source: Literal["aws.cloudwatch"]
    detail_type: Literal["CloudWatch Alarm State Change"] = Field(alias="detail-type")
    detail: _Detail


_BODY: TypeAdapter[Trigger | _AlarmEvent] = TypeAdapter(Trigger | _AlarmEvent)


def parse(body: str) -> Trigger:
    """The trigger in a message body. Raises ValueError that says what is wrong with it."""
    try:
        message = _BODY.validate_json(body)
    except ValidationError as error:
        raise ValueError(_summary(error)) from None
    if isinstance(message, Trigger):
        if message.kind == "drift":
            raise ValueError("trigger 'drift' comes from the drift alarm only")
        return message
    model = message.detail.configuration.metrics[0].metric_stat.metric.dimensions.get("Model", "")
    if not re.fullmatch(MODEL_NAME, model) or not message.detail.alarm_name.endswith(f"-{model}-drift"):
        raise ValueError(f"alarm {message.detail.alarm_name!r} is not the drift alarm of a model ({model!r})")
    return Trigger(model=model, trigger="drift", reason=message.detail.state.reason[:1024], id=message.id)


def _summary(error: ValidationError) -> str:
    """The first mistakes, without the message's own text: it may be anything."""
    found = [f"{'.'.join(map(str, e['loc'])) or 'body'}: {e['msg']}" for e in error.errors(include_input=False)]
    return "; ".join(found[:4])
