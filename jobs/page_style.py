"""The style of the HTML pages: that of a monitor run, and that of `model-factory report`."""

from importlib import resources


def css() -> str:
    """The style sheet `page.css`, also from inside of a zip."""
    return (resources.files(__package__ or "jobs") / "page.css").read_text(encoding="utf-8")
