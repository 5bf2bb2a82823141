"""`model-factory upgrade`: pins, feature flags, migrations and the warning of replacements."""

import io
import json
import sys
from importlib.metadata import version

import pytest
from rich.console import Console

from model_factory.ops.project import UsageError
from model_factory.ops.repository import stateful_changes as stateful
from model_factory.ops.repository.init import init
from model_factory.ops.repository.migrations import Migration, between
from model_factory.ops.repository.upgrade import upgrade
from model_factory.ops.repository.yaml_keys import rename_key

INSTALLED = version("model-factory-cdk")
MODEL = """\
# My model.
name: churn
training:
  # Our own image.
  image: 111111111111.dkr.ecr.eu-west-1.amazonaws.com/mine:1  # patched
  instance: ml.m5.large
data: {label: left, image: not-this-one}
"""


@pytest.fixture
def repository(tmp_path):
    """A repository that pins an older version."""
    init(tmp_path, "acme")
    pin(tmp_path, "0.0.1")
    (tmp_path / "models" / "churn").mkdir()
    (tmp_path / "models" / "churn" / "model.yaml").write_text(MODEL)
    return tmp_path


def pin(root, number):
    file = root / "requirements.txt"
    file.write_text(file.read_text().replace(f"=={INSTALLED}", f"=={number}"))


def run(root, migrations=(), diff=False):
    """Runs upgrade; returns the changes and the printed text."""
    text = io.StringIO()
    changes = upgrade(root, Console(file=text, width=200), diff=diff, migrations=migrations)
    return changes, text.getvalue()


def rename_image(root):
    lines = []
    for path in root.glob("models/*/model.yaml"):
        lines += [f"{path}:{line}" for line in rename_key(path, ("training", "image"), "container")]
    return lines


def test_installed_version_is_pinned(repository):
    changes, printed = run(repository)
    assert changes == [f"{repository / 'requirements.txt'}: pins {INSTALLED}"]
    assert f"[local]=={INSTALLED}" in (repository / "requirements.txt").read_text()
    assert f"0.0.1 -> {INSTALLED}" in printed


def test_second_upgrade_changes_nothing(repository):
    run(repository)
    changes, printed = run(repository)
    assert changes == []
    assert "no file has to change" in printed


def test_missing_feature_flag_is_added_existing_flag_keeps_value(repository):
    file = repository / "cdk.json"
    content = json.loads(file.read_text())
    first, second = list(content["context"])[:2]
    del content["context"][first]
    content["context"][second] = "mine"
    file.write_text(json.dumps(content))
    changes, _ = run(repository)
    assert f"{file}: feature flag {first}" in changes
    upgraded = json.loads(file.read_text())["context"]
    assert first in upgraded
    assert upgraded[second] == "mine"


def test_renamed_key_keeps_comments_and_layout(repository):
    migration = Migration(INSTALLED, "training.image is called training.container", rename_image)
    changes, _ = run(repository, (migration,))
    file = repository / "models" / "churn" / "model.yaml"
    assert file.read_text() == MODEL.replace("  image: 1111", "  container: 1111")
    assert f"{file}:5: training.image is called training.container" in changes


def test_change_by_hand_is_printed(repository):
    _, printed = run(repository, (Migration(INSTALLED, "move your feed to the new prefix"),))
    assert "by hand: move your feed to the new prefix" in printed


def test_only_migrations_after_the_pinned_version_apply():
    releases = tuple(Migration(number, number) for number in ("0.9", "0.10.0", "0.11", "1.0"))
    assert [each.version for each in between("0.9.0", "0.11", releases)] == ["0.10.0", "0.11"]


def test_key_is_renamed_in_lists_and_flow_style(tmp_path):
    file = tmp_path / "factory.yaml"
    file.write_text("environments: [{name: dev, zone: a}, {name: prod, zone: b}]\n")
    assert rename_key(file, ("environments", "*", "zone"), "region") == [1, 1]
    assert file.read_text() == "environments: [{name: dev, region: a}, {name: prod, region: b}]\n"


def test_repository_without_pin_is_rejected(repository):
    (repository / "requirements.txt").write_text("model-factory-cdk\n")
    with pytest.raises(UsageError, match="has no line model-factory-cdk==<version>"):
        run(repository)


def test_pin_newer_than_installed_version_is_rejected(repository):
    pin(repository, INSTALLED)
    file = repository / "requirements.txt"
    file.write_text(file.read_text().replace("==0.0.1", "==99.0"))
    with pytest.raises(
        UsageError, match=r"pins 99\.0, but .* is installed; run pip install -r requirements\.txt first"
    ):
        run(repository)


DIFF = """\
Stack acme-prod-foundation
Resources
[~] AWS::S3::Bucket DataLake/Data DataLakeDataDE92A33D replace
 └─ [~] BucketName (requires replacement)
[~] AWS::KMS::Key Encryption/Key EncryptionKey1 may be replaced
[-] AWS::SQS::Queue RetrainQueue/Queue RetrainQueue2 destroy
[~] AWS::Lambda::Function Deploy/Function DeployFunction3 replace
[+] AWS::S3::Bucket New NewBucket
Stack acme-prod-churn
[~] AWS::SageMaker::ModelPackageGroup Registry/Group RegistryGroup4 replace
"""


def test_diff_lists_replaced_and_deleted_stateful_resources():
    assert [str(change) for change in stateful.read_diff(DIFF.splitlines())] == [
        "acme-prod-foundation: AWS::S3::Bucket DataLake/Data: replace",
        "acme-prod-foundation: AWS::KMS::Key Encryption/Key: may be replaced",
        "acme-prod-foundation: AWS::SQS::Queue RetrainQueue/Queue: destroy",
        "acme-prod-churn: AWS::SageMaker::ModelPackageGroup Registry/Group: replace",
    ]


@pytest.mark.parametrize(
    ("output", "status", "expected"),
    [
        (DIFF, 0, "warning: acme-prod-foundation: AWS::S3::Bucket DataLake/Data: replace"),
        ("There were no differences\n", 0, "no stateful resource is replaced or deleted"),
        ("Unable to resolve AWS account\n", 1, "cdk diff failed, so replacements are unknown"),
    ],
)
def test_upgrade_prints_replacements_from_cdk_diff(repository, monkeypatch, tmp_path_factory, output, status, expected):
    folder = tmp_path_factory.mktemp("bin")
    cdk = folder / "cdk"
    cdk.write_text(f"#!/bin/sh\ncat <<'END'\n{output}END\nexit {status}\n")
    cdk.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(folder / "python"))
    _, printed = run(repository, diff=True)
    assert expected in printed
