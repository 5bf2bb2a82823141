"""What a run keeps for the next one in latest.json: which objects are analysed, counts by day, and the last quality."""

import json
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from .. import s3
from ..drift.history import History
from .attribution import Attribution
from .captured import Watermark
from .live_version import LiveVersion
from .model_quality import Quality
from .volume import Volume


@dataclass(frozen=True)
class State:
    """`attribution`: which version answered requests whose answers do not say so."""

    watermark: Watermark
    history: History
    volume: Volume
    quality: Quality | None
    attribution: Attribution

    @classmethod
    def read(cls, latest_uri: str, live: LiveVersion) -> Self:
        """From latest.json of the last run; the history of another version than the live one is not continued.

        Listed before it is read: without permission to list the whole bucket, S3 answers 403 and not 404.
        """
        exists = any(True for _ in s3.below(latest_uri))
        return cls.from_report(s3.read_json(latest_uri) if exists else None, live)

    @classmethod
    def from_report(cls, report: dict[str, Any] | None, live: LiveVersion) -> Self:
        """From the content of latest.json; None for the first run."""
        return cls(
            Watermark.from_report(report),
            History.from_report(report, live.version),
            Volume.from_report(report),
            Quality.from_report(report),
            Attribution.after(report, live),
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
            "shift": self.attribution.to_dict(),
        }

    def write(self, latest_uri: str, report: dict[str, Any]) -> None:
        """Write latest.json."""
        bucket, key = s3.split(latest_uri)
        s3.client().put_object(Bucket=bucket, Key=key, Body=json.dumps(report | self.to_dict()).encode())
