"""Options that would be ignored are refused, in words, by every command."""

import pytest


@pytest.mark.parametrize(
    ("arguments", "exit_code", "said"),
    [
        ("lineage churn --inference-id 7 --endpoint acme-prod-churn", 1, "omit --endpoint"),
        ("lineage churn --data s3://b/k --inference-id 7", 1, "omit MODEL and --inference-id"),
        ("lineage churn --since 6h", 1, "--since and --date are for --inference-id"),
        ("audit _environment --version 7", 2, "omit --version"),
        ("audit churn --no-verify --public-key key.pem", 2, "omit --public-key"),
        ("approve --delivery --version 7 --reason good", 1, "omit --version"),
        ("diff churn@6 churn@7 --model churn", 2, "omit --model"),
        ("diff churn churn --model churn", 2, "omit --model"),
        ("diff dev prod --rows 0", 2, "omit --rows"),
        ("diff dev prod --full --env prod", 2, "omit --full and --env"),
        ("verify --folder . --save kept --env prod", 1, "omit --env and --save"),
        ("explain churn --inference-id 7 --json --columns 3", 1, "omit --columns"),
        ("doctor --policy --json", 1, "omit --json"),
        ("acceptance --env prod --policy --yes", 1, "omit --yes"),
        ("acceptance --env prod --clean-up --json", 1, "omit --json"),
        ("report churn@7", 1, "a version is for --framework"),
    ],
)
def test_options_without_meaning_are_refused(run, project, monkeypatch, arguments, exit_code, said):
    monkeypatch.chdir(project)
    code, _, error = run(*arguments.split())
    assert (code, said in error) == (exit_code, True), error
