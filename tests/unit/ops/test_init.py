"""`model-factory init`: the files that it writes, which the root of this repository has too."""

import json
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml

from model_factory.config import load_factory, load_models
from model_factory.ops.project import UsageError
from model_factory.ops.repository.init import CI_FILES, init

ROOT = Path(__file__).parents[3]


def files_in(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_new_repository_has_nine_short_files(tmp_path):
    written = init(tmp_path / "acme", "acme", ci="github")
    assert {str(path.relative_to(tmp_path / "acme")) for path in written} == files_in(tmp_path / "acme")
    assert len(written) == 9
    assert all(len(path.read_text().splitlines()) < 110 for path in written)
    assert not any("$" in path.read_text() for path in written if path.suffix == ".md")


def test_requirements_pin_the_installed_version(tmp_path):
    init(tmp_path, "acme")
    assert f"model-factory-cdk[local]=={version('model-factory-cdk')}" in (tmp_path / "requirements.txt").read_text()


@pytest.mark.parametrize("file", ["app.py", "cdk.json", "factory.yaml", "tests/test_models.py"])
def test_root_of_this_repository_has_files_that_init_writes(tmp_path, file):
    init(tmp_path, "acme", example=True)
    assert (ROOT / file).read_bytes() == (tmp_path / file).read_bytes()


def test_example_is_the_model_of_this_repository(tmp_path):
    init(tmp_path, "acme", example=True)
    ours = {path for path in files_in(ROOT / "models" / "employment") if "__pycache__" not in path}
    assert files_in(tmp_path / "models" / "employment") == ours
    assert list(load_models(tmp_path / "models")) == ["employment"]


def test_factory_yaml_and_readme_have_the_name(tmp_path):
    init(tmp_path, "fraud")
    assert load_factory(tmp_path / "factory.yaml").name == "fraud"
    assert (tmp_path / "README.md").read_text().startswith("# fraud\n")


@pytest.mark.parametrize("ci", CI_FILES)
def test_ci_workflow_validates_tests_and_synthesizes(tmp_path, ci):
    init(tmp_path, "acme", ci=ci)
    workflow = (tmp_path / CI_FILES[ci]).read_text()
    assert yaml.safe_load(workflow)
    for command in ("pip install -r requirements.txt", "model-factory validate", "pytest", "cdk synth"):
        assert command in workflow


def test_existing_file_is_not_overwritten(tmp_path):
    (tmp_path / "factory.yaml").write_text("mine")
    with pytest.raises(UsageError, match=r"nothing was written, because .*factory\.yaml exists already"):
        init(tmp_path, "acme")
    assert files_in(tmp_path) == {"factory.yaml"}


@pytest.mark.parametrize("name", ["Acme", "a_b", "-a", "a" * 21, ""])
def test_invalid_name_is_rejected(tmp_path, name):
    with pytest.raises(
        UsageError, match="is invalid: a letter, then lower-case letters, digits and single hyphens, at most 20"
    ):
        init(tmp_path / "new", name)
    assert not (tmp_path / "new").exists()


def test_cdk_json_has_feature_flags(tmp_path):
    init(tmp_path, "acme")
    assert len(json.loads((tmp_path / "cdk.json").read_text())["context"]) > 80
