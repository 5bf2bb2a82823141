"""Buildspecs run as on CodeBuild: one shell, phases in order, failures by name."""

import json
import re
import threading

import pytest

from local_aws.codepipeline.buildspec import BuildSpec, SpecError, run


@pytest.fixture
def build(tmp_path):
    """Run a buildspec in a source folder: the outcome."""

    def build(phases, **more):
        source, folder = tmp_path / "src", tmp_path / "work"
        source.mkdir(exist_ok=True)
        folder.mkdir(exist_ok=True)
        text = json.dumps({"version": "0.2", "phases": phases, **more})
        return run(BuildSpec.read(text, source), source, folder, {"GIVEN": "by the project"}, threading.Event())

    return build


def test_commands_share_a_shell(build, tmp_path):
    outcome = build(
        {
            "install": {"commands": ["export WHO=me", "mkdir -p deep && cd deep"]},
            "build": {"commands": ["echo $WHO $GIVEN > here"]},
        }
    )
    assert outcome.failed is None, outcome.log
    assert (tmp_path / "src/deep/here").read_text() == "me by the project\n"


def test_failed_command_is_reported_and_ends_build(build):
    outcome = build({"build": {"commands": ["echo before", "(exit 7)", "echo after"]}})
    assert outcome.failed == "Error while executing command: (exit 7). Reason: exit status 7"
    assert outcome.phase == "BUILD"
    assert "after" not in outcome.log
    lines = re.sub(r"\d{4}/\d\d/\d\d [\d:]{8}", "<time>", outcome.log).splitlines()
    assert lines[-5:] == [
        "before",
        "[Container] Phase build: running command 1",
        "[Container] <time> Command did not exit successfully (exit 7) exit status 7",
        "[Container] <time> Phase complete: BUILD State: FAILED",
        "[Container] <time> Phase context status code: COMMAND_EXECUTION_ERROR Message: Error while executing command: "
        "(exit 7). Reason: exit status 7",
    ]


def test_post_build_runs_only_after_build_phase_failures(build):
    after_build = build({"build": {"commands": ["false"]}, "post_build": {"commands": ["echo cleaning up"]}})
    assert "cleaning up" in after_build.log
    assert after_build.phase == "BUILD"


def test_nothing_runs_after_a_failed_install(build):
    outcome = build({"install": {"commands": ["false"]}, "post_build": {"commands": ["echo cleaning up"]}})
    assert "cleaning up" not in outcome.log
    assert outcome.phase == "INSTALL"


def test_build_gets_no_credentials_of_this_process(build, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of the developer")
    assert "of the developer" not in build({"build": {"commands": ["env"]}}).log


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "has no buildspec.yml"),
        ('{"version": "0.1"}', "version 0.2, not 0.1"),
        ('{"version": "0.2", "batch": {}}', "does not support batch"),
    ],
)
def test_unsupported_buildspec_is_refused_by_name(tmp_path, text, words):
    with pytest.raises(SpecError, match=words):
        BuildSpec.read(text, tmp_path)


def test_artifacts_are_files_below_base_directory(tmp_path):
    (tmp_path / "out/deep").mkdir(parents=True)
    (tmp_path / "out/deep/file").write_text("x")
    (tmp_path / "other").write_text("x")
    spec = BuildSpec({"artifacts": {"base-directory": "out", "files": ["**/*"]}})
    assert spec.artifact(tmp_path, "any", alone=True) == (tmp_path / "out", [tmp_path / "out/deep/file"])
    empty = BuildSpec({"artifacts": {"base-directory": "nowhere", "files": ["**/*"]}})
    with pytest.raises(SpecError, match="no matching artifact paths"):
        empty.artifact(tmp_path, "any", alone=True)
