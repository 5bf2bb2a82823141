"""Events as AWS services themselves put them on an account's default event bus."""

import json
from typing import Any

from moto.events.models import events_backends


def emit(
    account: str, region: str, source: str, detail_type: str, detail: dict[str, Any], resources: list[str]
) -> None:
    """Put one event. In process: PutEvents refuses the `aws.` sources to callers, as on AWS."""
    event = {
        "Source": source,
        "DetailType": detail_type,
        "Detail": json.dumps(detail, default=str),
        "Resources": resources,
    }
    events_backends[account][region].put_events([event])
