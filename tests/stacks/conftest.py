"""One synthesis of three factories with every feature between them, checked by cdk-nag, for all tests of this folder."""

import json
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tools import security

if TYPE_CHECKING:
    from aws_cdk import assertions


@pytest.fixture(scope="session")
def synthesized(tmp_path_factory) -> Path:
    """A folder with what `cdk synth` would write of each, and cdk-nag's reports: factory, networked, delivered."""
    out = tmp_path_factory.mktemp("assembly")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CDK_VALIDATION", "false")
        security.synthesize(out)
    return out


@pytest.fixture(scope="session")
def templates(synthesized) -> list[Path]:
    """Every template of all."""
    return security.templates_in(synthesized)


@pytest.fixture(scope="session")
def assembly(synthesized) -> Path:
    """The factory without networks: dev and prod, a realtime and a serverless model."""
    return synthesized / "factory"


class Template:
    """A CloudFormation template. `cdk` has the CDK's own assertions, the other members what these do not offer."""

    def __init__(self, path: Path) -> None:
        self._content: dict[str, Any] = json.loads(path.read_text())
        self.resources: dict[str, dict[str, Any]] = self._content["Resources"]

    @cached_property
    def cdk(self) -> "assertions.Template":
        """The template as `aws_cdk.assertions` has it."""
        from aws_cdk.assertions import Template as CdkTemplate

        return CdkTemplate.from_json(self._content)

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
        """All statements of the role called `role`, without the region; actions and resources always as lists."""
        (policies,) = (r["Policies"] for r in self.all("IAM::Role") if r.get("RoleName", "").rpartition("-")[0] == role)
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
def tuned_model(synthesized) -> Template:
    """A model whose hyperparameters are tuned, and whose instance is kept."""
    (path,) = (synthesized / "delivered").rglob("*acmetestoffers*.template.json")
    return Template(path)


@pytest.fixture(scope="session")
def training(model) -> dict[str, Any]:
    return model.definition("acme-prod-churn-train")


@pytest.fixture(scope="session")
def isolated_foundation(synthesized) -> Template:
    return Template(synthesized / "networked" / "acme-vault-foundation.template.json")


@pytest.fixture(scope="session")
def anchor(synthesized) -> Template:
    return Template(synthesized / "networked" / "acme-anchor.template.json")


@pytest.fixture(scope="session")
def isolated_model(synthesized) -> Template:
    return Template(synthesized / "networked" / "acme-vault-churn.template.json")


@pytest.fixture(scope="session")
def shared_foundation(synthesized) -> Template:
    return Template(synthesized / "networked" / "acme-shared-foundation.template.json")


@pytest.fixture(scope="session")
def shared_model(synthesized) -> Template:
    return Template(synthesized / "networked" / "acme-shared-churn.template.json")
