"""Splits the raw files into a table for training and one for evaluation."""

import argparse
from pathlib import Path

import pandas as pd

ROOT = Path("/opt/ml/processing")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--test-share", type=float, required=True)
    share = parser.parse_args().test_share
    files = sorted((ROOT / "input/raw").rglob("*.csv"))
    raw = pd.concat([pd.read_csv(file) for file in files], ignore_index=True)
    table = pd.DataFrame({"sold": raw["sold"], "x": raw["x"], "red": (raw["colour"] == "red") * 1})
    rows = int(len(table) * share)
    table[:rows].to_csv(ROOT / "output/test/test.csv", index=False)
    table[rows:].to_csv(ROOT / "output/train/train.csv", index=False)


if __name__ == "__main__":
    main()
