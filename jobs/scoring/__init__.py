"""The job score: predictions of the objects below a prefix, one file for each object and version of it."""
