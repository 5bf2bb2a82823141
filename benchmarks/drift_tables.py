"""Input files of benchmarks/drift.py: generated tables as parquet or CSV, and the example's census years."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

ROOT = Path(__file__).parents[1]
CHUNK_ROWS = 1_000_000
WORDS = pa.array(["red", "green", "blue", "black", "white"])


def chunks(rows: int, seed: int) -> Iterator[pa.Table]:
    """14 continuous, 2 integer and 4 text columns; tables of different seeds are samples of one distribution."""
    for number, start in enumerate(range(0, rows, CHUNK_ROWS)):
        rng, count = np.random.default_rng([seed, number]), min(CHUNK_ROWS, rows - start)
        columns: dict[str, pa.Array] = {f"f{i}": pa.array(rng.normal(size=count)) for i in range(14)}
        columns |= {f"n{i}": pa.array(rng.integers(0, 1000, count)) for i in range(2)}
        columns |= {f"c{i}": WORDS.take(pa.array(rng.integers(0, len(WORDS), count))) for i in range(4)}
        yield pa.table(columns)


def write(path: Path, rows: int, seed: int) -> Path:
    """Write a table to a .parquet file (131,072 rows per group) or a .csv file."""
    schema = next(chunks(1, seed)).schema
    options = pacsv.WriteOptions(quoting_style="none")
    writer = pacsv.CSVWriter(path, schema, write_options=options) if path.suffix == ".csv" else None
    with writer or pq.ParquetWriter(path, schema) as opened:
        for table in chunks(rows, seed):
            if isinstance(opened, pq.ParquetWriter):
                opened.write_table(table, row_group_size=131_072)
            else:
                opened.write_table(table)
    return path


def census_years(folder: Path) -> list[tuple[str, Path]]:
    """Files of the example's census years, and of the last year with the age in months."""
    tables = []
    for year in (2015, 2016, 2017, 2018):
        table = pd.read_parquet(ROOT / f"models/employment/data/{year}.parquet").drop(columns="employed")
        table = table.astype({name: "string" for name in table if name != "AGEP"}).astype({"AGEP": "float64"})
        tables.append((str(year), table))
    tables.append(("2018, age in months", tables[-1][1].assign(AGEP=lambda rows: rows["AGEP"] * 12)))
    paths = []
    for name, table in tables:
        paths.append((name, folder / f"{name.replace(', ', '-').replace(' ', '-')}.parquet"))
        table.astype({c: object for c in table if c != "AGEP"}).to_parquet(paths[-1][1], index=False)
    return paths
