"""Values as records have them."""

import json
from datetime import UTC, datetime
from typing import Any


def plain(value: Any) -> Any:
    """`value` as JSON has it: times in ISO 8601 and UTC, anything else that JSON does not know as text."""
    return json.loads(json.dumps(value, default=_text), parse_constant=str)


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return str(value)
