"""The file with the state: refused when another version or port wrote it, and never half written."""

from dataclasses import replace

import pytest

from local_aws.kept import state_file
from local_aws.kept.keeper import Keeper
from local_aws.kept.state_file import StateFileError, Writer
from local_aws.kept.stores import Stores

HERE = Writer.here(4566)


def test_file_says_whether_server_stopped(tmp_path):
    state_file.write(tmp_path / "state", HERE, b"content", at_stop=True)
    assert state_file.read(tmp_path / "state", HERE).at_stop
    state_file.write(tmp_path / "state", HERE, b"content", at_stop=False)
    saved = state_file.read(tmp_path / "state", HERE)
    assert (saved.content, saved.at_stop) == (b"content", False)
    assert [path.name for path in tmp_path.iterdir()] == ["state"]


def test_nothing_to_read_is_no_state(tmp_path):
    assert state_file.read(tmp_path / "state", HERE) is None


@pytest.mark.parametrize("other", [{"local_aws": "0.0.1"}, {"moto": "5.0.0"}, {"python": "3.11"}, {"format": 0}])
def test_state_of_another_version_is_refused(tmp_path, other):
    state_file.write(tmp_path / "state", replace(HERE, **other), b"", at_stop=True)
    with pytest.raises(StateFileError) as refused:
        state_file.read(tmp_path / "state", HERE)
    assert "is of another version" in str(refused.value)
    assert str(next(iter(other.values()))) in str(refused.value)
    assert f"remove the folder {tmp_path}" in str(refused.value)


def test_state_of_another_port_is_refused(tmp_path):
    state_file.write(tmp_path / "state", replace(HERE, port=5000), b"", at_stop=True)
    with pytest.raises(StateFileError, match=r"was made at port 5000, .* Use that port again"):
        state_file.read(tmp_path / "state", HERE)


@pytest.mark.parametrize("content", [b"", b"text\n", b"[]\n"])
def test_other_file_is_refused(tmp_path, content):
    (tmp_path / "state").write_bytes(content)
    with pytest.raises(StateFileError, match="is not the state of an embedded AWS"):
        state_file.read(tmp_path / "state", HERE)


def test_content_that_cannot_be_read_is_refused_in_one_sentence(tmp_path):
    state_file.write(tmp_path / "state", HERE, b"no pickle", at_stop=True)
    with pytest.raises(StateFileError, match=r"cannot be read \(UnpicklingError: .*To begin with an empty state"):
        Keeper(tmp_path / "state", HERE, Stores()).restore()


def keeper(folder, content):
    stores = Stores()
    stores.add("moto", list, lambda _: None)
    stores.add("numbers", lambda: content, content.update)
    return Keeper(folder / "state", HERE, stores)


def test_kept_content_comes_back(tmp_path):
    keeper(tmp_path, {"one": 1}).save()
    again = {}
    assert keeper(tmp_path, again).restore().at_stop is False
    assert again == {"one": 1}


def test_failed_write_leaves_last_state_and_is_reported(tmp_path, caplog):
    content = {"one": 1}
    kept = keeper(tmp_path, content)
    kept.save()
    content["generator"] = (each for each in ())
    kept.save()
    assert "the state could not be kept" in caplog.text
    again = {}
    keeper(tmp_path, again).restore()
    assert again == {"one": 1}
