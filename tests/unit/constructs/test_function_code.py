"""The staged code of functions: complete, the same for the same files, and importable as Lambda imports it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from model_factory.config.fields import ModelName
from model_factory.core.function_code import FunctionCodeError, stage_function_code

FUNCTIONS = Path(__file__).parents[3] / "lambda"
NAMES = sorted(path.parent.name for path in FUNCTIONS.glob("*/handler.py"))
VARIABLES = {
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_REGION": "eu-west-1",
    "FACTORY_ENVIRONMENT": "prod",
    "MODELS_PARAMETER_PREFIX": "/acme/prod/models/",
    "POWERTOOLS_METRICS_NAMESPACE": "ModelFactory",
    "PIPELINE": "acme-delivery",
    "REPORTS": "reports",
    "PARALLEL": "4",
    "TIMEOUT_SECONDS": "60",
    "ENVIRONMENTS": "{}",
    "ALERTS_TOPIC": "arn:aws:sns:eu-west-1:123456789012:acme-prod-alerts",
    "WINDOWS_URI": "s3://artifacts/_alerts/",
    "WINDOW_SECONDS": "3600",
}


@pytest.fixture
def functions(tmp_path):
    """A folder of functions with one function and a shared package."""
    for name, text in {
        "one/handler.py": "from shared.words import WORD\n",
        "one/__pycache__/handler.pyc": "",
        "shared/__init__.py": "",
        "shared/words.py": "WORD = 1\n",
        "shared/deeper/data.json": "{}",
    }.items():
        (tmp_path / "functions" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "functions" / name).write_text(text)
    return tmp_path / "functions"


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_staged_code_has_function_at_root_and_shared_beside(functions, tmp_path):
    folder = stage_function_code(functions / "one", tmp_path / "out")
    assert names(folder) == ["handler.py", "shared/__init__.py", "shared/deeper/data.json", "shared/words.py"]


def test_same_files_are_staged_once(functions, tmp_path):
    first = stage_function_code(functions / "one", tmp_path / "out")
    written = (first / "handler.py").stat().st_mtime_ns
    (functions / "one" / "handler.py").touch()
    (functions / "shared" / "__pycache__").mkdir()
    (functions / "shared" / "__pycache__" / "words.pyc").write_text("compiled")
    assert stage_function_code(functions / "one", tmp_path / "out") == first
    assert (first / "handler.py").stat().st_mtime_ns == written
    assert list((tmp_path / "out").iterdir()) == [first]


@pytest.mark.parametrize("changed", ["one/handler.py", "shared/words.py"])
def test_changed_file_stages_new_folder(functions, tmp_path, changed):
    first = stage_function_code(functions / "one", tmp_path / "out")
    (functions / changed).write_text("WORD = 2\n")
    assert stage_function_code(functions / "one", tmp_path / "out") != first


def test_staging_continues_after_interruption(functions, tmp_path):
    first = stage_function_code(functions / "one", tmp_path / "out")
    first.rename(first.with_name(f".{first.name}"))
    (first.with_name(f".{first.name}") / "handler.py").write_text("incomplete")
    assert (
        (stage_function_code(functions / "one", tmp_path / "out") / "handler.py").read_text().startswith("from shared")
    )


def test_files_are_readable_by_lambda_whatever_the_umask(functions, tmp_path):
    before = os.umask(0o077)
    try:
        folder = stage_function_code(functions / "one", tmp_path / "out")
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o777 for path in folder.rglob("*") if path.is_file()} == {0o644}


def test_function_without_shared_package_is_staged_alone(functions, tmp_path):
    (functions / "shared").rename(tmp_path / "elsewhere")
    assert names(stage_function_code(functions / "one", tmp_path / "out")) == ["handler.py"]


@pytest.mark.parametrize(
    ("missing", "message"), [("two", "two does not exist"), ("shared", "shared has no handler.py")]
)
def test_missing_folder_or_handler_is_an_error(functions, tmp_path, missing, message):
    with pytest.raises(FunctionCodeError, match=message):
        stage_function_code(functions / missing, tmp_path / "out")


@pytest.mark.parametrize("name", NAMES)
def test_staged_function_imports_with_its_own_files_only(tmp_path, name):
    folder = stage_function_code(FUNCTIONS / name, tmp_path)
    code = "import json, sys, handler; print(json.dumps([handler.__file__, sys.modules['shared'].__file__]))"
    environment = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", **VARIABLES}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [str(folder / "handler.py"), str(folder / "shared" / "__init__.py")]


def test_command_uses_shared_modules_without_pydantic_or_powertools():
    """`model-factory promote` and `approve` import them from the library."""
    code = (
        "import sys, model_factory.functions.shared.approvals, model_factory.functions.shared.promotion, "
        "model_factory.functions.shared.triggers\n"
        "assert not {'pydantic', 'aws_lambda_powertools', 'shared'} & set(sys.modules), sys.modules"
    )
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(FUNCTIONS.parent / "constructs")}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_functions_and_configuration_accept_the_same_model_names():
    from model_factory.functions.shared.names import MAX_MODEL_NAME_LENGTH, MODEL_NAME_PATTERN

    (field,) = ModelName.__metadata__
    limits = {
        name: getattr(rule, name)
        for rule in field.metadata
        for name in ("pattern", "max_length")
        if hasattr(rule, name)
    }
    assert limits == {"pattern": MODEL_NAME_PATTERN, "max_length": MAX_MODEL_NAME_LENGTH}
