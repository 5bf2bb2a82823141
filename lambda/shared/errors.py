"""Errors of AWS."""

from typing import Any

from botocore.exceptions import ClientError


def error_code(error: ClientError) -> str:
    """The code of an error, such as `NoSuchKey`."""
    response: Any = error.response
    return response["Error"]["Code"]


def is_not_found(error: ClientError) -> bool:
    """Whether SageMaker has not what a request names; operations have the code in one of two forms."""
    return error_code(error) in ("ResourceNotFound", "ResourceNotFoundException")


def is_missing(error: ClientError) -> bool:
    """Whether SageMaker refused a call because the resource does not exist: many operations call that an invalid request."""
    return is_not_found(error) or error_code(error) == "ValidationException"


def error_status(error: ClientError) -> int:
    """The HTTP status of an error: from 400 the call was refused, from 500 it is open what the service did."""
    response: Any = error.response
    return response["ResponseMetadata"]["HTTPStatusCode"]
