"""lambda/shared/build_log.py: what of a failed build's log is shown."""

import pytest


@pytest.fixture
def log(modules):
    return modules("delivery", "shared.build_log")["shared.build_log"]


def test_lines_before_first_failed_command_are_last(log):
    messages = [
        "[Container] 2026/11/26 00:00:00 Running command pytest\n",
        "1 failed\n",
        "[Container] 2026/11/26 00:00:01 Command did not exit successfully pytest exit status 1\n",
        "[Container] 2026/11/26 00:00:01 Phase complete: BUILD State: FAILED\n",
        "uploading a report\n",
        "[Container] 2026/11/26 00:00:02 Command did not exit successfully upload exit status 2\n",
    ]
    assert log.last_lines(messages) == ["1 failed"]


def test_log_without_failed_command_ends_with_last_lines(log):
    assert log.last_lines(["[Container] Waiting\n", f"{chr(10).join(map(str, range(40)))}\n"]) == [
        str(number) for number in range(28, 40)
    ]
    assert log.last_lines(["[Container] YAML_FILE_ERROR"]) == ["[Container] YAML_FILE_ERROR"]


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("Looking in https://ada:hunter2@pypi.acme.com/simple", "Looking in https://***@pypi.acme.com/simple"),
        ("export DB_PASSWORD=hunter2 now", "export DB_PASSWORD=*** now"),
        ('{"api_key": "abc", "x": 1}', '{"api_key": *** "x": 1}'),
        ("key AKIAABCDEFGHIJKLMNOP is used", "key *** is used"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("x" * 300, "x" * 300),
        ("x" * 301, "x" * 297 + "..."),
    ],
)
def test_line_is_short_and_has_no_secret(log, line, shown):
    assert log.last_lines([line]) == [shown]


@pytest.mark.parametrize(("empty", "text"), [(0, "the end"), (2, "the end"), (3, "")])
def test_two_empty_pages_are_passed_over(log, empty, text):
    requests = []

    class Logs:
        def get_log_events(self, **request):
            requests.append(request)
            page = len(requests)
            events = [] if page <= empty else [{"message": "the end\n"}]
            return {"events": events, "nextBackwardToken": f"b/{page}"}

    assert log.read_last_lines(Logs(), "project:build") == text
    first = {"logGroupName": "/aws/codebuild/project", "logStreamName": "build", "limit": 300}
    assert requests == [first, *(first | {"nextToken": f"b/{page}"} for page in range(1, len(requests)))]
    assert len(requests) == min(empty + 1, 3)
