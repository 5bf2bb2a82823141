"""The folder of an embedded AWS, with a second instance and with what a dead one left."""

import os
import re

import pytest

from local_aws.cli import main
from local_aws.state_folder import RUN, StateFolder, StateInUseError


def test_second_instance_is_refused_and_changes_nothing(tmp_path):
    first = StateFolder(tmp_path)
    first.announce("http://localhost:4566")
    (first.run / "aws-config").write_text("of the first")
    expected = (
        f"uses the folder {tmp_path} already (process {os.getpid()}, http://localhost:4566). Use that one, stop it"
    )
    with pytest.raises(StateInUseError, match=re.escape(expected)):
        StateFolder(tmp_path)
    assert (first.run / "aws-config").read_text() == "of the first"
    first.release()
    StateFolder(tmp_path).release()


def test_command_says_that_folder_is_in_use(tmp_path, capsys):
    first = StateFolder(tmp_path)
    assert main(["up", "--port", "0", "--state", str(tmp_path)]) == 1
    assert capsys.readouterr().err.startswith(f"local-aws: an embedded AWS uses the folder {tmp_path} already")
    first.release()


def test_folders_of_dead_run_are_removed(tmp_path):
    (tmp_path / RUN / "jobs" / "train-1").mkdir(parents=True)
    (tmp_path / RUN / ".local-aws").touch()
    folder = StateFolder(tmp_path)
    assert [path.name for path in folder.run.iterdir()] == [".local-aws"]
    folder.release()
    assert list(tmp_path.iterdir()) == []


def test_files_of_others_are_kept(tmp_path):
    (tmp_path / "jobs").mkdir()
    (tmp_path / RUN).mkdir()
    (tmp_path / RUN / "mine").touch()
    StateFolder(tmp_path / "other").release()
    assert (tmp_path / RUN / "mine").exists()
    folder = StateFolder(tmp_path)
    folder.release()
    assert (folder.run / "mine").exists()
    assert (tmp_path / "jobs").exists()
