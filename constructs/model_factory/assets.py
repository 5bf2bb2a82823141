"""Folders that the library ships: the code of jobs and of Lambda functions."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent

JOBS = _PACKAGE / "jobs"
"""The package that runs in SageMaker jobs and endpoints."""
FUNCTIONS = _PACKAGE / "functions"
"""One folder per Lambda function, and `shared`."""
