"""What one run of the monitor is given: the model's settings and the job's environment."""

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from .. import project
from ..failures import JobFailure


@dataclass(frozen=True)
class Context:
    """`scheduled` is the time that the run stands for, with a timezone; the URIs have no slash at the end."""

    settings: dict[str, Any]
    scheduled: datetime
    data_uri: str
    reports_uri: str
    environment: str = ""
    model_name: str = ""
    endpoint: str = ""
    execution_id: str = ""
    model_package_group: str = ""

    @classmethod
    def from_environment(cls) -> Self:
        """From project/settings.json and the environment variables of docs/reference/contracts.md. Raises JobFailure."""
        return cls(
            project.load().settings,
            scheduled_time(os.environ.get("SCHEDULED_TIME", "")),
            os.environ["DATA_URI"],
            os.environ["REPORTS_URI"],
            os.environ["FACTORY_ENVIRONMENT"],
            os.environ["MODEL_NAME"],
            os.environ["ENDPOINT_NAME"],
            os.environ.get("PIPELINE_EXECUTION_ID", ""),
            os.environ["MODEL_PACKAGE_GROUP"],
        )

    @property
    def monitoring(self) -> dict[str, Any]:
        """`monitoring` of the settings."""
        return self.settings["monitoring"]

    @property
    def is_batch(self) -> bool:
        """Whether files are scored in jobs, and there is no endpoint."""
        return self.settings["serving"]["mode"] == "batch"

    @property
    def label(self) -> str:
        """Name of the label's column."""
        return self.settings["data"]["label"]

    @property
    def regression(self) -> bool:
        """Whether the labels are numbers and not classes."""
        return self.settings["problem"] == "regression"

    @property
    def latest_uri(self) -> str:
        """S3 URI of latest.json, which each run writes for the next one."""
        return f"{self.reports_uri}/latest.json"


def scheduled_time(text: str) -> datetime:
    """The time of a run: now when `text` is empty, UTC when it has no timezone. Raises JobFailure for other text."""
    try:
        time = datetime.fromisoformat(text) if text else datetime.now(UTC)
    except ValueError:
        raise JobFailure(f"ScheduledTime must be a time such as 2026-11-24T05:00:00Z, not {text!r}") from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
