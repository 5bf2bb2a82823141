"""The pushes that start a pipeline, by CodePipeline V2's triggers."""

import pytest

from local_aws.codepipeline.pipelines import _is_triggered_by
from local_aws.codepipeline.repositories import Push, matches

DOCUMENTATION = {"excludes": ["docs/**", "*.md", "**/*.md"]}


@pytest.mark.parametrize(
    ("files", "starts"),
    [
        (["docs/a.txt"], False),
        (["docs/deep/a.txt", "README.md", "models/a/README.md"], False),
        (["README.md", "models/a/model.py"], True),
        (["documents/a.txt"], True),
    ],
)
def test_excluded_files_alone_start_nothing(files, starts):
    assert matches(files, DOCUMENTATION) is starts


def declaration(**more):
    source = {"name": "Source", "configuration": {"FullRepositoryId": "acme/models", "BranchName": "main"}}
    return {"stages": [{"name": "Source", "actions": [source]}], **more}


TRIGGER = {
    "providerType": "CodeStarSourceConnection",
    "gitConfiguration": {
        "sourceActionName": "Source",
        "push": [{"branches": {"includes": ["main", "release/**"]}, "filePaths": DOCUMENTATION}],
    },
}


@pytest.mark.parametrize(
    ("push", "starts"),
    [
        (Push("acme/models", "main", "c", ["app.py"]), True),
        (Push("acme/models", "release/2026/11", "c", ["app.py"]), True),
        (Push("acme/models", "feature", "c", ["app.py"]), False),
        (Push("acme/others", "main", "c", ["app.py"]), False),
        (Push("acme/models", "main", "c", ["docs/a.md"]), False),
    ],
)
def test_trigger_matches_branches_and_paths(push, starts):
    assert _is_triggered_by(declaration(triggers=[TRIGGER]), push) is starts


def test_push_without_trigger_starts_pipeline_of_branch():
    assert _is_triggered_by(declaration(), Push("acme/models", "main", "c", ["docs/a.md"]))
    assert not _is_triggered_by(declaration(), Push("acme/models", "other", "c", ["app.py"]))
