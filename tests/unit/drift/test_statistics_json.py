"""Files in Model Monitor's formats, findings about rows, and names of bins, with values that are written down."""

from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from jobs.drift.column import ColumnProfile
from jobs.drift.decision import ColumnDrift, DriftReport
from jobs.drift.profile import Profile
from jobs.drift.quality import Finding, duplicates, new_categories
from jobs.drift.statistics_json import constraints, statistics, violations

AGE = ColumnProfile(
    "integer", rows=10, nulls=2, edges=[3.0, 5.0], counts=[4, 0, 4], mean=2.5, m2=32.0, finite=8, minimum=-1.0, maximum=9.0
)  # fmt: skip
CITY = ColumnProfile("string", rows=10, nulls=0, categories=["a", "b"], counts=[6, 3, 1], distinct=3)
PROFILE = Profile(10, {"age": AGE, "city": CITY})


def test_statistics_are_those_of_the_profile():
    assert statistics(PROFILE) == {
        "version": 0.0,
        "dataset": {"item_count": 10},
        "features": [
            {
                "name": "age",
                "inferred_type": "Integral",
                "numerical_statistics": {
                    "common": {"num_present": 8, "num_missing": 2},
                    "mean": 2.5,
                    "sum": 20.0,
                    "std_dev": 2.0,
                    "min": -1.0,
                    "max": 9.0,
                    "distribution": {
                        "kll": {
                            "buckets": [
                                {"lower_bound": -1.0, "upper_bound": 3.0, "count": 4.0},
                                {"lower_bound": 5.0, "upper_bound": 9.0, "count": 4.0},
                            ]
                        }
                    },
                },
            },
            {
                "name": "city",
                "inferred_type": "String",
                "string_statistics": {
                    "common": {"num_present": 10, "num_missing": 0},
                    "distinct_count": 3.0,
                    "distribution": {
                        "categorical": {"buckets": [{"value": "a", "count": 6}, {"value": "b", "count": 3}]}
                    },
                },
            },
        ],
    }


def test_constraints_are_those_of_the_profile_and_the_declared_values():
    declared = [SimpleNamespace(name="city", values=["a", 1]), SimpleNamespace(name="age", values=None)]
    found = constraints(PROFILE, declared)
    assert found["features"] == [
        {
            "name": "age",
            "inferred_type": "Integral",
            "completeness": 0.8,
            "num_constraints": {"is_non_negative": False},
        },
        {"name": "city", "inferred_type": "String", "completeness": 1.0, "string_constraints": {"domains": ["a", "1"]}},
    ]
    assert found["version"] == 0.0
    assert found["monitoring_config"] == {
        "evaluate_constraints": "Enabled",
        "emit_metrics": "Enabled",
        "datatype_check_threshold": 1.0,
        "domain_content_threshold": 1.0,
        "distribution_constraints": {
            "perform_comparison": "Enabled",
            "comparison_threshold": 0.1,
            "comparison_method": "Robust",
        },
    }
    columns = {
        "x": ColumnProfile("number", minimum=0.0),
        "flag": ColumnProfile("boolean"),
        "c": ColumnProfile("string"),
    }
    empty = constraints(Profile(0, columns), [])["features"]
    assert [(each["inferred_type"], each["completeness"]) for each in empty] == [
        ("Fractional", 0.0), ("Integral", 0.0), ("String", 0.0),
    ]  # fmt: skip
    assert [each.get("num_constraints") for each in empty] == [{"is_non_negative": True}] * 2 + [None]
    assert "string_constraints" not in empty[2]


