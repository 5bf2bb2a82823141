"""A small project for the commands, and a function that runs them."""

import pytest

FACTORY = """\
name: acme
environments:
  - {name: dev, account: "111111111111", region: eu-west-1}
  - {name: prod, account: "123456789012", region: eu-west-1}
"""
MODEL = """\
name: churn
problem: binary_classification
data: {label: left}
gate: {metric: auc, minimum: 0.7}
"""
CODE = """\
def features(raw):
    return raw

def train(train, validation, hyperparameters):
    return None

def predict(model, features):
    return features.iloc[:, 0]
"""


@pytest.fixture
def project(tmp_path):
    (tmp_path / "factory.yaml").write_text(FACTORY)
    folder = tmp_path / "models" / "churn"
    folder.mkdir(parents=True)
    (folder / "model.yaml").write_text(MODEL)
    (folder / "model.py").write_text(CODE)
    return tmp_path


@pytest.fixture
def aws(monkeypatch):
    """moto's account 123456789012, which is the environment prod of the project."""
    from moto import mock_aws

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    with mock_aws():
        yield


@pytest.fixture
def run(monkeypatch, capsys):
    """Runs a command in this process; returns exit code, standard output and standard error."""
    from model_factory.ops import cli, options

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["model-factory", *arguments])
        monkeypatch.setattr(options.out, "width", 200)
        monkeypatch.setattr(options.err, "width", 200)
        code = 0
        try:
            cli.main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        output = capsys.readouterr()
        return code, output.out, output.err

    return run


@pytest.fixture
def traced(aws, project, monkeypatch):
    """Environment prod with version 7, trained on two objects, for tests of `lineage`."""
    from ops.records import chain

    from .traced import traced

    # S3's clock is not that of the records.
    monkeypatch.setattr(chain, "time_problems", lambda *_: [])
    return traced(project)


@pytest.fixture(scope="session")
def artifacts(tmp_path_factory):
    """model.tar.gz of two versions that can score requests."""
    from .explained import artifacts_of

    return artifacts_of(tmp_path_factory.mktemp("artifacts"))


@pytest.fixture
def prod(artifacts, aws):
    """An environment with two versions, for tests of `explain`."""
    from .explained import Prod

    return Prod(artifacts)
