"""CSV as strings: values stay as they are, and a malformed line is reported."""

import io

import pandas as pd
import pytest

from jobs import csv_text


def read(text: str) -> pd.DataFrame:
    tables = list(csv_text.tables(io.StringIO(text, newline=""), 100))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def test_strings_stay_as_they_are():
    table = read('code,x\n01, 1.50\nNA,"a,\n""b"""\n')
    assert table.to_dict("list") == {"code": ["01", "NA"], "x": [" 1.50", 'a,\n"b"']}


def test_chunks_have_at_most_the_given_rows():
    sizes = [len(table) for table in csv_text.tables(io.StringIO("x\n" + "1\n" * 25), 10)]
    assert sizes == [10, 10, 5]


def test_empty_line_is_a_row_only_with_one_column():
    assert len(read("a,b\n1,2\n\n3,4\n\n")) == 2
    assert read("a\n1\n\n3\n")["a"].tolist() == ["1", "", "3"]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("a,b\n1,2\n3\n", "line 3 has 1 columns; 2 are needed: a, b"),
        ('a,b\n"1\n2",2\n1,2,3\n', "line 4 has 3 columns; 2 are needed: a, b"),
        ("a,b,a\n1,2,3\n", "the header names the column 'a' twice"),
        ('a\n"1"2\n', "line 2: ',' expected after '\"'"),
        ('a\n"1\n', "line 2: unexpected end of data"),
        ("a\n" + "x" * 200_000, "line 2: field larger than field limit"),
        ("", "the file is empty, it has no header"),
    ],
)
def test_malformed_line_is_reported(text, what):
    with pytest.raises(csv_text.Malformed) as malformed:
        read(text)
    assert what in str(malformed.value)


def test_type_is_guessed_when_all_strings_have_it():
    table = read("n,code,flag,mixed,none,e\n1,01,True,1,,1e3\n2.5,10,false,x,NA,-.5\nNA,11,TRUE,2,,+7.\n")
    guessed = csv_text.guessed(table)
    kinds = {name: guessed[name].dtype.kind for name in guessed}
    assert kinds == {"n": "f", "code": "O", "flag": "b", "mixed": "O", "none": "O", "e": "f"}
