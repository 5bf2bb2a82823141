"""All sessions of a test process share what they read of AWS's service models: reading it was most of a small test's time."""

from functools import cache

import botocore.loaders

botocore.loaders.create_loader = cache(botocore.loaders.create_loader)
