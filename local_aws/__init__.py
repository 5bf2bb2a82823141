"""The embedded AWS: moto's server and what it lacks, so that the deployed factory really runs on one machine."""
