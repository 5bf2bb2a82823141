"""What a run keeps for the next one in latest.json: which objects are analysed, counts by day, and the last quality."""

import json
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from .. import s3
from ..drift.history import History
from .captured import Watermark
from .model_quality import Quality
from .volume import Volume


@dataclass(frozen=True)
class State:
    """`version_before`: the version that was live before this one, 0 when none is known."""

    watermark: Watermark
    history: History
    volume: Volume
    quality: Quality | None
    version_before: int

    @classmethod
    def read(cls, latest_uri: str, version: int) -> Self:
        """From latest.json of the last run; `version` is live now, and the history of another one is not continued.

        Listed before it is read: without permission to list the whole bucket, S3 answers 403 and not 404.
        """
        exists = any(True for _ in s3.below(latest_uri))
        return cls.from_report(s3.read_json(latest_uri) if exists else None, version)

    @classmethod
    def from_report(cls, report: dict[str, Any] | None, version: int) -> Self:
        """From the content of latest.json; None for the first run."""
        return cls(
            Watermark.from_report(report),
            History.from_report(report, version),
            Volume.from_report(report),
            Quality.from_report(report),
            _version_before(report, version),
        )

    def after(self, objects: list[dict[str, Any]]) -> "State":
        """The state when these captured objects are analysed, too."""
        return replace(self, watermark=self.watermark.after(objects))

    def to_dict(self) -> dict[str, Any]:
        """What latest.json has beside the report, which has the quality."""
        return {
            "watermark": self.watermark.to_dict(),
            "history": {"version": self.history.version, "days": [asdict(day) for day in self.history.days]},
            "volume": self.volume.days,
            "version_before": self.version_before,
        }

    def write(self, latest_uri: str, report: dict[str, Any]) -> None:
        """Write latest.json."""
        bucket, key = s3.split(latest_uri)
        s3.client().put_object(Bucket=bucket, Key=key, Body=json.dumps(report | self.to_dict()).encode())


def _version_before(report: dict[str, Any] | None, version: int) -> int:
    if not report or "version" not in report:
        return 0
    return report["version"] if report["version"] != version else report.get("version_before", 0)
