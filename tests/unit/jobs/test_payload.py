"""Bodies of requests and responses: equal in CSV and JSON, and an error message for every invalid one."""

import io
import json
from contextlib import suppress

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs import csv_text, payload
from jobs.columns import Column, canonical

COLUMNS = [
    Column("age", "integer", nullable=False),
    Column("x", "number"),
    Column("code", "string"),
    Column("flag", "boolean"),
    Column("at", "timestamp"),
]
GOOD = "30,1.5,01,true,2026-11-24\n"


def parse(body, kind: str = "text/csv", columns=COLUMNS) -> pd.DataFrame:
    return payload.parse(body, kind, columns)


def test_csv_and_json_give_the_same_rows():
    rows = [
        {"age": 30, "x": 1.5, "code": "01", "flag": True, "at": "2026-11-24"},
        {"age": 31, "x": None, "code": None, "flag": None, "at": None},
    ]
    text = parse(GOOD + "31,,,,\n")
    for content in ({"instances": rows}, rows):
        pd.testing.assert_frame_equal(text, parse(json.dumps(content), "application/json"))
    assert text["code"].tolist() == ["01", None]
    pd.testing.assert_frame_equal(text, parse(("\ufeff" + GOOD + "31,,,,\r\n").encode(), "text/csv; charset=utf-8"))


def test_nullable_column_may_be_left_out_of_json():
    assert parse('{"instances": [{"age": 1}]}', "application/json").isna().sum(axis=1).tolist() == [4]


def test_serving_reads_csv_as_training_does():
    training = "age,x,code,flag,at\n" + GOOD + "07,1e3,NA,no,20261124\n31,NaN,None,0,\n"
    (table,) = csv_text.tables(iter(training.splitlines(keepends=True)), 100)
    trained, problems = canonical(table, COLUMNS)
    assert problems == []
    pd.testing.assert_frame_equal(trained, parse(training.partition("\n")[2]))


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ("", "the body is empty; send at least one row"),
        (" \n", "the body is empty; send at least one row"),
        ("\n\n,,,,", "column 'age': 1 values are missing; the first is '' in row 1"),
        ("30,1.5,01,true", "line 1 has 4 columns; 5 are needed: age, x, code, flag, at"),
        (GOOD + "30,1.5,01,true,2026-11-24,7\n", "line 2 has 6 columns; 5 are needed"),
        (GOOD + "30,1.5,01\n", "line 2 has 3 columns; 5 are needed"),
        ('30,"1.5"x,01,true,2026-11-24', "line 1: ',' expected after '\"'"),
        (GOOD + "x,1.5,01,true,2026-11-24\n", "column 'age': 1 values are no integer; the first is 'x' in row 2"),
        (GOOD + ",1.5,01,true,2026-11-24\n", "column 'age': 1 values are missing; the first is '' in row 2"),
        ("1.5,1.5,01,true,2026-11-24\n", "column 'age': 1 values are no integer; the first is '1.5' in row 1"),
        ("1,a,01,true,2026-11-24\n", "column 'x': 1 values are no number; the first is 'a' in row 1"),
        ("1,inf,01,true,2026-11-24\n", "column 'x': 1 values are infinite; the first is 'inf' in row 1"),
        ("1,1,01,maybe,2026-11-24\n", "column 'flag': 1 values are no boolean; the first is 'maybe' in row 1"),
        ("1,1,01,true,soon\n", "column 'at': 1 values are no timestamp; the first is 'soon' in row 1"),
        (b"\xff\xfe", "the body is not UTF-8"),
    ],
)
def test_invalid_csv_has_an_error_message(body, what):
    with pytest.raises(payload.BadRequest) as bad:
        parse(body)
    assert what in str(bad.value)


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ("{", "the body is not JSON: "),
        ("1" * 5000, "the body is not JSON: "),
        ("[" * 100_000, "the body is not JSON: "),
        ("{}", 'the body must be {"instances": [{column: value, …}, …]} with at least one instance'),
        ("[]", "with at least one instance"),
        ("null", "with at least one instance"),
        ('{"instances": [[1, 2]]}', "with at least one instance"),
        ('[{"age": 1, "agee": 2}]', "instance 1 has an unknown column 'agee'; the model takes age, x, code, flag, at"),
        ('[{"age": 1}, {"x": 2}]', "instance 2 has no column 'age'"),
        ('[{"age": 1, "code": ["a"]}]', "instance 1: the value of 'code' must be a number, a text, true, false or null"),
        ('[{"age": 1}, {"age": null}]', "column 'age': 1 values are missing; the first is None in row 2"),
        ('[{"age": 1, "x": "a"}]', "column 'x': 1 values are no number; the first is 'a' in row 1"),
        ('[{"age": 1, "x": Infinity}]', "column 'x': 1 values are infinite; the first is inf in row 1"),
        ('[{"age": 9007199254740993}]', "column 'age': 1 values are integers beyond 2^53"),
        ('[{"age": 1, "x": 1' + "0" * 400 + "}]", "column 'x': 1 values are no number; the first is 1000"),
        ('[{"age": 1, "at": 1700000000}]', "column 'at': 1 values are no timestamp; the first is 1700000000 in row 1"),
    ],
)  # fmt: skip
def test_invalid_json_has_an_error_message(body, what):
    with pytest.raises(payload.BadRequest) as bad:
        parse(body, "application/json")
    assert what in str(bad.value)
    assert len(str(bad.value)) < 300


