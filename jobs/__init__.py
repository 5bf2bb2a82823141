"""What runs inside SageMaker jobs and endpoints; shipped alone, in a zip with the model's code (docs/reference/contracts.md)."""

import os

# OpenMP's threads spin while they wait for each other: on processors that others use too, a fit of one second takes forty.
# The library reads this when it is loaded, so it stands before every import of scikit-learn.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
