"""The demo's result on the console: the table, the timings and the commands to continue with."""

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from .run import Result

STYLES = {"ALARM": "bold red", "OK": "green"}
TITLES = (
    "day",
    "traffic",
    "rows",
    "drifted",
    "drift alarm",
    "trigger",
    "version",
    "evaluation",
    "ground truth",
    "endpoint",
)
CONTINUE = """
To continue with an embedded AWS that keeps running:
  model-factory init acme --example    writes a repository with this example, if you have none; then: cd acme
  model-factory local up               runs the embedded AWS and prints the variables to export in a second terminal
In the second terminal:
  cdk deploy --all --require-approval never
  model-factory upload employment models/employment/data/2015.parquet
  model-factory retrain employment
  model-factory status
The AWS CLI, boto3 and other AWS tools work there too, for example aws s3 ls."""


def print_result(result: Result, console: Console) -> None:
    """Print the result; every number is read from AWS."""
    table = Table(*TITLES, box=SIMPLE_HEAD)
    for row in result.rows:
        table.add_row(
            str(row.day),
            row.traffic,
            _or_dash(row.rows),
            _or_dash(row.drifted),
            f"[{STYLES[row.alarm]}]{row.alarm}[/]" if row.alarm in STYLES else row.alarm,
            row.trigger,
            _or_dash(row.version),
            row.evaluation,
            row.ground_truth,
            row.endpoint,
        )
    console.print()
    console.print(table)
    console.print(
        "evaluation: metric of the version on its test data; ground truth: 95 % interval of the metric for labelled requests"
    )
    console.print(
        f"{result.requests} requests to the endpoint, {len(result.failures)} failed; "
        f"{result.loop_seconds:.1f} s from the alarm to the new version in service"
    )
    roles = ", ".join(f"{role} {count}" for role, count in list(result.calls_by_role.items())[:5])
    console.print(
        f"{sum(result.calls_by_role.values())} calls by {len(result.calls_by_role)} roles, each authorized by the deployed "
        f"policies; most calls: {roles}"
    )
    judged, refused = result.on_behalf["judged"], result.on_behalf["refused"]
    console.print(f"calls of services on behalf judged: {judged}, refused: {refused}")
    console.print(" · ".join(f"{phase} {seconds:.1f} s" for phase, seconds in result.timings.seconds.items()))
    console.print(
        f"\nThe demo's embedded AWS is stopped. Its endpoint was {result.invocations_url}, its last monitor report\n"
        f"{result.report_uri}",
        soft_wrap=True,
    )
    console.print(CONTINUE, markup=False, soft_wrap=True)


def _or_dash(value: int | None) -> str:
    return "-" if value is None else str(value)
