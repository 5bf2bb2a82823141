"""CloudFormation's rules at synth, asked only about templates that they have not passed before.

The CDK's own validation takes longer than all the rest of a synth, and most templates of most synths have not changed.
"""

import hashlib
import os
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import cast

import jsii
from aws_cdk import (
    App,
    CloudFormationValidatePlugin,
    IPolicyValidationContext,
    IPolicyValidationPlugin,
    PolicyValidationPluginReport,
    PolicyValidationStack,
    Validations,
)


@jsii.implements(IPolicyValidationPlugin)
class ChangedTemplates:
    """The CDK's CloudFormation validation; `passed` is a folder with one empty file per template without findings."""

    def __init__(self, passed: Path) -> None:
        self._passed = passed

    @property
    def name(self) -> str:
        return "CloudFormation Validate"

    @property
    def version(self) -> str:
        return version("aws-cdk-lib")

    @property
    def rule_ids(self) -> list[str]:
        return []

    def validate(self, context: IPolicyValidationContext) -> PolicyValidationPluginReport:
        """All rules on all templates, unless every one of them has passed already."""
        marks = [self._mark(stack) for stack in context.stack_templates]
        if all(mark.exists() for mark in marks):
            return PolicyValidationPluginReport(success=True, violations=[])
        report = CloudFormationValidatePlugin().validate(context)
        if not report.violations:
            self._remember(marks)
        return report

    def _mark(self, stack: PolicyValidationStack) -> Path:
        # Rules differ from release to release of the CDK, and some look at where the stack will be.
        asked = f"{self.version} {stack.account_id} {stack.region}\n".encode()
        return self._passed / hashlib.sha256(asked + Path(stack.template_path).read_bytes()).hexdigest()

    def _remember(self, marks: Sequence[Path]) -> None:
        self._passed.mkdir(parents=True, exist_ok=True)
        for mark in marks:
            mark.touch()


def validate_changed(app: App, passed: Path) -> None:
    """Have `app`, made with `builtin_cloud_formation_validation=False`, validate what changed when it is synthesized."""
    if os.environ.get("CDK_VALIDATION") != "false":
        Validations.of(app).add_plugins(cast(IPolicyValidationPlugin, ChangedTemplates(passed)))
