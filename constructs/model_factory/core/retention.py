"""Times of factory.yaml and model.yaml as lifecycle rules of S3 have them."""

import math
from datetime import timedelta

from aws_cdk import Duration


def whole_days(age: timedelta | None) -> Duration | None:
    """The age in whole days, rounded up; None without one.

    Args:
        age: A length of time.
    """
    return Duration.days(math.ceil(age / timedelta(days=1))) if age else None
