"""`python -m local_aws`: the command `local-aws`."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
