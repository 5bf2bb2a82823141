"""A model's own libraries: `requirements.txt`, its lock, and the files that jobs and endpoint get."""
