"""The user's cache of what can be made again."""

import os
from pathlib import Path


def user_cache() -> Path:
    """Model Factory's folder in the user's cache; it may not exist yet. Source: XDG Base Directory Specification."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "model-factory"
