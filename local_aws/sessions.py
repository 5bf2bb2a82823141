"""boto3 sessions whose clients call the embedded AWS without environment variables."""

from typing import Any

import boto3

from . import direct

SERVER_AGENT = "local-aws"
"""In the user agent of requests that the server makes as AWS's services do, also under a customer's role."""


class EndpointSession(boto3.Session):
    """A boto3 session with an endpoint URL for all of its clients and resources."""

    def __init__(self, endpoint_url: str, **settings: Any) -> None:
        super().__init__(**settings)
        self._endpoint_url = endpoint_url
        direct.use_calls(self.events)

    def client(self, service_name: Any, *arguments: Any, **settings: Any) -> Any:
        """As boto3.Session.client, at this session's endpoint unless another one is given."""
        return super().client(service_name, *arguments, **self._settings(settings))

    def resource(self, service_name: Any, *arguments: Any, **settings: Any) -> Any:
        """As boto3.Session.resource, at this session's endpoint unless another one is given."""
        return super().resource(service_name, *arguments, **self._settings(settings))

    def _settings(self, settings: dict[str, Any]) -> dict[str, Any]:
        return settings | {"endpoint_url": settings.get("endpoint_url") or self._endpoint_url}
