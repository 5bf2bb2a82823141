"""The three requests to AWS that the jobs make, answered by this process: a list of objects, an object, and no versions."""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "example/raw/dt=2026-01-01/rows.csv"
DATA_URI = "s3://check-image/example"
_LIST = """<?xml version="1.0" encoding="UTF-8"?>
<ListVersionsResult><Name>check-image</Name><IsTruncated>false</IsTruncated><Version><Key>{key}</Key><VersionId>1</VersionId>
<IsLatest>true</IsLatest><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>"1"</ETag><Size>{size}</Size>
</Version></ListVersionsResult>"""


@contextmanager
def answering(rows: bytes) -> "Generator[str, None, None]":
    """Serve `rows` as the only object; yields the URL for AWS_ENDPOINT_URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if "versions" in self.path.partition("?")[2]:
                self._answer(_LIST.format(key=KEY, size=len(rows)).encode(), "application/xml")
            else:
                self._answer(rows, "text/csv")

        def do_POST(self) -> None:  # ListModelPackages
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self._answer(b'{"ModelPackageSummaryList": []}', "application/x-amz-json-1.1")

        def _answer(self, body: bytes, kind: str) -> None:
            self.send_response(200)
            for name, value in (("Content-Type", kind), ("Content-Length", str(len(body))), ("ETag", '"1"')):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the name in http.server)
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