def test_violations_are_of_drift_schema_and_findings():
    drifted, steady = ColumnDrift("age", 0.5, 0.0, reason="it moved"), ColumnDrift("city", 0.0, 1.0)
    drifted.drifted = True
    problems = [
        ("age", "3 values are missing"),
        ("city", "2 values are not one of a, b"),
        ("age", "1 value is no number"),
    ]
    findings = [
        Finding("volume", "", "twice the rows"),
        Finding("new_category", "city", "1 new value", violation=False),
    ]
    found = violations([DriftReport(10, 10, [drifted, steady])], problems, findings)["violations"]
    assert [(each["feature_name"], each["constraint_check_type"], each["description"]) for each in found] == [
        ("age", "baseline_drift_check", "it moved"),
        ("age", "completeness_check", "3 values are missing"),
        ("city", "categorical_values_check", "2 values are not one of a, b"),
        ("age", "data_type_check", "1 value is no number"),
        ("", "volume_check", "twice the rows"),
    ]


def test_new_values_are_named_by_their_frequency():
    known = ColumnProfile("string", rows=200, known=["a"])
    reference = Profile(200, {"city": known, "free": ColumnProfile("string", rows=200)})
    current = Profile(200, {"city": ColumnProfile("string", rows=200), "free": ColumnProfile("string", rows=200)})
    seen = {"city": dict(zip("ghfedcb", (1, 1, 2, 3, 4, 5, 6), strict=True)), "free": {"x": 3}, "gone": {"x": 3}}
    (found,) = new_categories(reference, current, seen)
    assert (found.kind, found.column, found.violation) == ("new_category", "city", False)
    assert found.text == "7 new values in 11.00% of the rows: 'b' (6), 'c' (5), 'd' (4), 'e' (3), 'f' (2)"
    assert new_categories(reference, current, {"city": {}}) == []
    (nothing,) = new_categories(reference, Profile(0, {"city": ColumnProfile("string")}), {"city": {"b": 1}})
    assert "in 100.00% of the rows" in nothing.text


def repeating(rows, repeated, offset=0):
    """Rows of which so many are equal to the first."""
    x = np.arange(offset, offset + rows)
    x[1 : repeated + 1] = offset
    return pa.table({"x": x, "c": pa.array([None] * rows, pa.string())})


@pytest.mark.parametrize(("now", "is_found"), [(0, False), (19, False), (20, True), (40, True)])
def test_two_of_a_hundred_more_repeated_rows_are_found(now, is_found):
    found = duplicates(repeating(1_000, 0), repeating(1_000, now))
    assert bool(found) is is_found
    if now == 40:
        assert found == [Finding("duplicates", "", "4.0% of the rows repeat another, 0.0% of the training's")]


@pytest.mark.parametrize(
    ("size", "before", "now", "is_found"),
    [
        (200, 0, 19, False),  # one in 820,000
        (200, 0, 20, True),  # one in 1.7 millions
        (5_000, 40, 139, False),  # significant, and less than two of a hundred
        (5_000, 40, 140, True),
    ],
)
def test_more_repeated_rows_than_by_chance_are_found(size, before, now, is_found):
    assert bool(duplicates(repeating(size, before), repeating(size, now))) is is_found


def test_repeated_rows_of_the_training_are_no_finding():
    assert duplicates(repeating(1_000, 300), repeating(1_000, 310)) == []
    # A larger sample has more of them: the first rows are compared.
    assert duplicates(repeating(1_000, 100), repeating(5_000, 100)) == []
    for before, now in ((None, repeating(9, 5)), (repeating(9, 5), None), (repeating(0, 0), repeating(9, 5))):
        assert duplicates(before, now) == []
    assert duplicates(repeating(9, 5), repeating(0, 0)) == []


def test_bins_have_names():
    assert [AGE.label(index) for index in range(4)] == ["up to 3", "3 to 5", "above 5", "(missing)"]
    assert [CITY.label(index) for index in range(4)] == ["a", "b", "(other)", "(missing)"]
    assert ColumnProfile("number", counts=[5]).label(0) == "any number"


def test_column_knows_its_values():
    assert (AGE.present, AGE.std, AGE.numeric, CITY.numeric) == (8, 2.0, True, False)
    assert AGE.table().tolist() == [4.0, 0.0, 4.0, 0.0]
    assert ColumnProfile("number").std == 0.0
