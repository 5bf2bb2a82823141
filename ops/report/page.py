"""The whole page."""

from collections.abc import Sequence
from datetime import datetime

from htpy import body, h1, head, header, html, main, meta, p, style, title
from markupsafe import Markup

from model_factory.jobs import page_style

from .charts import Charts
from .elements import when
from .glance import glance
from .model import section_of
from .sources import ModelReport


def page(factory: str, reports: Sequence[ModelReport], now: datetime) -> str:
    """The page as HTML: no script, and nothing that is loaded from elsewhere. `now`: UTC."""
    charts = Charts()
    name = f"Models of {factory}"
    places = ", ".join(dict.fromkeys(each.status.environment for each in reports)) or "no environment"
    content = html(lang="en")[
        head[
            meta(charset="utf-8"),
            meta(name="viewport", content="width=device-width, initial-scale=1"),
            title[name],
            style[Markup(page_style.css())],  # noqa: S704  # our own file
        ],
        body[
            header[h1[name], p(".note")[f"{places}; read from AWS at {when(now)}"]],
            main[glance(reports, now), (section_of(each, charts) for each in reports)],
        ],
    ]
    return str(content)
