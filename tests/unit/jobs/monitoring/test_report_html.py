"""The page of a monitor run: what it says of rows, columns and quality, and how large it becomes."""

import re
from dataclasses import asdict, replace

import pytest

from jobs.drift.column import ColumnProfile
from jobs.drift.decision import ColumnDrift
from jobs.drift.profile import Profile
from jobs.monitoring import quality_report, report_html
from jobs.monitoring.model_quality import Quality

ROWS = 21_000


def number(counts, nulls=0):
    edges = [0.5 * at for at in range(len(counts) - 1)]
    return ColumnProfile("number", rows=sum(counts) + nulls, edges=edges, counts=counts, counted_nulls=nulls)


def text(categories, counts):
    return ColumnProfile("string", rows=sum(counts), categories=categories, counts=counts)


def feature(name, effect, *, drifted=False):
    column = ColumnDrift(name, effect, 0.5, effect / 2, reason="no more than chance", drifted=drifted, importance=0.1)
    return asdict(column) | {
        "weight": 0.1 * effect,
        "since": "2026-11-24" if drifted else "",
        "meaning": "changed unit" if drifted else "",
        "quantiles_before": [float(at) for at in range(11)],
        "quantiles_now": [2.0 * at for at in range(11)],
    }


def report(features, rows=ROWS, **more):
    drifted = [each["name"] for each in features if each["drifted"]]
    return {
        "scheduled_time": "2026-11-24T13:00:00+01:00",
        "version": 3,
        "rows": rows,
        "reference_rows": ROWS,
        "decided": rows > 200,
        "reason": "no column drifted" if rows > 200 else f"{rows} rows are too few to decide; at least 200 are needed",
        "drifted": drifted,
        "features": features,
        "prediction": [asdict(ColumnDrift("score", 0.01, 0.5, reason="no more than chance"))],
        "answered": {"3": rows},
        "ambiguous": 0,
        "slow": {"reason": "too few days or rows to decide", "columns": []},
        "joint": None,
        "violations": [],
        "findings": [],
        "bad_lines": 0,
        "first_bad_line": "",
        "quality": quality_report.summary(Quality(), {}),
    } | more


def before(index):
    return number([1000] * 20, 1000) if index % 3 else text([f"a rather long value {k}" for k in range(30)], [677] * 31)


