"""`model-factory new`: write a model.yaml and a model.py that train on the given data, as a starting point."""

import json
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import pandas as pd
import yaml

from model_factory.config import METRICS
from model_factory.config.fields import ModelName

from ..project import UsageError
from .names import check_name, model_folder

MAX_CLASSES = 20
GATES = {
    "binary_classification": {"metric": "auc", "minimum": 0.6},
    "multiclass_classification": {"metric": "accuracy", "minimum": 0.5},
    "regression": {"metric": "r2", "minimum": 0.1},
}


@dataclass(frozen=True)
class DataSummary:
    """Format, label, problem type and columns of a sample of the data."""

    format: str
    label: str
    problem: str
    columns: dict[str, dict[str, object]]


def read_sample(path: Path, label: str) -> DataSummary:
    """Summarize a CSV file with header, or a parquet file. Raises UsageError when it cannot be read or has no such label."""
    readers = {".csv": pd.read_csv, ".parquet": pd.read_parquet}
    if path.suffix not in readers:
        raise UsageError(f"{path}: unsupported file type; it must end in {' or '.join(readers)}")
    data: pd.DataFrame
    try:
        data = readers[path.suffix](path)
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: cannot be read: {error}") from None
    if label not in data:
        raise UsageError(f"{path} has no column {label!r}; it has {', '.join(map(str, data.columns))}")
    if len(data) < 100:
        raise UsageError(f"{path} has {len(data)} rows; a sample needs at least 100")
    columns = {str(name): _column(data[name]) for name in data.columns if name != label}
    return DataSummary(path.suffix[1:], label, _problem(data[label]), columns)


def create(root: Path, name: str, summary: DataSummary) -> list[Path]:
    """Write `models/<name>/`; returns the paths. Raises UsageError when the name is invalid or the folder exists already."""
    check_name(name, ModelName)
    folder = model_folder(root, name)
    config = {
        "name": name,
        "problem": summary.problem,
        "data": {"format": summary.format, "label": summary.label, "schema": summary.columns},
        "gate": GATES[summary.problem],
    }
    metrics = ", ".join(METRICS[summary.problem])
    header = f"# Every key: model-factory schema model. gate.metric is one of {metrics}.\n"
    files = {
        folder / "model.yaml": header + yaml.safe_dump(config, sort_keys=False, default_flow_style=None, width=110),
        folder / "model.py": _code(summary),
    }
    for path, text in files.items():
        path.write_text(text, encoding="utf-8")
    return list(files)


def _column(values: pd.Series) -> dict[str, object]:
    if pd.api.types.is_bool_dtype(values):
        kind = "boolean"
    elif pd.api.types.is_integer_dtype(values):
        kind = "integer"
    elif pd.api.types.is_numeric_dtype(values):
        kind = "number"
    elif pd.api.types.is_datetime64_any_dtype(values):
        kind = "timestamp"
    else:
        kind = "string"
    column: dict[str, object] = {"type": kind}
    if not values.isna().any():
        column["nullable"] = False
    return column


def _problem(label: pd.Series) -> str:
    distinct = label.nunique()
    if distinct < 2:
        raise UsageError(f"label {label.name!r} has only one value; it needs at least two")
    if distinct == 2:
        return "binary_classification"
    if distinct <= MAX_CLASSES and not pd.api.types.is_float_dtype(label):
        return "multiclass_classification"
    return "regression"


def _code(summary: DataSummary) -> str:
    kind = "Regressor" if summary.problem == "regression" else "Classifier"
    scores = {
        "binary_classification": "model.predict_proba(features)[:, 1]",
        "multiclass_classification": "model.predict_proba(features)",
        "regression": "model.predict(features)",
    }[summary.problem]
    # scikit-learn takes no timestamps. Prepare and the endpoint pass them in UTC.
    seconds = "{name: (times[name] - EPOCH).dt.total_seconds() for name in times}"
    has_times = any(column["type"] == "timestamp" for column in summary.columns.values())
    features = (
        f'times = raw.select_dtypes("datetimetz")\n            return raw.assign(**{seconds})'
        if has_times
        else "return raw"
    )
    epoch = '\n        EPOCH = pd.Timestamp(0, tz="UTC")' if has_times else ""
    return dedent(
        f'''\
        """Predict {summary.label!r} with gradient boosted trees on the raw columns.

        Libraries that AWS's image lacks are in requirements.txt beside this file; `model-factory lock` resolves them.
        """

        import numpy as np
        import pandas as pd
        from sklearn.compose import make_column_selector, make_column_transformer
        from sklearn.ensemble import HistGradientBoosting{kind}
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import OrdinalEncoder

        LABEL = {json.dumps(summary.label, ensure_ascii=False)}{epoch}


        def features(raw: pd.DataFrame) -> pd.DataFrame:
            """Transform each row by itself; used for training and for serving. Values learned from the data belong in train."""
            {features}


        def train(train: pd.DataFrame, validation: pd.DataFrame, hyperparameters: dict):
            text = make_column_selector(dtype_include=["object", "string", "category"])
            encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
            columns = make_column_transformer((encoder, text), remainder="passthrough")
            model = make_pipeline(columns, HistGradientBoosting{kind}(random_state=0, **hyperparameters))
            return model.fit(train.drop(columns=LABEL), train[LABEL])


        def predict(model, features: pd.DataFrame) -> np.ndarray:
            return {scores}
        '''
    )
