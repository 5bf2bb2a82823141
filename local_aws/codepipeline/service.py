"""CodePipeline, CodeBuild and CodeCommit as JSON APIs with a state for each account and region."""

from collections.abc import Callable
from typing import Any

from moto.sts.models import sts_backends
from werkzeug.wrappers import Request

from ..interfaces import EmbeddedAws
from ..json_api import JsonApi, Record, access_key, origin


class RegionalApi(JsonApi):
    """One service in all accounts and regions; `make_state(account, region)` creates the state of one of them.

    An operation gets that state and the request. `CallerArn` in the request is the ARN of who signed it.
    """

    def __init__(self, local: EmbeddedAws, service: str, make_state: Callable[[str, str], Any]) -> None:
        super().__init__(service)
        self._make_state = make_state
        self._states: dict[tuple[str, str], Any] = {}
        local.on_stop(self._stop)
        local.stores.refer(service, self)
        local.stores.add(service, lambda: self._states, self._states.update)
        local.stores.after_restart(self._restarted)

    def state(self, account: str, region: str) -> Any:
        """The state of one account and region."""
        if (account, region) not in self._states:
            self._states[account, region] = self._make_state(account, region)
        return self._states[account, region]

    def states(self) -> list[Any]:
        """The states of all accounts and regions in use."""
        return list(self._states.values())

    def respond(self, request: Request, operation: str, content: Record) -> Record:
        """The response of one call. Raises ServiceError."""
        serve = self.operation(operation)
        self.check_types(operation, content)
        state = self.state(*origin(request))
        return serve(state, content | {"CallerArn": _caller(request, state.account)}) or {}

    def _restarted(self) -> None:
        for state in self.states():
            state.restarted()

    def _stop(self) -> None:
        for state in self._states.values():
            state.stop()


def _caller(request: Request, account: str) -> str:
    """ARN of who signed the request."""
    key = access_key(request)
    for region in list(sts_backends[account].values()):
        if assumed := region.get_assumed_role_from_access_key(key):
            return str(assumed.arn)
    return f"arn:aws:iam::{account}:root"
