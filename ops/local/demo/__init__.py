"""`model-factory demo`: five days of the example model, on the embedded AWS, in about a minute."""
