"""SageMaker's List operations: filters, order and pages, as the API reference documents them."""

import math
from typing import Any

from ..json_api import Record

PAGE_SIZE = 10
"""Default of MaxResults where the API reference names one (ListEndpoints, ListTransformJobs); the others name none."""


def page(
    items: list[Record], request: Record, key: str, time_key: str = "CreationTime", order: str = "Descending"
) -> Record:
    """A List response.

    Args:
        items: All records of the kind, as summaries.
        request: The request: NameContains, StatusEquals, the bounds of the times, SortBy, SortOrder, MaxResults, NextToken.
        key: The member of the response.
        time_key: The member that the bounds and the default order refer to.
        order: The default of SortOrder.
    """
    ordered = sorted(
        (item for item in items if _fits(item, request) and _in_time(item, request, time_key)),
        key=lambda item: _sort_value(item, request.get("SortBy"), time_key),
        reverse=request.get("SortOrder", order) == "Descending",
    )
    start, size = int(request.get("NextToken", 0)), int(request.get("MaxResults", PAGE_SIZE))
    answer: Record = {key: ordered[start : start + size]}
    if start + size < len(ordered):
        answer["NextToken"] = str(start + size)
    return answer


def _fits(item: Record, request: Record) -> bool:
    if request.get("NameContains", "") not in _member(item, "Name"):
        return False
    return "StatusEquals" not in request or request["StatusEquals"] == _member(item, "Status")


def _sort_value(item: Record, by: str | None, time_key: str) -> Any:
    if by in ("Name", "Status"):
        return _member(item, by)
    return item[by] if by in item else item[time_key]


def _in_time(item: Record, request: Record, time_key: str) -> bool:
    """Whether an item lies within the request's CreatedAfter, CreationTimeBefore, LastModifiedTimeAfter and the like."""
    modified = item.get("LastModifiedTime", item[time_key])
    bounds = (("Created", item[time_key]), ("CreationTime", item[time_key]), ("LastModifiedTime", modified))
    return all(
        request.get(f"{name}After", 0) <= time.timestamp() < request.get(f"{name}Before", math.inf)
        for name, time in bounds
    )


def _member(item: Record, suffix: str) -> str:
    """The value of the first member called `…Name` or `…Status`."""
    return next((value for key, value in item.items() if key.endswith(suffix)), "")
