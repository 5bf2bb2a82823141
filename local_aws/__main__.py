"""`python -m local_aws`: the embedded AWS in the foreground."""

import argparse
import signal
import tempfile
import threading
from pathlib import Path

from .server import LocalAws


def main() -> None:
    """Serve until SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m local_aws", description=__doc__)
    parser.add_argument("--port", type=int, default=4566)
    parser.add_argument("--state", type=Path, help="where jobs and endpoints unpack; default: a temporary folder")
    arguments = parser.parse_args()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with (
        tempfile.TemporaryDirectory() as temporary,
        LocalAws(arguments.state or Path(temporary), arguments.port) as local,
    ):
        print(f"embedded AWS at {local.endpoint_url}", flush=True)
        stop.wait()


if __name__ == "__main__":
    main()
