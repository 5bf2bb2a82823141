"""Schedule expressions that EventBridge Scheduler accepts, and that it refuses."""

import pytest

from local_aws.eventbridge.expressions import valid_for_rule, valid_for_scheduler
from model_factory.config.schedule_expressions import check_schedule


@pytest.mark.parametrize(
    "expression",
    [
        "rate(1 minute)",
        "rate(2 days)",
        "cron(0 3 * * ? *)",
        "cron(0/15 8-17 ? * MON-FRI *)",
        "cron(*/5 0,12 1,15 JAN,JUL ? 2026-2030)",
        "cron(15 10 ? * 6L 2026-2027)",
        "cron(0 0 L * ? *)",
        "cron(0 0 3W * ? *)",
        "cron(0 9 ? * 3#2 *)",
        "cron(0 9 ? * TUE#1 *)",
        "cron(0 9 ? 1/3 2 *)",
    ],
)
def test_documented_expression_is_accepted(expression):
    assert check_schedule(expression) == expression


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("cron(71 8 1 * ? *)", "'71' is not a valid minute; write 0 to 59"),
        ("cron(0 24 * * ? *)", "'24' is not a valid hour; write 0 to 23"),
        ("cron(0 8 32 * ? *)", "'32' is not a valid day of month; write 1 to 31"),
        ("cron(0 8 0 * ? *)", "'0' is not a valid day of month"),
        ("cron(0 8 1 FOO ? *)", "'FOO' is not a valid month; write 1 to 12 or JAN to DEC"),
        ("cron(0 8 1 13 ? *)", "'13' is not a valid month"),
        ("cron(0 8 1 mon ? *)", "'mon' is not a valid month"),
        ("cron(0 8 ? * 8 *)", "'8' is not a valid day of week; write 1 to 7 or SUN to SAT"),
        ("cron(0 8 ? * 0 *)", "'0' is not a valid day of week"),
        ("cron(0 8 ? * 2/2 *)", "'2/2' is not a valid day of week"),
        ("cron(0 8 ? * 3#6 *)", "'3#6' is not a valid day of week"),
        ("cron(0 8 ? * 3#1,6#3 *)", "a day of week with # must be the only one"),
        ("cron(0 8 1 * ? 1969)", "'1969' is not a valid year; write 1970 to 2199"),
        ("cron(0 8 ? * ? *)", "exactly one of day of month and day of week must be ?"),
        ("cron(0 8 * * * *)", "exactly one of day of month and day of week must be ?"),
        ("cron(0 8 32W * ? *)", "'32W' is not a valid day of month"),
        ("cron(? 8 * * ? *)", "'?' is not a valid minute"),
        ("cron(0/0 8 * * ? *)", "'0/0' is not a valid minute; an increment is a number from 1 to 59"),
        ("cron(1- 8 * * ? *)", "'1-' is not a valid minute"),
        ("cron(30-10 8 * * ? *)", "'30-10' is not a valid minute; a range starts with the lower value"),
        ("cron(0 8 ? * FRI-MON *)", "'FRI-MON' is not a valid day of week; a range starts with the lower value"),
        ("cron(0,,5 8 * * ? *)", "'' is not a valid minute"),
        ("cron(0 3 * * *)", "cron() has six fields, found 5"),
        ("rate(0 hours)", "a rate is at least 1"),
        ("rate(1 hours)", "write rate(1 hour) but rate(2 hours)"),
        ("rate(2 weeks)", "write rate(1 hour) or cron(0 3 * * ? *)"),
        (f"cron(0 3 * * ? {'2026,' * 60}2027)", "characters of at most 256"),
    ],
)
def test_invalid_expression_names_its_part(expression, message):
    with pytest.raises(ValueError, match=r".") as caught:
        check_schedule(expression)
    assert str(caught.value).startswith(f"{expression!r} is not a schedule")
    assert message in str(caught.value)


_FIELDS = (
    ("0", "59", "60", "*", "*/5", "1-5", "5-1", "1,2", "?", "x", "*/0", "0/5,7"),
    ("0", "23", "24", "*", "*/2", "8-17", "17-8"),
    ("1", "31", "32", "*", "?", "L", "LW", "3W", "0W", "32W", "1/5", "1-40", "W"),
    ("1", "12", "13", "JAN", "jan", "FOO", "*", "JAN-MAR", "MAR-JAN", "1/3", "DEC,1"),
    (
        "1",
        "7",
        "0",
        "8",
        "*",
        "SUN",
        "sun",
        "MON-FRI",
        "FRI-MON",
        "6L",
        "L",
        "8L",
        "3#2",
        "TUE#3",
        "3#6",
        "3#2,5",
        "1/2",
    ),
    ("*", "1970", "2199", "2200", "1969", "2024-2030", "*/4", "2024/2"),
)
_DAY_OF_WEEK = 4


def accepted(expression):
    try:
        check_schedule(expression)
    except ValueError:
        return False
    return True


def expressions():
    """Expressions with one unusual field each, and rates."""
    for field, values in enumerate(_FIELDS):
        for value in values:
            fields = ["0", "3", "?", "*", "2", "*"] if field == _DAY_OF_WEEK else ["0", "3", "*", "*", "?", "*"]
            fields[field] = value
            yield f"cron({' '.join(fields)})"
    yield from (f"rate({value})" for value in ("0 days", "1 day", "1 days", "2 day", "2 days", "1 week"))


def test_accepted_expressions_are_accepted_by_embedded_services():
    found = [expression for expression in expressions() if accepted(expression)]
    assert len(found) > 30
    assert [each for each in found if not (valid_for_scheduler(each) and valid_for_rule(each))] == []
