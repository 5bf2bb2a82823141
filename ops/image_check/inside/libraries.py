"""Libraries that the jobs import, with the oldest versions that they are tested with."""

import re
from importlib import import_module, metadata

from .check import NotMetError

MINIMUM = {
    "boto3": "1.38",
    "flask": "3.0",
    "joblib": "1.3",
    "numpy": "2.0",
    "pandas": "2.2",
    "pyarrow": "18.0",
    "scikit-learn": "1.6",
    "scipy": "1.13",
    "threadpoolctl": "3.5",
}
"""By name in a package index. Flask is the endpoint's."""
_MODULES = {"scikit-learn": "sklearn"}


def installed(name: str) -> str:
    """The version of a library that can be imported. Raises NotMetError."""
    least = MINIMUM[name]
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        raise NotMetError(f"is not installed: install {name}>={least}") from None
    if _numbers(version) < _numbers(least):
        raise NotMetError(f"{version} is older than {least}: install {name}>={least}")
    try:
        import_module(_MODULES.get(name, name))
    except Exception as error:
        raise NotMetError(f"{version} cannot be imported: {type(error).__name__}: {error}") from None
    return version


def _numbers(version: str) -> "tuple[int, ...]":
    return tuple(int(part) for part in re.findall(r"\d+", version.partition("+")[0])[:2])
