"""`FactoryApp`: the CDK application that a repository's app.py creates."""

import gc
import json
import sys
from pathlib import Path
from typing import Any

# The CDK's thousands of generated classes live until the process ends. Searching them for garbage costs a second.
_collecting = gc.isenabled()
gc.disable()

from aws_cdk import App, Stage  # noqa: E402

from model_factory.config import ConfigError  # noqa: E402
from model_factory.stacks.factory import UserError, add_factory  # noqa: E402
from model_factory.stacks.foundation import FoundationStack  # noqa: E402
from model_factory.stacks.model import ModelStack  # noqa: E402
from model_factory.stacks.validation import validate_changed  # noqa: E402

if _collecting:
    gc.enable()


class FactoryApp(App):
    """A CDK app with every stack of factory.yaml and models/*/model.yaml. Calls no AWS API and needs no credentials.

    The context keys `factory` and `models` (`cdk synth -c factory=<file> -c models=<folder>`) take other files.

    Args:
        root: Folder with factory.yaml, models/ and cdk.json. Default: the working directory, where the CDK CLI runs app.py.

    Raises:
        SystemExit: A configuration file is wrong. Every mistake is printed on standard error, the status is 1.
    """

    def __init__(self, root: Path | None = None) -> None:
        root = (root or Path()).resolve()
        super().__init__(
            context=_feature_flags(root), analytics_reporting=False, builtin_cloud_formation_validation=False
        )
        validate_changed(self, root / ".validated")
        try:
            self.model_stacks: list[ModelStack] = add_factory(
                self,
                factory=Path(self.node.try_get_context("factory") or root / "factory.yaml"),
                models=Path(self.node.try_get_context("models") or root / "models"),
            )
            """One stack per model and environment, for your own constructs beside those of the library."""
        except (ConfigError, UserError) as error:
            print(error, file=sys.stderr)
            raise SystemExit(1) from None

    @property
    def foundation_stacks(self) -> list[FoundationStack]:
        """One stack per environment; its `resources` are for your own constructs and stacks."""
        stages = [each for each in self.node.children if Stage.is_stage(each)]
        children = [child for parent in (self, *stages) for child in parent.node.children]
        return [child for child in children if isinstance(child, FoundationStack)]


def _feature_flags(root: Path) -> dict[str, Any]:
    """The context of cdk.json. The CDK CLI passes it to the app; `python app.py` alone has to read it."""
    file = root / "cdk.json"
    return json.loads(file.read_text(encoding="utf-8")).get("context", {}) if file.is_file() else {}
