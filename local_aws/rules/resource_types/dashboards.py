"""CloudWatch dashboards, and log groups."""

import json
from functools import partial
from typing import Any

from ..checks import not_matching
from ..rule import CLOUDFORMATION, Entry, Request, Rule, Values
from .values import document, every, last, own, principals, statements

_BODY = "CloudWatch API reference, Dashboard body structure and syntax"
_dashboard = partial(Rule, CLOUDFORMATION, "AWS::CloudWatch::Dashboard", code="InvalidParameterInput")
_group = partial(Rule, CLOUDFORMATION, "AWS::Logs::LogGroup")


def _body(request: Request) -> Any:
    try:
        return json.loads(request.params.get("DashboardBody", "{}"))
    except ValueError:
        return None


def _widgets(request: Request) -> list[dict[str, Any]]:
    return every((_body(request) or {}).get("widgets"))


def _not_json(request: Request) -> bool:
    return _body(request) is None


def _wide(request: Request) -> Values | None:
    for index, each in enumerate(_widgets(request)):
        if not 1 <= each.get("width", 6) <= 24 or not 1 <= each.get("height", 6) <= 1000:
            return {"index": index}
    return None


def _kind(request: Request) -> Values | None:
    kinds = ("metric", "text", "log", "alarm", "explorer", "custom")
    return next(({"index": i} for i, each in enumerate(_widgets(request)) if each.get("type") not in kinds), None)


def _regionless(request: Request) -> Values | None:
    for index, each in enumerate(_widgets(request)):
        if each.get("type") in ("metric", "log") and not each.get("properties", {}).get("region"):
            return {"index": index}
    return None


def _many_widgets(request: Request) -> bool:
    return len(_widgets(request)) > 500


def _closed_key(request: Request) -> Values | None:
    arn = request.params.get("KmsKeyId")
    if not arn or not own(request, arn):
        return None
    service = f"logs.{request.region}.amazonaws.com"
    key = request.find("key", last(arn))
    names = ("*", "logs.amazonaws.com", service)
    for statement in statements(document((key or {}).get("Policy"))):
        named = statement.get("Principal") == "*" or any(each in names for each in principals(statement, "Service"))
        if statement.get("Effect") == "Allow" and named:
            return None
    return {"name": request.params.get("LogGroupName", "*"), "region": request.region, "account": request.account}


def _board(**widget: Any) -> dict[str, Any]:
    return {"DashboardBody": json.dumps({"widgets": [{"type": "text", "properties": {"markdown": "#"}} | widget]})}


_KEY = "arn:aws:kms:us-east-1:123456789012:key/"
_LOGS = {"Effect": "Allow", "Principal": {"Service": "logs.us-east-1.amazonaws.com"}, "Action": "kms:Encrypt*"}
_INVALID = "The dashboard body is invalid, there are 1 validation errors: "

ENTRIES: tuple[Entry, ...] = (
    _dashboard(
        says="The body of a dashboard is JSON.",
        source=_BODY,
        message="The field DashboardBody must be a valid JSON object",
        check=_not_json,
        accepted=_board(),
        refused={"DashboardBody": "{"},
    ),
    _dashboard(
        says="A dashboard's name has letters, digits, hyphens and underscores.",
        source="CloudWatch API reference, PutDashboard",
        message="The value {value} for field DashboardName contains invalid characters. It can only contain alphanumerics, dash "
        "(-) and underscore (_).",
        check=not_matching("[A-Za-z0-9_-]+", "DashboardName"),
        accepted=_board() | {"DashboardName": "acme-dev"},
        refused=_board() | {"DashboardName": "acme dev"},
    ),
    _dashboard(
        says="A widget is 1 to 24 columns wide and 1 to 1,000 rows high.",
        source=_BODY,
        message=_INVALID
        + '[{{"dataPath":"/widgets/{index}","message":"Should be between 1 and 24 wide and 1 and 1000 high"}}]',
        inferred=True,
        check=_wide,
        accepted=_board(width=24),
        refused=_board(width=25),
    ),
    _dashboard(
        says="A widget has one of the documented types.",
        source=_BODY,
        message=_INVALID
        + '[{{"dataPath":"/widgets/{index}/type","message":"Should be equal to one of the allowed values"}}]',
        inferred=True,
        check=_kind,
        accepted=_board(),
        refused=_board(type="graph"),
    ),
    _dashboard(
        says="A widget of metrics or logs names its region.",
        source=_BODY,
        message=_INVALID
        + '[{{"dataPath":"/widgets/{index}/properties","message":"Should have required property \'region\'"}}]',
        inferred=True,
        check=_regionless,
        accepted=_board(type="metric", properties={"region": "eu-west-1"}),
        refused=_board(type="metric"),
    ),
    _dashboard(
        says="A dashboard has up to 500 widgets.",
        source="CloudWatch user guide, CloudWatch service quotas",
        message="The dashboard has more than 500 widgets",
        inferred=True,
        check=_many_widgets,
        accepted=_board(),
        refused={"DashboardBody": json.dumps({"widgets": [{"type": "text"}] * 501})},
    ),
    _group(
        says="The key of a log group exists, and its policy allows CloudWatch Logs to use it.",
        source="CloudWatch Logs user guide, Encrypt log data in CloudWatch Logs using AWS KMS",
        code="InvalidParameterException",
        message="The specified KMS key does not exist or is not allowed to be used with Arn "
        "'arn:aws:logs:{region}:{account}:log-group:{name}'",
        check=_closed_key,
        accepted={"LogGroupName": "jobs", "KmsKeyId": f"{_KEY}open"},
        refused={"LogGroupName": "jobs", "KmsKeyId": f"{_KEY}closed"},
        given={"key/open": {"Policy": {"Statement": [_LOGS]}}, "key/closed": {"Policy": {"Statement": []}}},
    ),
    _group(
        says="The prefix aws/ of log groups' names is reserved.",
        source="CloudWatch Logs API reference, CreateLogGroup",
        code="InvalidParameterException",
        message="Log groups starting with AWS/ are reserved for AWS.",
        check=lambda request: str(request.params.get("LogGroupName")).lower().startswith("aws/"),
        accepted={"LogGroupName": "/aws/lambda/retrain"},
        refused={"LogGroupName": "aws/retrain"},
    ),
)
