"""Contributions of the raw columns of a record, against a sample of the version's own training rows."""

import io
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from model_factory.functions.shared.s3 import is_gone, split_uri

from ..project import EnvironmentSession
from .artifact import Artifact

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    import pandas as pd

    from .shapley import Contributions, Plan


def contributions(
    session: EnvironmentSession,
    package: dict[str, Any],
    artifact: Artifact,
    row: "pd.DataFrame",
    column: int | None,
    folder: "Path",
) -> "Contributions | str":
    """Contributions of the columns of `row`, a table of one record, or why there are none.

    `column`: of the scores, None where there is one per record. `folder`: for intermediate files. Raises UsageError.
    """
    from . import shapley

    background = _background(session, package, artifact)
    if background is None or not len(background):
        return f"version {package['ModelPackageVersion']} was registered without a sample of training rows"
    plan = shapley.plan(_differs(row, background))
    rows = _composed(row, background, plan)
    scores = artifact.scores(rows, folder)
    scores = scores if column is None else scores[:, column]
    if plan.method == "sampled" and (found := _by_trees(artifact, row, background, plan, scores, column, folder)):
        return found
    return plan.contributions(scores)


def _by_trees(
    artifact: Artifact,
    row: "pd.DataFrame",
    background: "pd.DataFrame",
    plan: "Plan",
    scores: "np.ndarray",
    column: int | None,
    folder: "Path",
) -> "Contributions | None":
    """Exact contributions where the score is, or follows from, a sum of trees; None where it is not."""
    import pandas as pd

    from . import trees

    together = pd.concat([background[: len(plan.columns)], row], ignore_index=True)
    arrays = artifact.trees(together, column, folder)
    return trees.exact(arrays, list(row.columns), plan, scores) if arrays else None


def _background(session: EnvironmentSession, package: dict[str, Any], artifact: Artifact) -> "pd.DataFrame | None":
    """A sample of the version's training rows, in random order with a fixed seed."""
    import pandas as pd

    from model_factory.jobs import columns, payload

    baselines = package.get("DriftCheckBaselines", {})
    statistics = baselines.get("ModelDataQuality", {}).get("Statistics", {}).get("S3Uri")
    if not statistics:
        return None
    bucket, key = split_uri(f"{statistics.rpartition('/')[0]}/sample.parquet")
    try:
        body = session.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as error:
        if not is_gone(error):
            raise
        return None
    described = payload.columns_of(artifact.serving["columns"])
    sample = pd.read_parquet(io.BytesIO(body)).sample(frac=1, random_state=0, ignore_index=True)
    return columns.canonical(sample[[each.name for each in described]], described)[0]


def _differs(row: "pd.DataFrame", background: "pd.DataFrame") -> "np.ndarray":
    """Whether a background record has another value than the row (background records x columns); missing equals missing."""
    import numpy as np

    parts = []
    for name in row.columns:
        value, values = row[name].iloc[0], background[name]
        missing = values.isna().to_numpy()
        parts.append(
            ~missing if _is_missing(value) else missing | (values != value).to_numpy(dtype=bool, na_value=True)
        )
    return np.stack(parts, axis=1)


def _composed(row: "pd.DataFrame", background: "pd.DataFrame", plan: Any) -> "pd.DataFrame":
    import numpy as np
    import pandas as pd

    last = len(background)
    together = pd.concat([background, row], ignore_index=True)
    index = [np.where(plan.explained[:, number], last, plan.background) for number in range(len(row.columns))]
    columns = {name: together[name].take(index[number]).array for number, name in enumerate(row.columns)}
    return pd.DataFrame(columns)


def _is_missing(value: Any) -> bool:
    return value is None or value != value


def plain(value: Any) -> Any:
    """A value as JSON and a table have it."""
    if _is_missing(value):
        return None
    return (
        value.item() if hasattr(value, "item") else value if isinstance(value, str | int | float | bool) else str(value)
    )
