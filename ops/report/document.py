"""The frame of a page: title, style and header."""

from htpy import Node, body, h1, head, header, html, main, meta, p, style, title
from markupsafe import Markup

from model_factory.jobs import page_style


def document(name: str, remark: str, content: Node) -> str:
    """A page with a title and a remark below it: no script, and nothing that is loaded from elsewhere."""
    return str(
        html(lang="en")[
            head[
                meta(charset="utf-8"),
                meta(name="viewport", content="width=device-width, initial-scale=1"),
                title[name],
                style[Markup(page_style.css())],  # noqa: S704  # our own file
            ],
            body[header[h1[name], p(".note")[remark]], main[content]],
        ]
    )
