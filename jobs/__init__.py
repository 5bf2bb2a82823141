"""Code that runs inside SageMaker jobs and endpoints, in a zip with the model's code (docs/reference/contracts.md).

The jobs are preparation, train, evaluation and monitoring; drift is shared by them, and serve runs in the endpoint. The other
modules are shared and import none of the packages. All imports are relative: in a zip and an artifact the package is `jobs`.
"""

import os

# OpenMP's threads spin while they wait for each other: on shared processors a fit of one second takes forty.
# OpenMP reads this when it is loaded, so it has to be set before scikit-learn is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