@pytest.mark.parametrize("kind", ["text/plain", "", "application/x-npy"])
def test_unknown_content_type_is_refused(kind):
    with pytest.raises(
        payload.BadRequest,
        match="is not known; send text/csv, application/json, application/jsonlines or application/x-parquet",
    ):
        parse("1", kind)


# What UTF-8 can encode, as the default, which hypothesis computes from the codec: for seconds, in a fresh clone.
CHARACTERS = st.characters(exclude_categories=["Cs"])
VALUES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(CHARACTERS, max_size=8))


@settings(max_examples=150, deadline=None)
@given(
    st.one_of(
        st.tuples(st.one_of(st.text(CHARACTERS), st.binary()), st.sampled_from(["text/csv", "application/json"])),
        st.tuples(
            st.lists(st.dictionaries(st.sampled_from([c.name for c in COLUMNS]), VALUES)).map(json.dumps),
            st.just("application/json"),
        ),
        st.tuples(
            st.lists(st.lists(st.text(alphabet='0159.,eE-+"\n\rTaxNn\0:é', max_size=6), min_size=5, max_size=5))
            .map(lambda rows: "\n".join(map(",".join, rows))),
            st.just("text/csv"),
        ),
    )
)  # fmt: skip
def test_every_body_is_read_or_raises_bad_request(request_):
    body, kind = request_
    with suppress(payload.BadRequest):
        data = parse(body, kind)
        assert [str(dtype) for dtype in data.dtypes] == ["int64", "float64", "object", "float64", "datetime64[ns, UTC]"]


def test_empty_line_of_one_column_is_a_row():
    assert len(parse("1\n\n2\n", columns=[Column("x", "number")])) == 3


def parquet(table: pd.DataFrame) -> bytes:
    target = io.BytesIO()
    table.to_parquet(target)
    return target.getvalue()


def test_file_of_training_data_is_read_without_its_other_columns():
    columns = [Column("age", "integer", nullable=False), Column("at", "timestamp")]
    training = pd.DataFrame({"left": [1, 0], "at": pd.to_datetime(["2026-11-24", None], utc=True), "age": [30, 31]})
    rows = parse(training.to_csv(index=False), "text/csv; header=present", columns)
    assert rows.columns.tolist() == ["age", "at"]
    pd.testing.assert_frame_equal(rows, parse(parquet(training), "application/x-parquet", columns))
    lines = '{"at": "2026-11-24", "age": 30}\n\n{"age": 31}\n'
    pd.testing.assert_frame_equal(rows, parse(lines, "application/jsonlines", columns))


@pytest.mark.parametrize(
    ("body", "kind", "what"),
    [
        ("x,y\n1,2\n", "text/csv; header=present", "the body has no column 'age'; the model takes age, x, code"),
        ("age,x,code,flag,at\n", "text/csv; header=present", "the body is empty"),
        ("age,age\n1,2\n", "text/csv; header=present", "the header names the column 'age' twice"),
        (b"PAR1", "application/x-parquet", "the body is not Parquet"),
        (parquet(pd.DataFrame({"age": [1]})), "application/x-parquet", "the body has no column 'x'"),
        (parquet(pd.DataFrame({"age": []})), "application/x-parquet", "the body has no rows"),
        ('{"age": 1}\n{"age"\n', "application/jsonlines", "line 2 is not JSON"),
        ('{"age": 1}\n3\n', "application/jsonlines", "or one in each line"),
    ],
)
def test_invalid_files_have_an_error_message(body, kind, what):
    with pytest.raises(payload.BadRequest) as bad:
        parse(body, kind)
    assert what in str(bad.value)


@pytest.mark.parametrize(
    ("values", "kind", "what"),
    [
        (pa.array([[1, 2], [3, 4]]), "string", "column 'x': its type is list<"),
        (pa.array([{"a": 1}]), "string", "column 'x': its type is struct<"),
        (pa.array([2**60], pa.timestamp("ms")), "timestamp", "column 'x': a value of the type timestamp[ms] is not readable"),
        (pa.array([2**30], pa.date32()), "timestamp", "column 'x': a value of the type date32[day] is not readable"),
        (pa.array([b"\xff"]).view(pa.string()), "string", "column 'x': a value of the type string is not readable"),
    ],
    ids=str,
)  # fmt: skip
def test_parquet_values_that_python_has_not_are_refused(values, kind, what):
    target = io.BytesIO()
    pq.write_table(pa.table({"x": values}), target)
    with pytest.raises(payload.BadRequest) as bad:
        parse(target.getvalue(), "application/x-parquet", [Column("x", kind)])
    assert what in str(bad.value)


@pytest.mark.parametrize("kind", ["application/x-parquet", "application/json"])
def test_small_body_of_many_values_is_refused(kind, monkeypatch):
    monkeypatch.setattr(payload, "MAX_VALUES", 20_000)
    columns = [Column(f"c{number}", "number") for number in range(10)]

    def body(rows):
        table = pd.DataFrame(0, index=range(rows), columns=[column.name for column in columns])
        return parquet(table) if "parquet" in kind else json.dumps({"instances": [{}] * rows})

    assert len(parse(body(2000), kind, columns)) == 2000
    with pytest.raises(payload.BadRequest, match="2001 rows of 10 columns; send at most 2000 rows at a time"):
        parse(body(2001), kind, columns)


def test_integer_that_no_float_holds_is_refused_beside_decimals():
    body = json.dumps({"instances": [{"x": 10**400}, {"x": 1.5}]})
    with pytest.raises(payload.BadRequest, match="column 'x': 1 values are no number"):
        parse(body, "application/json", [Column("x", "number")])
