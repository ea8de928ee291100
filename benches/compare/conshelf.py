"""Our server: a process over a directory of its own, spoken to over HTTP as Kusto's clients do."""

import http.client
import json
import os
import subprocess
import threading
import time
from pathlib import Path

from answers import digest_kusto

DATABASE = "NetDefaultDB"
BODY_BYTES = 4 << 20
CONNECTIONS = 2
UNCACHED = "set query_results_cache_per_shard=false; "


class Conshelf:
    def __init__(self, binary: Path, directory: Path):
        self.binary, self.directory = binary, directory
        self.buffer = bytearray(1 << 20)
        self.process = None
        self.start()

    def start(self, *options: str) -> None:
        self.process = subprocess.Popen(
            [self.binary, "serve", "--listen", "127.0.0.1:0", "--data-dir", self.directory, *options],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )
        for line in self.process.stdout:
            if line.startswith("listening on http://"):
                self.address = line.removeprefix("listening on http://").strip()
                break
        else:
            raise RuntimeError("the server did not start")
        self.connection = http.client.HTTPConnection(self.address, timeout=600)
        while self.status("/ready") != 200:
            time.sleep(0.05)

    def stop(self) -> None:
        self.connection.close()
        self.process.terminate()
        self.process.wait()

    def restart(self, *options: str) -> None:
        self.stop()
        self.start(*options)

    def status(self, path: str) -> int:
        self.connection.request("GET", path)
        response = self.connection.getresponse()
        response.read()
        return response.status

    def post(self, connection, path: str, body: bytes, kind: str = "application/json") -> bytes:
        connection.request("POST", path, body, {"Content-Type": kind})
        response = connection.getresponse()
        answer = response.read()
        if response.status != 200:
            raise HttpError(response.status, answer.decode(errors="replace")[:500])
        return answer

    def version(self) -> str:
        return subprocess.run([self.binary, "--version"], capture_output=True, text=True).stdout.strip().split()[-1]

    def create(self, shape) -> None:
        columns = ", ".join(f"{name}: {kind}" for name, kind in shape.columns.items())
        body = json.dumps({"db": DATABASE, "csl": f".create-merge table {shape.table} ({columns})"})
        self.post(self.connection, "/v1/rest/mgmt", body.encode())

    def load(self, shape, file: Path) -> float:
        """Seconds until every body was acknowledged."""
        self.create(shape)
        path = f"/v1/rest/ingest/{DATABASE}/{shape.table}?streamFormat=multijson"
        source, lock, failures = bodies(file), threading.Lock(), []

        def send() -> None:
            connection = http.client.HTTPConnection(self.address, timeout=600)
            try:
                while not failures:
                    with lock:
                        body = next(source, None)
                    if body is None:
                        return
                    while True:
                        try:
                            self.post(connection, path, body)
                            break
                        except HttpError as error:
                            if error.status != 429:
                                raise
                            time.sleep(0.05)
            except Exception as error:  # noqa: BLE001: carried to the caller
                failures.append(error)

        started = time.perf_counter()
        threads = [threading.Thread(target=send) for _ in range(CONNECTIONS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]
        return time.perf_counter() - started

    def settle(self, quiet_seconds: float = 10, limit_seconds: float = 900) -> int:
        """Seals what is in the log, waits until merges come to rest; the bytes of all extents."""
        self.restart("--seal-age", "1")
        before, since = -1, time.monotonic()
        until = since + limit_seconds
        while time.monotonic() < until:
            # The server's own activity tables seal all the time; the loaded table is by far the largest.
            now = max(map(directory_bytes, (self.directory / "extents").iterdir()), default=0)
            if now != before:
                before, since = now, time.monotonic()
            elif now > 0 and time.monotonic() - since > quiet_seconds:
                break
            time.sleep(0.5)
        self.restart()
        return before

    def run(self, kql: str) -> tuple[float, bytes]:
        """Seconds until the whole body is read, and the body.

        It is read into the memory that earlier bodies were read into: new memory for a body of 80 MB would cost as
        much as the query.
        """
        body = json.dumps({"db": DATABASE, "csl": kql}).encode()
        started = time.perf_counter()
        self.connection.request("POST", "/v2/rest/query", body, {"Content-Type": "application/json"})
        response = self.connection.getresponse()
        length = 0
        while count := response.readinto(memoryview(self.buffer)[length:]):
            length += count
            if length == len(self.buffer):
                self.buffer.extend(bytes(length))
        seconds = time.perf_counter() - started
        answer = bytes(memoryview(self.buffer)[:length])
        if response.status != 200:
            raise HttpError(response.status, answer.decode(errors="replace")[:500])
        return seconds, answer

    def explain(self, kql: str) -> str:
        return self.post(self.connection, "/query?explain=true", kql.encode(), "text/plain").decode()


class HttpError(RuntimeError):
    def __init__(self, status: int, message: str):
        super().__init__(f"HTTP {status}: {message}")
        self.status = status


def digest(answer: bytes) -> dict:
    for frame in json.loads(answer):
        if frame.get("TableKind") == "PrimaryResult":
            columns = [(column["ColumnName"], column["ColumnType"]) for column in frame["Columns"]]
            rows = [row for row in frame["Rows"] if isinstance(row, list)]
            if len(rows) != len(frame["Rows"]):
                raise RuntimeError(f"the answer holds an error: {frame['Rows'][-1]}")
            return digest_kusto(columns, rows)
    raise RuntimeError(f"no primary result: {answer[:300]!r}")


def bodies(file: Path):
    """Whole lines, about BODY_BYTES of them at a time."""
    with open(file, "rb") as source:
        while body := source.read(BODY_BYTES):
            yield body + (b"" if body.endswith(b"\n") else source.readline())


def directory_bytes(directory: Path) -> int:
    total = 0
    for path, _, files in os.walk(directory):
        for file in files:
            try:
                total += os.path.getsize(os.path.join(path, file))
            except FileNotFoundError:
                pass
    return total
