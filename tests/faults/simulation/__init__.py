"""A small AWS in memory: what its documentation says, and nothing of Model Factory. The clock stands still between steps."""
