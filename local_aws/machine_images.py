"""Amazon Machine Images, which moto makes for every account and region that has a network: 1,300, with a snapshot each.

That takes 0.3 s and is repeated when the server stops. Here they are made when a request reads images or snapshots.
"""

import threading
from types import ModuleType
from typing import Any

from .interfaces import EmbeddedAws

_making = threading.RLock()


def install(local: EmbeddedAws) -> None:
    """Make images late, also after this server's end: when it stops, moto makes every account and region anew."""
    local.when_imported("moto.ec2.models", _make_late)


def _make_late(models: ModuleType) -> None:
    backend = models.EC2Backend
    if "amis" in vars(backend):
        return
    make = backend._load_amis
    backend._load_amis = lambda self: None
    for name in ("amis", "snapshots"):
        setattr(backend, name, _after(make, name))


def _after(make: Any, name: str) -> property:
    """The attribute `name` of a backend, read after `make` was called with the backend once."""

    def read(backend: Any) -> Any:
        with _making:
            if not vars(backend).get("has_images"):
                vars(backend)["has_images"] = True
                make(backend)
        return vars(backend)[name]

    def write(backend: Any, value: Any) -> None:
        vars(backend)[name] = value

    return property(read, write)
