"""Profiles of a Spark data frame, for data that outgrows one instance: one profile per partition, merged in order.

spark-submit runs a file and not a module, so the application is a file of two lines:

    from jobs.drift.spark import main
    main()

    spark-submit --py-files <the jobs' zip> <that file> --data <parquet> --reference profile.json --output now.json

Runs on SageMaker's Spark image (`sagemaker-spark-processing:3.5`, Python 3.12) and only counts: workers need numpy and pyarrow.
The output is a `Profile`, which `decision.decide` compares with the reference.
"""

import argparse
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from .arrays import strings
from .counting import Kernel
from .profile import Profile

if TYPE_CHECKING:  # of the Spark image and no other
    from pyspark.sql import DataFrame  # ty: ignore[import-not-found]


def counting(reference: Profile) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """The function for mapInArrow: of the batches of a partition it makes one row, the JSON of their profile."""

    def count(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        counted, kernel = reference.empty_like(), Kernel()
        for batch in batches:
            counted.update(batch, kernel)
        if counted.rows:
            yield pa.RecordBatch.from_arrays([strings((json.dumps(counted.to_dict()),))], ["profile"])

    return count


def merged(parts: Iterator[str], reference: Profile) -> Profile:
    """The profile of all partitions; the same order gives exactly the same profile."""
    whole = reference.empty_like()
    for part in parts:
        whole.merge(Profile.from_dict(json.loads(part)))
    return whole


def profile_of(frame: "DataFrame", reference: Profile) -> Profile:
    """The profile of a Spark data frame; columns that it does not have count as missing."""
    wanted = [name for name in reference.columns if name in frame.columns]
    parts = frame.select(wanted).mapInArrow(counting(reference), "profile string").collect()
    return merged((part["profile"] for part in parts), reference)


def main() -> None:
    """Run the application. `--data` is any path that Spark reads; `--reference` and `--output` are files of the driver."""
    from pyspark.sql import SparkSession  # ty: ignore[import-not-found]

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, nargs="+", help="parquet files or folders")
    parser.add_argument("--reference", required=True, type=Path, help="profile.json of the live version's baseline")
    parser.add_argument("--output", required=True, type=Path, help="the profile of the data")
    chosen = parser.parse_args()
    reference = Profile.from_dict(json.loads(chosen.reference.read_text()))
    session = SparkSession.builder.appName("drift").getOrCreate()
    profile = profile_of(session.read.parquet(*chosen.data), reference)
    chosen.output.write_text(json.dumps(profile.to_dict()))
    print(f"spark     {profile.rows} rows of {len(profile.columns)} columns counted")
