"""The page about the models of a factory."""

from collections.abc import Sequence
from datetime import datetime

from .charts import Charts
from .document import document
from .elements import when
from .glance import glance
from .model import section_of
from .sources import ModelReport


def page(factory: str, reports: Sequence[ModelReport], now: datetime) -> str:
    """The page of the factory's models as HTML. `now`: UTC."""
    charts = Charts()
    places = ", ".join(dict.fromkeys(each.status.environment for each in reports)) or "no environment"
    return document(
        f"Models of {factory}",
        f"{places}; read from AWS at {when(now)}",
        [glance(reports, now), (section_of(each, charts) for each in reports)],
    )
