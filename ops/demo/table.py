"""The demo's last screen: the table, the timings and where to look further."""

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from .run import Result

STYLES = {"ALARM": "bold red", "OK": "green"}


def show(result: Result, console: Console) -> None:
    """Print what happened, each number as AWS recorded it."""
    titles = (
        "day",
        "traffic",
        "rows",
        "drifted",
        "drift alarm",
        "trigger",
        "version",
        "at the gate",
        "by labels, 95 %",
        "endpoint",
    )
    table = Table(*titles, box=SIMPLE_HEAD)
    for row in result.rows:
        table.add_row(
            str(row.day),
            row.what,
            _or_dash(row.rows),
            _or_dash(row.drifted),
            f"[{STYLES.get(row.alarm, '')}]{row.alarm}[/]" if row.alarm in STYLES else row.alarm,
            row.trigger,
            _or_dash(row.version),
            row.metric,
            row.in_service,
            row.endpoint,
        )
    console.print()
    console.print(table)
    console.print(
        f"{result.requests} requests were sent to the endpoint, {len(result.failures)} failed; "
        f"from the alarm to the new version in service: {result.loop_seconds:.1f} s"
    )
    roles = ", ".join(f"{role} {count}" for role, count in list(result.authorized.items())[:5])
    console.print(
        f"{sum(result.authorized.values())} calls of {len(result.authorized)} roles were judged by the policies that were "
        f"deployed with them; the busiest: {roles}"
    )
    console.print(" · ".join(f"{phase} {seconds:.1f} s" for phase, seconds in result.timings.seconds.items()))
    console.print(
        "\nLook further: `model-factory local up` keeps an embedded AWS running, and prints what to export. Then\n"
        "  cdk deploy --all                deploys this factory into it\n"
        "  model-factory retrain employment && model-factory status\n"
        "  aws s3 ls, boto3 and any other AWS tool reach it as they reach AWS\n"
        f"The endpoint of this run was {result.invocations_url}, its last monitor report\n{result.report_uri}",
        soft_wrap=True,
    )


def _or_dash(value: int | None) -> str:
    return "-" if value is None else str(value)
