"""Media types of requests and responses."""

CSV, JSON = "text/csv", "application/json"
JSON_LINES = "application/jsonlines"
PARQUET = "application/x-parquet"
_ALIASES = {
    "application/jsonl": JSON_LINES,
    "application/x-jsonlines": JSON_LINES,
    "application/x-ndjson": JSON_LINES,
    "application/vnd.apache.parquet": PARQUET,
}


class BadRequest(ValueError):
    """The body cannot be read; the message says where and why."""


def media_type(content_type: str) -> tuple[str, dict[str, str]]:
    """Type and parameters of a Content-Type, or of a part of Accept, in lower case: ("text/csv", {"header": "present"})."""
    kind, *parameters = content_type.split(";")
    kind = kind.strip().lower()
    pairs = (parameter.partition("=") for parameter in parameters)
    return _ALIASES.get(kind, kind), {name.strip().lower(): value.strip(' "').lower() for name, _, value in pairs}
