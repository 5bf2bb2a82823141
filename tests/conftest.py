"""What every test process does: share what boto3 sessions read, and search the memory once at the end."""

from functools import cache

import botocore.hooks
import botocore.loaders
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
_create_loader = botocore.loaders.create_loader
botocore.loaders.create_loader = _shared_loader

# Every client computes the names of all its events anew: they are the same.
_event_name = botocore.hooks.EventAliaser._alias_event_name
_names: dict[str, str] = {}


def _shared_event_name(self: botocore.hooks.EventAliaser, name: str) -> str:
    if name not in _names:
        _names[name] = _event_name(self, name)
    return _names[name]


botocore.hooks.EventAliaser._alias_event_name = _shared_event_name


def pytest_configure(config: pytest.Config) -> None:
    """Collect garbage once at the end: pytest does ten times, each half a second for the embedded AWS's objects."""
    config.stash[gc_collect_iterations_key] = 1
