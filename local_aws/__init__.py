"""An embedded AWS for tests: moto's server, extended so that SageMaker jobs, pipelines and endpoints really run.

`LocalAws` is imported at its first use: importing this package costs nothing.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .server import LocalAws

__all__ = ["LocalAws", "__version__"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name == "LocalAws":
        from .server import LocalAws

        return LocalAws
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
