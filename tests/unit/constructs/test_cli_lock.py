from tools.cli_lock import TARGET, excerpt


def test_shipped_cli_lock_matches_requirements_lock():
    assert TARGET.read_text() == excerpt(), "run make lock"
