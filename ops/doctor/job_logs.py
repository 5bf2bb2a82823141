"""Check of the log groups of SageMaker's jobs, which belong to the account and region and not to a stack."""

from collections.abc import Callable, Iterator
from typing import Any

from .findings import Status

GROUPS = ("/aws/sagemaker/ProcessingJobs", "/aws/sagemaker/TrainingJobs")
"""SageMaker creates each with the first job of anybody. No stack owns them: an account may have several environments."""


def job_logs(client: Callable[[str], Any]) -> Iterator[tuple[Status, str, str]]:
    """Whether lines of jobs are deleted at some time, and encrypted with a key of the account."""
    for name in GROUPS:
        groups = client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
        group = next((each for each in groups if each["logGroupName"] == name), None)
        if group is None:
            yield "ok", f"{name} does not exist yet: the first job creates it, without retention and key", ""
            continue
        retention, key = group.get("retentionInDays"), group.get("kmsKeyId")
        if not retention:
            mend = f"aws logs put-retention-policy --log-group-name {name} --retention-in-days 365"
            yield "warning", f"{name} keeps the lines of all jobs of the account for ever", mend
        if not key:
            mend = f"aws logs associate-kms-key --log-group-name {name} --kms-key-id <ARN of a key that allows CloudWatch Logs>"
            yield "warning", f"{name} has no key of the account", mend
        if retention and key:
            yield "ok", f"{name} keeps lines for {retention} days, encrypted with {key}", ""
