"""Forgetting: deletes raw data, rows derived from it, and captured requests, and leaves a record that something was forgotten."""
