"""Section `openlineage` of factory.yaml: an HTTP endpoint that takes OpenLineage events."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from .fields import ParameterName, Section

_URL = re.compile(r"https://[a-zA-Z0-9.-]+(:\d{1,5})?(/[^\s@]*)?")


def _check_url(value: str) -> str:
    if not _URL.fullmatch(value):
        raise ValueError(
            f"{value!r} is not a URL; write one with https:// and without a password, such as "
            "https://example.com/api/v1/lineage"
        )
    return value


Url = Annotated[str, Field(max_length=1024), AfterValidator(_check_url)]


class OpenLineage(Section):
    """Where OpenLineage events are sent to. They are written to the artifacts bucket in any case."""

    url: Url | None = Field(
        default=None,
        description="URL that takes one event in a POST request, such as https://lineage.example.com/api/v1/lineage. Default: "
        "events are not sent.",
    )
    api_key_parameter: ParameterName | None = Field(
        default=None,
        description="Name of the SecureString parameter in Systems Manager of each environment whose value is sent as bearer "
        "token. Default: none.",
    )
    repository: Url | None = Field(
        default=None,
        description="URL of the repository that commits are of, for the facet sourceCodeLocation. Default: none.",
    )
