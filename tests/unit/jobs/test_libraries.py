"""Libraries of a zip are unpacked once, searched after those of the image, and copied into the artifact."""

import sys
import zipfile

import pytest

from jobs import libraries
from jobs.failures import JobFailure


@pytest.fixture
def container(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with zipfile.ZipFile(tmp_path / "code.zip", "w") as archive:
        archive.writestr("jobs/__init__.py", "")
        with archive.open("libraries.zip", "w") as member, zipfile.ZipFile(member, "w") as inner:
            inner.writestr("trees_of_test/__init__.py", "X = 7\n")
            inner.writestr("trees_of_test/data/table.json", "{}")
            inner.writestr("numpy/__init__.py", "raise ImportError('not the one of the image')\n")
    return tmp_path / "code.zip"


def test_libraries_of_zip_can_be_imported_after_those_of_image(container):
    libraries.use(container)
    import numpy
    import trees_of_test  # type: ignore[import-not-found]

    assert (trees_of_test.X, numpy.int8(1)) == (7, 1)


def test_libraries_are_unpacked_once(container, capsys):
    libraries.use(container)
    libraries.use(container)
    assert capsys.readouterr().out.count("unpacked in") == 1
    assert len([each for each in sys.path if "/model-factory-" in each]) == 1


def test_folder_that_others_can_write_is_refused(container, tmp_path):
    libraries.use(container)
    (folder,) = tmp_path.glob("model-factory-*")
    folder.chmod(0o777)
    with pytest.raises(JobFailure, match="can be written by others; remove it"):
        libraries.use(container)


def test_artifact_has_libraries_beside_code(container, tmp_path):
    libraries.copy(container, tmp_path / "model")
    assert (tmp_path / "model/libraries/trees_of_test/data/table.json").exists()
    (tmp_path / "model/code").mkdir()
    libraries.use(tmp_path / "model/code")
    assert sys.path[-1] == str(tmp_path / "model/libraries")


def test_save_cannot_take_name_of_libraries(container, tmp_path):
    (tmp_path / "model/libraries").mkdir(parents=True)
    with pytest.raises(JobFailure, match=r"save\(model, path\) wrote 'libraries'"):
        libraries.copy(container, tmp_path / "model")


def test_zip_without_libraries_changes_nothing(tmp_path):
    with zipfile.ZipFile(tmp_path / "code.zip", "w") as archive:
        archive.writestr("jobs/__init__.py", "")
    before = list(sys.path)
    libraries.use(tmp_path / "code.zip")
    libraries.copy(tmp_path / "code.zip", tmp_path / "model")
    assert (sys.path, (tmp_path / "model").exists()) == (before, False)
