"""What every test process does: share what boto3 sessions read, call the server, and search the memory once at the end."""

import gc
import sys
from functools import cache
from typing import Any
from weakref import WeakKeyDictionary

import botocore.client
import botocore.hooks
import botocore.loaders
import botocore.session
import botocore.useragent
import pytest
from _pytest.unraisableexception import gc_collect_iterations_key


class _SearchPaths(list[str]):
    """Each boto3 session appends its folder: in a shared list, only the first may."""

    def append(self, path: str) -> None:
        if path not in self:
            super().append(path)


@cache
def _shared_loader(*paths: str) -> botocore.loaders.Loader:
    loader = _create_loader(*paths)
    loader._search_paths = _SearchPaths(loader.search_paths)
    return loader


# Reading AWS's service models, once for each session, was most of a small test's time.
_create_loader = botocore.session.create_loader
botocore.session.create_loader = _shared_loader

# Every client has the same methods: a service's are made once.
_create_methods = botocore.client.ClientCreator._create_methods
_methods: dict[tuple[str, str], dict[str, Any]] = {}


def _shared_methods(self: botocore.client.ClientCreator, service_model: Any) -> dict[str, Any]:
    service = (service_model.service_name, service_model.api_version)
    if service not in _methods:
        _methods[service] = _create_methods(self, service_model)
    return dict(_methods[service])


botocore.client.ClientCreator._create_methods = _shared_methods

# And every session inspects the signatures of the same 140 event handlers.
_accepts_kwargs = botocore.hooks.accepts_kwargs
_accepting = WeakKeyDictionary[Any, Any]()


def _shared_accepts_kwargs(handler: Any) -> Any:
    function = getattr(handler, "__func__", handler)
    if function not in _accepting:
        _accepting[function] = _accepts_kwargs(handler)
    return _accepting[function]


botocore.hooks.accepts_kwargs = _shared_accepts_kwargs

# Every client computes the names of all its events anew: they are the same.
_event_name = botocore.hooks.EventAliaser._alias_event_name
_names: dict[str, str] = {}


def _shared_event_name(self: botocore.hooks.EventAliaser, name: str) -> str:
    if name not in _names:
        _names[name] = _event_name(self, name)
    return _names[name]


botocore.hooks.EventAliaser._alias_event_name = _shared_event_name


# And each part of the user agent's name: thirty for each request.
botocore.useragent.sanitize_user_agent_string_component = cache(botocore.useragent.sanitize_user_agent_string_component)

# Clients of tests call an embedded AWS in their process as its own clients do; other processes call it over HTTP.
_register_handlers = botocore.session.Session._register_builtin_handlers


def _call_server(request: Any, **_: Any) -> Any:
    direct = sys.modules.get("local_aws.direct")
    return direct.serve(request) if direct else None


def _register_with_server(self: botocore.session.Session, events: Any) -> None:
    _register_handlers(self, events)
    events.register("before-send", _call_server, unique_id="local-aws")


botocore.session.Session._register_builtin_handlers = _register_with_server


def pytest_configure(config: pytest.Config) -> None:
    """Let pytest search the memory for lost errors not at all: it does so for seconds, and twice. `pytest_sessionfinish` does."""
    config.stash[gc_collect_iterations_key] = 0
    gc.set_threshold(20_000)  # from 700 new objects: a request to the embedded AWS makes thousands


def pytest_collection_finish() -> None:
    """Leave what is imported out of every further search."""
    gc.freeze()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish() -> None:
    """Search once, after the last fixture; then leave everything out, because Hypothesis searches when its plugin ends."""
    gc.collect()
    gc.freeze()
