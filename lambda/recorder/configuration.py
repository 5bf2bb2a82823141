"""Records of the settings parameter of a model: each version of its value, and who wrote it."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from botocore.exceptions import ClientError
from drafts import By, Draft
from events import SettingsChanged
from shared.clients import client
from shared.errors import error_code
from shared.settings import PARAMETER_PREFIX

_EARLIER = timedelta(minutes=1)
"""The event has no version. Versions that were written shortly before it are recorded too: each one once."""


def configuration(event: SettingsChanged) -> Iterator[Draft]:
    """The record of the version that an event is about, or of a deletion. Errors of AWS are raised."""
    if event.operation == "Delete":
        yield Draft(
            kind="configuration",
            id=f"{event.arn}#deleted#{event.time.isoformat()}",
            time=event.time,
            by=By(None, "eventbridge"),
            model=event.model,
            subject=event.arn,
            facts={"operation": "Delete", "version": None, "value": None},
        )
        return
    for version in _history(event.model):
        written = version["LastModifiedDate"]
        if written < event.time - _EARLIER:
            continue
        yield Draft(
            kind="configuration",
            # The numbers start again after a deletion.
            id=f"{event.arn}#{version['Version']}#{written.isoformat()}",
            time=written,
            by=By(version.get("LastModifiedUser"), "ssm"),
            model=event.model,
            subject=event.arn,
            facts={"operation": event.operation, "version": version["Version"], "value": _value(version["Value"])},
        )


def _history(model: str) -> Iterator[dict[str, Any]]:
    """The versions of the parameter, oldest first; none when it was deleted since."""
    pages = client("ssm").get_paginator("get_parameter_history").paginate(Name=f"{PARAMETER_PREFIX}{model}")
    try:
        for page in pages:
            yield from page["Parameters"]
    except ClientError as error:
        if error_code(error) != "ParameterNotFound":
            raise


def _value(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=str)
    except ValueError:
        return text
