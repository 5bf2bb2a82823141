"""A model's own libraries: requirements, lock and bundle, with wheels that the test makes. No package index is asked."""

import base64
import hashlib
import zipfile

import pytest

from model_factory.config import ConfigError, ModelConfig
from model_factory.core.image import default_image_uri, image_content
from model_factory.libraries.bundle import library_mistakes, model_libraries
from model_factory.libraries.modules import imports, top_level
from model_factory.libraries.resolve import write_lock
from model_factory.model.job_code import build_job_code

IMAGE = image_content()
CONFIG = {
    "name": "churn",
    "problem": "regression",
    "data": {"label": "y"},
    "gate": {"metric": "rmse", "maximum": 1.5},
}


def config(**training):
    return ModelConfig.model_validate(CONFIG | {"training": training})


def wheel(folder, name, version, requires=(), module="X = 1\n"):
    files = {
        f"{name}/__init__.py": module,
        f"{name}/data/table.json": "{}",
        f"{name}-{version}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        + "".join(f"Requires-Dist: {each}\n" for each in requires),
        f"{name}-{version}.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{name}-{version}.dist-info/entry_points.txt": f"[console_scripts]\n{name} = {name}:main\n",
    }
    record = "".join(f"{path},{_hash(text)},{len(text)}\n" for path, text in files.items())
    files[f"{name}-{version}.dist-info/RECORD"] = f"{record}{name}-{version}.dist-info/RECORD,,\n"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        for path, text in files.items():
            archive.writestr(zipfile.ZipInfo(path, (2020, 1, 1, 0, 0, 0)), text)


def _hash(text):
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Writes a model's requirements and code; `trees 1.0` and `trees 2.0`, which needs another numpy, can be had."""
    folder = tmp_path / "churn"
    wheels = tmp_path / "wheels"
    folder.mkdir()
    wheels.mkdir()
    wheel(wheels, "trees", "1.0", ["numpy", "leaves"])
    wheel(wheels, "trees", "2.0", ["numpy>=3"])
    wheel(wheels, "leaves", "1.5")
    monkeypatch.setenv("UV_NO_INDEX", "1")
    monkeypatch.setenv("UV_FIND_LINKS", str(wheels))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def write(requirements, code="import trees\n", lock=True):
        (folder / "requirements.txt").write_text(requirements)
        (folder / "model.py").write_text(code)
        if lock:
            write_lock(folder, IMAGE)
        return folder

    return write


def messages(folder):
    return [str(each).removeprefix(f"{folder}/") for each in library_mistakes(config(), folder)]


def test_lock_has_versions_hashes_and_no_library_of_image(project):
    text = (project("trees<2  # boosted trees\n") / "requirements.lock").read_text()
    assert "# modules: leaves, trees\nleaves==1.5 \\\n    --hash=sha256:" in text
    assert "numpy" not in text
    assert "wheels" not in text


def test_comment_and_order_of_requirements_do_not_make_lock_stale(project):
    folder = project("trees<2\nleaves\n")
    before = model_libraries(config(), folder)
    project("# libraries\nleaves\n\ntrees<2 # trees\n", lock=False)
    assert messages(folder) == []
    assert model_libraries(config(), folder).digest == before.digest


def test_changed_requirement_makes_lock_stale(project):
    folder = project("trees<2\n")
    project("trees<2\nleaves==1.5\n", lock=False)
    assert messages(folder) == [
        "requirements.lock: is older than requirements.txt; run `model-factory lock churn` and commit the file"
    ]


def test_requirements_without_lock_are_mistake(project):
    assert (
        "there is no such file, but requirements.txt has libraries; run `model-factory lock churn`"
        in messages(project("trees\n", lock=False))[0]
    )


def test_requirement_against_image_names_both(project):
    assert messages(project("trees<2\n\nnumpy<2\n", lock=False)) == [
        f"requirements.txt:3: `numpy<2` conflicts with numpy 2.5.1 of the image {IMAGE.name}, whose libraries "
        "are not replaced: write `numpy` or leave it out, or give an image of your own in training.image"
    ]


def test_dependency_against_image_names_both(project):
    with pytest.raises(
        ConfigError, match=r"trees>=2.0 depends on numpy>=3 .* has numpy 2\.5\.1, and its libraries are not"
    ):
        project("trees>=2\n")


