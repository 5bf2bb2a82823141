"""Where OpenLineage events go: to the artifacts bucket, each once, and from there to an HTTP endpoint if there is one.

Each event for the endpoint is a message of its own in the publisher's queue, in a message group beside the model's: an endpoint
that is down holds neither the bucket nor model cards and lineage entities, and none of another model's events.
"""

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from run_events import RunEvent
from shared.chain import digest
from shared.queue import ReceiverError, RefusedMessageError
from shared.s3 import put_once

FOLDER = "_openlineage"
EVENT_WRITTEN = "Model Factory OpenLineage Event Written"
"""`detail-type` of the messages for the HTTP endpoint."""
TIMEOUT_SECONDS = 5
"""As for API destinations of EventBridge. Ten invocations at a time serve all models."""
ALERT = "openlineage-endpoint"
_TRY_AGAIN = (408, 425, 429)


class NotSentError(ReceiverError):
    """The HTTP endpoint did not take an event; the message says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, ALERT)


class NotAcceptedError(NotSentError, RefusedMessageError):
    """The HTTP endpoint refuses an event, and will refuse it again."""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirected request would be a GET without its body, and take the key to another host."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirects)


@dataclass(frozen=True)
class Http:
    """An HTTP endpoint that takes OpenLineage events, one a request.

    Args:
        url: Its URL.
        api_key: Returns the key that is sent as a bearer token; empty for none.
    """

    url: str
    api_key: Callable[[], str]

    def send(self, body: bytes) -> None:
        """Send an event. Raises NotSentError when a later attempt may succeed, NotAcceptedError when it will not."""
        key = self.api_key()
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
        request = urllib.request.Request(self.url, body, headers, method="POST")  # noqa: S310  # https, by validation
        try:
            with _OPENER.open(request, timeout=TIMEOUT_SECONDS):
                return
        except urllib.error.HTTPError as error:
            said = f"{self.url} answers with {error.code} {error.reason}"
            if 400 <= error.code < 500 and error.code not in _TRY_AGAIN:
                raise NotAcceptedError(said) from error
            raise NotSentError(said) from error
        except OSError as error:
            raise NotSentError(f"{self.url} cannot be reached: {error}") from error


@dataclass(frozen=True)
class Sink:
    """Publishes the events of a model.

    Args:
        s3: Client of S3.
        bucket: The artifacts bucket.
        model: Name of the model.
        to_endpoint: Sends an SQS message with these members. Default: there is no HTTP endpoint.
    """

    s3: Any
    bucket: str
    model: str
    to_endpoint: Callable[..., object] | None = None

    def write(self, event: RunEvent) -> bool:
        """Write an event, unless the run has one of its kind; whether it was written. Raises ClientError."""
        body = json.dumps(event.to_dict(), indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False).encode()
        return put_once(self.s3, self.bucket, self._key(event), body, ContentType="application/json")

    def queue(self, event: RunEvent) -> None:
        """Put the written event in line for the HTTP endpoint; SQS takes it once in five minutes. Raises ClientError."""
        if self.to_endpoint is not None:
            body = {"detail-type": EVENT_WRITTEN, "model": self.model, "key": self._key(event)}
            text = json.dumps(body)
            self.to_endpoint(
                MessageBody=text,
                MessageGroupId=f"{self.model}/openlineage",
                MessageDeduplicationId=digest(text.encode()),
            )

    def send(self, key: str, http: Http) -> None:
        """Send a written event to the HTTP endpoint, the same bytes each time. Raises ClientError and NotSentError."""
        http.send(self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read())

    def _key(self, event: RunEvent) -> str:
        return f"{FOLDER}/{self.model}/{event.run_id}/{event.kind}.json"
