"""Model Factory as a CDK library: one construct a file, and the typed configuration in `config`."""
