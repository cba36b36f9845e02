"""A Kaggle on loopback that the real kaggle package talks to: it answers as told, and may stutter, break off or lie."""

import contextlib
import hashlib
import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

BLOCK = 1 << 14


@dataclass
class FakeKaggle:
    """What the server holds and how it behaves; what it was asked.

    A client that resumes sends two GETs: one that it drops once it knows the size, and one for the rest.
    """

    archive: bytes
    status: int = 200  # of the answer to each request for a download's address
    statuses: list[int] = field(default_factory=list)  # of the next of those answers, before `status` holds again
    headers: dict[str, str] = field(default_factory=dict)  # that come with it, if it is an error
    script: list[tuple[int, int | None]] = field(default_factory=list)  # status, bytes (None = all) of the next GETs
    announced: int | None = None  # bytes, if the server is wrong about them; -1 = it says nothing
    seconds_a_block: float = 0.0
    holds_at: int | None = None  # after so many bytes a download waits for the gate
    gate: threading.Event = field(default_factory=threading.Event)
    open_to_all: bool = True  # else 401 without credentials
    asked: list[str] = field(default_factory=list)  # slugs, in the order of the requests
    ranges: list[str] = field(default_factory=list)  # the Range header of each download, "" = none
    port: int = 0

    @property
    def etag(self) -> str:
        return f'"{hashlib.sha256(self.archive).hexdigest()[:16]}"'

    def environment(self, home: Path, credentials: bool = True) -> dict[str, str]:
        """For a process whose kaggle package shall meet this server instead of the real one."""
        kept = {key: value for key, value in os.environ.items() if not key.upper().startswith(("KAGGLE", "XDG"))}
        proxy = f"http://127.0.0.1:{self.port}"
        login = {"KAGGLE_USERNAME": "somebody", "KAGGLE_KEY": "secret"} if credentials else {}
        return kept | login | {
            "HOME": str(home),
            "KAGGLE_API_ENVIRONMENT": "LOCALHOST",
            "HTTP_PROXY": proxy,
            "http_proxy": proxy,
            "NO_PROXY": "",
            "no_proxy": "",
        }  # fmt: skip


class Loopback(ThreadingHTTPServer):
    """The server; the Kaggle behind it can be exchanged."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.fake = FakeKaggle(b"")

    def put(self, kaggle: FakeKaggle) -> FakeKaggle:
        self.fake, kaggle.port = kaggle, self.server_address[1]
        return kaggle


@contextmanager
def serving() -> Iterator[Loopback]:
    with Loopback() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.fake.gate.set()
            server.shutdown()
            thread.join()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        assert isinstance(self.server, Loopback)
        self.fake = self.server.fake
        super().setup()

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"{}")
        method = urlsplit(self.path).path.removeprefix("/api/v1/")
        if method == "security.OAuthService/IntrospectToken":
            self._reply(200, {"active": body["token"] == "good", "username": "somebody"})
            return
        if method == "datasets.DatasetApiService/DownloadDataset":
            slug = f"{body['ownerSlug']}/{body['datasetSlug']}"
        elif method == "competitions.CompetitionApiService/DownloadDataFiles":
            slug = body["competitionName"]
        else:
            self._reply(404, {"code": 404, "message": f"no such method {method}"})
            return
        self.fake.asked.append(slug)
        refused = not self.fake.open_to_all and "Authorization" not in self.headers
        status = 401 if refused else self.fake.statuses.pop(0) if self.fake.statuses else self.fake.status
        if status != 200:
            self._reply(status, {"code": status, "message": "refused"}, self.fake.headers)
            return
        self.send_response(302)
        self.send_header("Location", f"http://127.0.0.1:{self.fake.port}/signed/archive.zip?signature")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self) -> None:
        status, end = self.fake.script.pop(0) if self.fake.script else (200, None)
        whole, start = self.fake.archive, 0
        wanted = self.headers.get("Range", "")
        self.fake.ranges.append(wanted)
        if status != 200:
            self._reply(status, {"message": "this address has expired"})
            return
        if wanted and self.headers.get("If-Range") in {None, self.fake.etag}:
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
        self.send_response(206 if start else 200)
        self.send_header("Content-Type", "application/zip")
        announced = len(whole) - start if self.fake.announced is None else self.fake.announced
        if announced >= 0:
            self.send_header("Content-Length", str(announced))
        else:
            self.send_header("Connection", "close")
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("ETag", self.fake.etag)
        self.send_header("Last-Modified", "Wed, 01 Jan 2025 00:00:00 GMT")
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(whole) - 1}/{len(whole)}")
        self.end_headers()
        self._send(whole[start:], end)

    def _send(self, rest: bytes, end: int | None) -> None:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for at in range(0, len(rest[:end]), BLOCK):
                if self.fake.holds_at is not None and at >= self.fake.holds_at:
                    self.fake.gate.wait(20)
                self.wfile.write(rest[:end][at : at + BLOCK])
                time.sleep(self.fake.seconds_a_block)
        self.close_connection = True

    def _reply(self, status: int, body: dict[str, object], headers: dict[str, str] | None = None) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        usual = {"Content-Type": "application/json", "Content-Length": str(len(content))}
        for name, value in (usual | (headers or {})).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
