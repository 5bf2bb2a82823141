"""The job evaluate: the measures of a new version, its comparison with the champion, and the gate."""
