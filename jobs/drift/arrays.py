"""Columns of pandas and pyarrow tables in the two forms that are counted: float64 with NaN, or strings with nulls."""

from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:  # importing pandas takes longer than counting a million numbers
    import pandas as pd

Data: TypeAlias = "pd.DataFrame | pa.Table | pa.RecordBatch"

NUMERIC = ("integer", "number", "boolean")
compute: Any = pc  # its functions are created at run time, so type checkers do not know them


def as_table(data: Data, types: dict[str, str]) -> pa.Table:
    """The columns of `types` as float64 or strings; a column that the data does not have is all null."""
    if not types:
        return pa.table({"": pa.nulls(len(data))}).select([])
    columns = [column(data, name, kind) for name, kind in types.items()]
    return pa.Table.from_arrays(columns, list(types))


def column(data: Data, name: str, kind: str) -> Any:
    """One column as a pyarrow array: float64 with NaN or null, or strings, possibly dictionary-encoded."""
    frame: Any = data
    arrow = isinstance(data, pa.Table | pa.RecordBatch)
    if name not in (frame.schema.names if arrow else frame.columns):
        return pa.nulls(len(data), pa.float64() if kind in NUMERIC else pa.string())
    if not arrow:
        return _from_pandas(frame[name], kind)
    values = frame.column(name)
    return as_numbers(values) if kind in NUMERIC else as_text(values)


def _from_pandas(values: "pd.Series", kind: str) -> Any:
    if kind in NUMERIC:
        return pa.array(values.to_numpy(dtype="float64", na_value=np.nan))
    if values.dtype == object:
        texts = [None if v is None or v != v else v if isinstance(v, str) else str(v) for v in values.tolist()]
        return pa.array(texts, pa.string())
    return as_text(pa.array(values, from_pandas=True))


def as_numbers(values: Any) -> Any:
    """As float64. Raises pyarrow's ArrowInvalid for a string that is not a number."""
    if values.type == pa.float64():
        return values
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    return values.cast(pa.float64(), safe=False)


def as_text(values: Any) -> Any:
    """As strings, as columns.canonical converts them: 3 and 3.0 are both '3'."""
    kind = values.type
    if (pa.types.is_dictionary(kind) and pa.types.is_string(kind.value_type)) or pa.types.is_string(kind):
        return values
    if pa.types.is_dictionary(kind):
        values = values.cast(kind.value_type)
    if pa.types.is_floating(values.type):
        values = compute.if_else(compute.is_nan(values), None, values)
        return _whole_as_integers(values)
    if pa.types.is_boolean(values.type):
        return compute.if_else(values, "True", "False")
    return values.cast(pa.string())


def _whole_as_integers(values: Any) -> Any:
    whole = compute.and_(compute.equal(values, compute.floor(values)), compute.less(compute.abs(values), 2.0**63))
    integers = compute.if_else(whole, values, None).cast(pa.int64()).cast(pa.string())
    return compute.coalesce(integers, values.cast(pa.string()))


def numbers_of(values: Any) -> np.ndarray:
    """A float64 array with NaN where missing; without a copy when nothing is missing and there is one chunk."""
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks() if values.num_chunks != 1 else values.chunk(0)
    if isinstance(values, pa.ChunkedArray):  # combine_chunks of nothing
        return np.empty(0)
    return as_numpy(filled(values, np.nan) if values.null_count else values)


# pyarrow imports pandas (half a second, 70 MB) for an array of a list, a scalar and a type's numpy name. These functions do not.


def filled(values: Any, number: float) -> Any:
    """Fixed-width numbers with `number` in place of nulls."""
    one = pa.Array.from_buffers(values.type, 1, [None, pa.py_buffer(np.array([number], str(values.type)))])
    return compute.fill_null(values, one[0])


@lru_cache(maxsize=1024)
def strings(values: tuple[str, ...]) -> pa.StringArray:
    """Strings as an arrow array; cached, because every batch is counted on the same categories."""
    encoded = [value.encode() for value in values]
    offsets = np.cumsum([0, *map(len, encoded)], dtype="int32")
    return pa.StringArray.from_buffers(len(encoded), pa.py_buffer(offsets), pa.py_buffer(b"".join(encoded)))


def as_numpy(values: Any) -> np.ndarray:
    """A numpy view, without a copy, of numbers without nulls."""
    return np.from_dlpack(values) if len(values) else np.empty(0, str(values.type))  # numpy knows arrow's names
