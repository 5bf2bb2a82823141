"""Keep the templates of a commit: tests deploy them and update them to those of the working copy.

`python tools/deployed_templates.py` in a checkout of the commit writes tests/stacks/deployed.zip. Run it at a release.
"""

import json
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "tests" / "stacks" / "deployed.zip"
# One of each kind of stack is enough.
STACKS = (
    "factory/acme-dev-foundation",
    "factory/acme-dev-price",
    "delivered/acme-delivery",
)


def main() -> None:
    """Synthesize and write the templates without metadata, which CloudFormation ignores."""
    from tools.security import synthesize

    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(TARGET, "w", zipfile.ZIP_DEFLATED) as archive:
        synthesize(Path(folder))
        for name in STACKS:
            path = f"{name}.template.json"
            template = json.loads((Path(folder) / path).read_text())
            for resource in template["Resources"].values():
                resource.pop("Metadata", None)
            archive.writestr(zipfile.ZipInfo(path), json.dumps(template), zipfile.ZIP_DEFLATED)


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT), str(ROOT / "constructs")]
    main()
