"""`model-factory demo`: one week in the life of the example model, lived in a minute on the embedded AWS."""
