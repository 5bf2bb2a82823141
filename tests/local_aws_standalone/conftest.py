"""The plugin's fixtures for the checkout, where local-aws is not installed and pytest does not know its entry point."""

from importlib.metadata import PackageNotFoundError, version

try:
    version("local-aws")
except PackageNotFoundError:
    from local_aws.pytest_plugin import *  # noqa: F403
    from local_aws.pytest_plugin import pytest_runtest_protocol as pytest_runtest_protocol
