"""The job prepare: raw data, validated and split into train, validation and test parts, and the baseline of its columns."""