def rendered(content):
    names, rows = [each["name"] for each in content["features"]], content["rows"]
    old = {name: before(index) for index, name in enumerate(names)}
    now = {name: replace(column, counts=[rows // 40] * len(column.counts)) for name, column in old.items()}
    return report_html.render("churn", "prod", content, Profile(ROWS, old), Profile(rows, now))


def test_run_without_rows_does_not_say_that_nothing_drifted():
    page = rendered(report([feature("age", 0.0)], rows=0))
    assert '<span class="warn">no rows, nothing was compared</span>' in page
    assert "nothing drifted" not in page
    assert 'class="good"' not in page
    assert "Every column" not in page


def test_run_with_too_few_rows_decides_nothing():
    page = rendered(report([feature("age", 0.3)], rows=100))
    assert '<span class="warn">too few rows, nothing was decided</span>' in page
    assert "100 rows are too few to decide; at least 200 are needed" in page


def test_run_with_enough_rows_says_that_nothing_drifted():
    assert '<span class="good">nothing drifted</span>' in rendered(report([feature("age", 0.0)]))


def test_drift_of_earlier_days_is_named_without_rows():
    page = rendered(report([feature("age", 0.3, drifted=True)], rows=0))
    assert '<span class="bad">age drifted</span>' in page


def test_worst_columns_come_first():
    page = rendered(report([feature("small", 0.01), feature("large", 0.4), feature("gone", 0.2, drifted=True)]))
    assert re.findall(r'<th scope="row">(gone|large|small)</th>', page) == ["gone", "large", "small"]
    assert re.findall("<h3>(.*?)</h3>", page) == ["gone", "large", "small"]


@pytest.mark.parametrize("columns", [300, 3000])
def test_page_of_many_columns_is_below_150_kilobytes(columns):
    features = [
        feature(f"column_with_a_long_name_{index}", 0.1, drifted=index % 4 == 0) | {"reason": 60 * "x"}
        for index in range(columns)
    ]
    violations = [[each["name"], 200 * "y"] for each in features]
    page = rendered(report(features, violations=violations))
    assert len(page.encode()) < 150_000
    if columns > 300:
        assert "2700 more, with smaller effects, are in report.json." in page


def test_texts_of_the_data_are_escaped_and_nothing_is_loaded():
    name = "<script>alert(1)</script>"
    content = report([feature(name, 0.3, drifted=True)], violations=[[name, 'a "value" & more']], bad_lines=1)
    page = rendered(
        content | {"first_bad_line": name, "findings": [{"column": name, "text": name, "violation": False}]}
    )
    assert "<script" not in page
    assert "a &quot;value&quot; &amp; more" in page
    assert not re.search(r"(src|href)=|url\(|@import|http", page)


def test_page_has_viewport_title_and_named_pictures():
    page = rendered(report([feature("plan", 0.1), feature("age", 0.3, drifted=True)]))
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in page
    assert "<title>churn in prod: monitor run of 2026-11-24 12:00 UTC</title>" in page
    assert all("aria-label=" in svg or "aria-hidden=" in svg for svg in re.findall("<svg[^>]*>", page))
    assert all("aria-label=" in region for region in re.findall('<div class="wide"[^>]*>', page))


def facts_of(page):
    return dict(re.findall("<dt>(.*?)</dt><dd>(.*?)</dd>", page))


def test_summary_says_what_was_compared_and_answered():
    content = report([feature("age", 0.0)], answered={"4": 1_200, "3": 20}, ambiguous=7)
    assert facts_of(rendered(content)) == {
        "scheduled for": "2026-11-24 12:00 UTC",
        "rows": "21,000, compared with 21,000 of training",
        "answered": "1,200 by version 4, 20 by version 3, 7 by one of several",
        "drift": "no column drifted",
        "data": "<span>no violation</span>",
        "quality": "there are no labels yet",
    }
    assert facts_of(rendered(report([], answered={}, rows=0)))["data"] == "<span>no rows, nothing was checked</span>"
    assert "answered" not in facts_of(rendered(report([], answered={})))


@pytest.mark.parametrize(
    ("violations", "bad_lines", "said"),
    [
        ([["age", "3 values are missing"]], 0, "1 violation"),
        ([], 5, "1 violation"),
        ([["age", "3 values are missing"]], 5, "2 violations"),
    ],
)
def test_violations_are_counted_and_listed(violations, bad_lines, said):
    content = report([feature("age", 0.0)], violations=violations, bad_lines=bad_lines, first_bad_line="a, line 1: no")
    page = rendered(content)
    assert facts_of(page)["data"] == f'<span class="bad">{said}</span>'
    listed = ["age: 3 values are missing"] * len(violations)
    listed += ["requests that could not be read: 5; the first: a, line 1: no"] * bool(bad_lines)
    assert re.findall("<li>(.*?)</li>", page.partition("<h2>Violations</h2>")[2].partition("</ul>")[0]) == listed


def test_comparisons_of_all_columns_are_listed():
    findings = [
        {"column": "", "text": "5 rows were answered by version 3", "violation": False},
        {"column": "", "text": "few rows", "violation": True},
    ]
    joint = asdict(ColumnDrift("(joint)", 0.1, 0.5, reason="no more than chance"))
    unjudged = asdict(ColumnDrift("score of version 3", 0.02, 0.5))
    scores = [asdict(ColumnDrift("score", 0.01, 0.5, reason="no more than chance")), unjudged]
    content = report([feature("age", 0.0)], findings=findings, joint=joint, prediction=scores)
    whole = rendered(content).partition("<h2>Scores and rows as a whole</h2>")[2]
    assert re.findall("<li>(.*?)</li>", whole) == [
        "score: no more than chance (effect 0.010)",
        "score of version 3: not decided (effect 0.020)",
        "windows of days: too few days or rows to decide",
        "all columns together: no more than chance",
        "rows: 5 rows were answered by version 3",
    ]
    without = rendered(content | {"rows": 0, "joint": None, "findings": []}).partition("as a whole</h2>")[2]
    assert re.findall("<li>(.*?)</li>", without) == ["windows of days: too few days or rows to decide"]


@pytest.mark.parametrize(("drifted", "said"), [(4, "c0, c1, c2, c3 drifted"), (5, "c0, c1, c2, c3 and 1 more drifted")])
def test_first_four_drifted_columns_are_in_the_heading(drifted, said):
    page = rendered(report([feature(f"c{index}", 0.3, drifted=True) for index in range(drifted)]))
    assert f'<h1>churn in prod, version 3: <span class="bad">{said}</span></h1>' in page


def test_model_without_an_environment_is_named_alone():
    content = report([feature("age", 0.0)])
    page = report_html.render(
        "churn", "", content, Profile(ROWS, {"age": before(0)}), Profile(ROWS, {"age": before(0)})
    )
    assert page.startswith('<!doctype html><html lang="en"><head><meta charset="utf-8">')
    assert "<title>churn: monitor run of 2026-11-24 12:00 UTC</title>" in page


def test_many_drifted_columns_are_counted_in_the_heading():
    page = rendered(report([feature(f"c{index}", 0.3, drifted=True) for index in range(7)]))
    assert "c0, c1, c2, c3 and 3 more drifted" in page
    assert "7 of 7 columns drifted" in page