def test_url_is_no_requirement(project):
    assert (
        "requirements.txt:1: '-r other.txt' is no library of a package index"
        in messages(project("-r other.txt\n", lock=False))[0]
    )


def test_requirements_need_image_that_is_known(project):
    folder = project("trees\n", lock=False)
    own = config(image="111111111111.dkr.ecr.eu-west-1.amazonaws.com/mine:1")
    assert "install these in the image and remove the file" in str(library_mistakes(own, folder)[0])
    assert library_mistakes(config(image=default_image_uri("eu-west-1")), folder) != []


def test_requirement_is_compared_with_image_of_framework(project):
    folder = project("xgboost>=3.3\n", code="import xgboost\n", lock=False)
    assert "conflicts with xgboost 3.2.0 of the image sagemaker-xgboost:3.2-0" in str(
        library_mistakes(config(framework="xgboost"), folder)[0]
    )
    (folder / "requirements.txt").unlink()
    assert library_mistakes(config(framework="xgboost"), folder) == []
    assert "imports 'xgboost'" in str(library_mistakes(config(), folder)[0])


def test_bundle_is_installed_once_and_has_same_files_again(project, monkeypatch, tmp_path):
    folder = project("trees<2\n")
    first = model_libraries(config(), folder)
    with zipfile.ZipFile(first.archive) as archive:
        names = archive.namelist()
    assert "trees/data/table.json" in names
    assert [name for name in names if name.startswith("bin/") or "INSTALLER" in name] == []
    monkeypatch.setenv("UV_FIND_LINKS", str(tmp_path / "nothing"))
    assert model_libraries(config(), folder).digest == first.digest
    monkeypatch.setenv("UV_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "other"))
    assert model_libraries(config(), folder).digest == first.digest


def test_wheel_with_other_bytes_than_locked_is_refused(project, monkeypatch, tmp_path):
    folder = project("trees<2\n")
    wheel(tmp_path / "wheels", "trees", "1.0", ["numpy", "leaves"], module="X = 2\n")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "other"))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "other uv"))
    with pytest.raises(ConfigError, match="Hash mismatch"):
        model_libraries(config(), folder)


def test_zip_changes_with_libraries_and_not_with_comments(project, tmp_path):
    def build(requirements):
        code = build_job_code(config(), project=project(requirements), target=tmp_path / "code.zip")
        with zipfile.ZipFile(code.path) as archive:
            return code, archive.namelist()

    code, names = build("trees<2\n")
    assert "libraries.zip" in names
    assert not {"project/requirements.txt", "project/requirements.lock"} & set(names)
    again, _ = build("trees<2 # the same\nnumpy\n")
    assert (again.digest, again.libraries_digest) == (code.digest, code.libraries_digest)
    other, _ = build("trees<2\nleaves==1.5\n")
    assert other.digest == code.digest


def test_import_that_is_nowhere_names_nearest_and_line(project):
    folder = project("trees<2\n", code="import treees\nfrom sklearn import svm\nimport helper\n")
    (folder / "helper.py").write_text("import cv2\ntry:\n    import polars\nexcept ImportError:\n    pass\n")
    (folder / "make_data.py").write_text("import matplotlib\n")
    found = messages(folder)
    assert [each.partition(",")[0] for each in found] == [
        "helper.py:1: imports 'cv2'",
        "model.py:1: imports 'treees' (did you mean 'trees'?)",
    ]
    assert "write `opencv-python-headless` into" in found[0]


def test_modules_of_files_and_imports_of_code():
    assert top_level(["a/b/c.py", "six.py", "_cffi.cpython-312.so", "bin/x.py", "a-1.dist-info/RECORD"]) == {
        "a",
        "six",
        "_cffi",
    }
    code = "import a.b\nfrom c import d\nfrom . import e\nif TYPE_CHECKING:\n    import f\ndef g():\n    import h\n"
    assert sorted(imports(code)) == [("a", 1), ("c", 2), ("h", 7)]


def test_image_content_is_known_for_images_of_aws_only():
    assert image_content(default_image_uri("eu-west-1")).libraries["numpy"] == "2.5.1"
    assert image_content("111111111111.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-scikit-learn:1.9-0-cpu-py3") is None
