"""Jobs and models import only packages of AWS's scikit-learn image, and the lock files have the image's versions."""

import ast
import re
import sys
from pathlib import Path

import pytest

from model_factory.core.image import image_content

ROOT = Path(__file__).parents[2]
# aws/deep-learning-containers, docker/sklearn/1.9-0.
PINS = {
    "scikit-learn": "1.9.0",
    "numpy": "2.5.1",
    "scipy": "1.18.0",
    "pandas": "2.2.3",
    "pyarrow": "25.0.0",
    "joblib": "1.5.3",
}
SERVING_PINS = {"flask": "3.1.3", "gunicorn": "26.0.0", "sagemaker-containers": "2.8.6.post2"}
IMAGE = image_content()
IN_THE_IMAGE = set(IMAGE.modules)
MODELS = sorted(path.parent for path in (ROOT / "models").glob("*/model.yaml"))


def locked(lock):
    """Names and versions in a lock file. A package with versions for two platforms is listed twice."""
    return re.findall(r"^([a-z0-9][a-z0-9.-]*)==([^ ;\\]+)", (ROOT / lock).read_text(), re.MULTILINE)


@pytest.mark.parametrize(
    ("lock", "pins"), [("requirements.lock", PINS), ("tools/conformance.lock", PINS | SERVING_PINS)]
)
def test_lock_has_library_versions_of_image(lock, pins):
    assert {entry for entry in locked(lock) if entry[0] in pins} == set(pins.items())


def test_shipped_content_of_image_has_the_pins():
    assert {name: IMAGE.libraries[name] for name in PINS | SERVING_PINS} == PINS | SERVING_PINS


@pytest.mark.parametrize("lock", ["requirements.lock", "tools/conformance.lock"])
def test_lock_has_no_index_and_a_hash_per_package(lock):
    text = (ROOT / lock).read_text()
    assert not re.search(r"https?://|--index-url|--find-links", text)
    packages = re.split(r"^(?=[a-z0-9][a-z0-9.-]*==)", text, flags=re.MULTILINE)[1:]
    assert [entry.split()[0] for entry in packages if "--hash=sha256:" not in entry] == []


def imported(source, package):
    """Top-level packages that a file imports; a relative import counts as `package`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield package if node.level else node.module.partition(".")[0]


def foreign(folder, *own):
    """Imports of packages that are not in Python, the image or `own`, as `file: module`."""
    files = [path for path in sorted(folder.rglob("*.py")) if "data" not in path.relative_to(folder).parts]
    assert files
    known = sys.stdlib_module_names | IN_THE_IMAGE | set(own)
    return [
        f"{path.relative_to(ROOT)}: {name}"
        for path in files
        for name in imported(path.read_text(), folder.name)
        if name not in known
    ]


def test_jobs_import_packages_of_image_only():
    # This job runs in SageMaker's Spark image.
    assert set(foreign(ROOT / "jobs", "jobs")) == {"jobs/drift/spark.py: pyspark"}


@pytest.mark.parametrize("folder", MODELS, ids=lambda path: path.name)
def test_models_import_packages_of_image_only(folder):
    if (folder / "requirements.txt").exists():
        pytest.skip("has a requirements.txt")
    assert foreign(folder, *(path.stem for path in folder.glob("*.py"))) == []


@pytest.mark.parametrize(
    "source", ["import pydantic", "from model_factory.core.names import VARIANT", "def f():\n    import rich.console"]
)
def test_import_of_other_package_is_detected(source):
    assert set(imported(source, "jobs")) - sys.stdlib_module_names - IN_THE_IMAGE
