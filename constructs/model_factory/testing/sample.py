"""Rows to try a model with: from a file of its folder, or generated from the schema of model.yaml."""

from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..config import ModelConfig
from ..config.model import Column

ROWS = 300
MISSING = 0.05
"""Share of missing values in columns that may be null."""


def write_sample(config: ModelConfig, data: Path, target: Path) -> Path:
    """Write at most `ROWS` labelled rows into `target`, in the model's `data.format`; the file."""
    file = target / f"sample.{config.data.format}"
    rows = _first_rows(config, data)
    if config.data.format == "parquet":
        rows.to_parquet(file, index=False)
    else:
        rows.to_csv(file, index=False)
    return file


def _first_rows(config: ModelConfig, data: Path) -> pd.DataFrame:
    files = sorted(data.glob(f"*.{config.data.format}"))
    if not files:
        return generate(config)
    if config.data.format == "parquet":
        return pd.read_parquet(files[0]).head(ROWS)
    return pd.read_csv(files[0], nrows=ROWS)


def generate(config: ModelConfig) -> pd.DataFrame:
    """Rows as `data.schema` says, with missing values where it allows them. The label is random: the rows test no quality."""
    random = np.random.default_rng(config.training.seed)
    columns = {name: _values(column, random) for name, column in config.data.schema_.items()}
    for name, column in config.data.schema_.items():
        if column.nullable and name != config.data.label:
            values = np.array(columns[name], dtype=object)
            values[random.random(ROWS) < MISSING] = None
            columns[name] = values
    if config.data.label not in columns:
        columns[config.data.label] = {
            "binary_classification": random.integers(0, 2, ROWS),
            "multiclass_classification": random.integers(0, 3, ROWS),
            "regression": random.normal(size=ROWS),
        }[config.problem]
    return pd.DataFrame(columns)


def _values(column: Column, random: np.random.Generator) -> Any:
    if column.values:
        return list(islice(cycle(column.values), ROWS))
    low = column.minimum if column.minimum is not None else 0
    high = column.maximum if column.maximum is not None else low + 100
    match column.type:
        case "integer":
            return random.integers(int(low), int(high) + 1, ROWS)
        case "number":
            return random.uniform(low, high, ROWS)
        case "boolean":
            return random.integers(0, 2, ROWS).astype(bool)
        case "timestamp":
            return pd.date_range("2026-01-01", periods=ROWS, freq="h")
        case _:
            return random.choice(["a", "b", "c"], ROWS)
