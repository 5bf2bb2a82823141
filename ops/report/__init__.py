"""The report of a factory: one HTML page about every model in every environment, with all that is needed to read it inside."""
