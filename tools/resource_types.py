"""Lists the resource types of the templates with every feature: `python tools/resource_types.py` writes the list.

docs/reference/fidelity.md has a row for each. tests/stacks holds the list against the templates.
"""

import json
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIST = ROOT / "tools" / "resource_types.txt"
CUSTOM = "AWS::CloudFormation::CustomResource"


def listed() -> list[str]:
    """The types of the list."""
    return LIST.read_text(encoding="utf-8").split()


def types_in(templates: Iterable[Path]) -> list[str]:
    """The types of the templates' resources, sorted; custom resources count as one type."""
    resources = [each for path in templates for each in json.loads(path.read_text())["Resources"].values()]
    return sorted({CUSTOM if each["Type"].startswith("Custom::") else each["Type"] for each in resources})


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT), str(ROOT / "constructs")]
    from tools import security

    with tempfile.TemporaryDirectory() as folder:
        LIST.write_text("\n".join(types_in(security.synthesize(Path(folder)))) + "\n", encoding="utf-8")
