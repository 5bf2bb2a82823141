"""`model-factory acceptance`: the loop of a throw-away model in a deployed environment, through public APIs only."""
