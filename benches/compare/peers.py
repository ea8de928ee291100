"""The other engines, two threads each, every one in a process of its own.

`Peer` is what the comparison holds; `serve` is what runs in the engine's process. An engine loads the rows of an
NDJSON file and answers queries as pyarrow tables, from which only a digest goes back. VictoriaLogs answers text.
"""

import importlib.metadata
import json
import multiprocessing
import os
import subprocess
import time
import urllib.parse
import urllib.request
from pathlib import Path

from answers import digest_arrow, digest_texts
from conshelf import directory_bytes
from queries import QUERIES
from shapes import CHDB_TYPES, DUCKDB_TYPES, SHAPES

THREADS = 2


class PeerError(RuntimeError):
    """The engine is not there, or failed."""


class Peer:
    def __init__(self, name: str, directory: Path, options: dict):
        context = multiprocessing.get_context("spawn")
        self.name = name
        self.pipe, other = context.Pipe()
        self.process = context.Process(target=serve, args=(name, str(directory), options, other), daemon=True)
        self.process.start()
        other.close()
        self.version = self.receive()

    def receive(self):
        try:
            fine, value = self.pipe.recv()
        except (EOFError, ConnectionError) as error:
            raise PeerError("its process ended") from error
        if not fine:
            raise PeerError(value)
        return value

    def ask(self, *message):
        try:
            self.pipe.send(message)
        except (BrokenPipeError, ConnectionError) as error:
            raise PeerError("its process ended") from error
        return self.receive()

    def load(self, workload: str, file: Path) -> tuple[float, int]:
        """Seconds of loading, bytes on disk."""
        return self.ask("load", workload, str(file))

    def run(self, workload: str, index: int, parameters: dict, like: dict | None = None) -> tuple[float, dict] | None:
        """Seconds and, when asked for with `like`, a digest; None when the engine has no such query."""
        return self.ask("run", workload, index, parameters, like)

    def stop(self) -> None:
        self.pipe.close()
        self.process.join(20)
        if self.process.is_alive():
            self.process.terminate()


def serve(name: str, directory: str, options: dict, pipe) -> None:
    os.environ["POLARS_MAX_THREADS"] = str(THREADS)
    try:
        engine = ENGINES[name](Path(directory), options)
        pipe.send((True, engine.version))
    except Exception as error:  # noqa: BLE001: carried to the caller
        pipe.send((False, f"{type(error).__name__}: {error}"))
        return
    try:
        while True:
            action, *arguments = pipe.recv()
            try:
                pipe.send((True, getattr(engine, action)(*arguments)))
            except Exception as error:  # noqa: BLE001: carried to the caller
                pipe.send((False, f"{type(error).__name__}: {str(error)[:400]}"))
    except EOFError:
        engine.close()


class Engine:
    """What the SQL engines share: `execute` answers a pyarrow table."""

    name = ""

    def run(self, workload: str, index: int, parameters: dict, like: dict | None):
        text = QUERIES[workload][index].text(self.name, parameters)
        if text is None:
            return None
        started = time.perf_counter()
        table = self.execute(text)
        seconds = time.perf_counter() - started
        return seconds, digest_arrow(table) if like else None

    def close(self) -> None:
        pass


class DuckDb(Engine):
    """A native table on disk."""

    name = "duckdb"

    def __init__(self, directory: Path, options: dict):
        import duckdb

        self.version = duckdb.__version__
        self.file = directory / "rows.duckdb"
        self.connection = duckdb.connect(str(self.file), config={"threads": THREADS})
        self.connection.execute("set timezone = 'UTC'")

    def load(self, workload: str, file: str):
        shape = SHAPES[workload]
        before = os.path.getsize(self.file) if self.file.exists() else 0
        started = time.perf_counter()
        self.connection.execute(f"create table {shape.table} as select * from {duckdb_rows(shape, file)}")
        self.connection.execute("checkpoint")
        return time.perf_counter() - started, os.path.getsize(self.file) - before

    def execute(self, sql: str):
        return self.connection.execute(sql).to_arrow_table()

    def close(self) -> None:
        self.connection.close()


def duckdb_rows(shape, file: str) -> str:
    columns = ", ".join(f"'{name}': '{DUCKDB_TYPES[kind]}'" for name, kind in shape.columns.items())
    return f"read_json('{file}', format = 'newline_delimited', columns = {{{columns}}})"


class ClickHouse(Engine):
    """chDB: a MergeTree in time order, indexes on the message and the unique id, merged to rest."""

    name = "chdb"

    def __init__(self, directory: Path, options: dict):
        import chdb.session

        self.session = chdb.session.Session(str(directory / "chdb"))
        self.version = str(self.session.query("select version()", "CSV")).strip().strip('"')
        self.session.query("create database if not exists bench engine = Atomic")

    def load(self, workload: str, file: str):
        shape = SHAPES[workload]
        kind = lambda name, type: (
            "LowCardinality(String)" if name in shape.low_cardinality else CHDB_TYPES[type]
        )
        columns = [f"{name} {kind(name, type)}" for name, type in shape.columns.items()]
        structure = ", ".join(f"{name} {CHDB_TYPES[type]}" for name, type in shape.columns.items())
        table = f"bench.{shape.table}"
        self.session.query(
            f"create table {table} ({', '.join([*columns, *shape.chdb_indexes])}) engine = MergeTree"
            f" order by {shape.time}"
        )
        started = time.perf_counter()
        structure = structure.replace("'", "\\'")
        self.session.query(
            f"insert into {table} select * from file('{file}', JSONEachRow, '{structure}')"
            f" settings max_threads = {THREADS}, max_insert_threads = {THREADS}, date_time_input_format = 'best_effort',"
            # A version number inside of JSON is no date.
            " input_format_try_infer_dates = 0, input_format_try_infer_datetimes = 0"
        )
        seconds = time.perf_counter() - started
        self.session.query(f"optimize table {table} final")
        size = self.session.query(
            f"select sum(bytes_on_disk) from system.parts where database = 'bench' and table = '{shape.table}' and active", "CSV"
        )
        return seconds, int(str(size).strip())

    def execute(self, sql: str):
        import pyarrow as pa

        sql = sql.replace(" from logs", " from bench.logs").replace(" from cpu", " from bench.cpu")
        sql = sql.replace(" from hits", " from bench.hits")
        answer = self.session.query(
            f"{sql} settings max_threads = {THREADS}, output_format_arrow_string_as_string = 1,"
            " output_format_arrow_low_cardinality_as_dictionary = 0",
            "Arrow",
        )
        return pa.ipc.open_file(pa.BufferReader(answer.bytes())).read_all()

    def close(self) -> None:
        self.session.close()


def parquet(directory: Path, shape, file: str) -> tuple[float, Path]:
    """The rows as zstd Parquet, written by DuckDB once for all who read it; seconds, and the file."""
    target = directory.parent / f"{shape.table}.parquet"
    seconds_file = target.with_suffix(".seconds")
    if not seconds_file.exists():
        import duckdb

        started = time.perf_counter()
        connection = duckdb.connect(config={"threads": THREADS})
        texts = [name for name, kind in shape.columns.items() if kind == "dynamic"]
        replaced = "".join(f" replace ({name}::varchar as {name})" for name in texts)
        connection.execute(
            f"copy (select *{replaced} from {duckdb_rows(shape, file)}) to '{target}' (format parquet, compression zstd)"
        )
        seconds_file.write_text(str(time.perf_counter() - started))
    return float(seconds_file.read_text()), target


class DataFusion(Engine):
    """Parquet, zstd."""

    name = "datafusion"

    def __init__(self, directory: Path, options: dict):
        import datafusion

        self.directory = directory
        self.version = importlib.metadata.version("datafusion")
        config = (
            datafusion.SessionConfig()
            .with_target_partitions(THREADS)
            .with_parquet_pruning(True)
            .set("datafusion.execution.parquet.pushdown_filters", "true")
            # Table and column names are written as they are.
            .set("datafusion.sql_parser.enable_ident_normalization", "false")
        )
        self.context = datafusion.SessionContext(config)

    def load(self, workload: str, file: str):
        seconds, target = parquet(self.directory, SHAPES[workload], file)
        self.context.register_parquet(SHAPES[workload].table, str(target))
        return seconds, os.path.getsize(target)

    def execute(self, sql: str):
        import pyarrow as pa

        frame = self.context.sql(sql)
        batches = frame.collect()
        return pa.Table.from_batches(batches) if batches else frame.schema().empty_table()


class Polars(Engine):
    """Parquet, zstd."""

    name = "polars"

    def __init__(self, directory: Path, options: dict):
        import polars

        self.directory, self.version = directory, polars.__version__
        self.frames = {}

    def load(self, workload: str, file: str):
        import polars

        seconds, target = parquet(self.directory, SHAPES[workload], file)
        self.frames[workload] = polars.scan_parquet(target)
        return seconds, os.path.getsize(target)

    def run(self, workload: str, index: int, parameters: dict, like: dict | None):
        query = QUERIES[workload][index]
        if query.polars is None:
            return None
        started = time.perf_counter()
        frame = query.polars(self.frames[workload], parameters).collect()
        seconds = time.perf_counter() - started
        return seconds, digest_arrow(frame.to_arrow()) if like else None


class VictoriaLogs(Engine):
    """A server of its own, given as a binary; logs only."""

    name = "victorialogs"

    def __init__(self, directory: Path, options: dict):
        if not options.get("binary"):
            raise PeerError("no binary given (--victorialogs FILE)")
        self.data = directory / "victorialogs"
        self.address = "127.0.0.1:19428"
        self.process = subprocess.Popen(
            [options["binary"], f"-storageDataPath={self.data}", f"-httpListenAddr={self.address}", "-retentionPeriod=100y"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ | {"GOMAXPROCS": str(THREADS)},
        )
        self.version = subprocess.run(
            [options["binary"], "-version"], capture_output=True, text=True
        ).stdout.strip() or "?"
        for _ in range(100):
            try:
                urllib.request.urlopen(f"http://{self.address}/health").read()
                return
            except OSError:
                time.sleep(0.1)
        raise PeerError("the server did not start")

    def load(self, workload: str, file: str):
        if workload != "logs":
            raise PeerError("keeps logs only")
        from conshelf import bodies

        fields = "_time_field=Timestamp&_msg_field=Message&_stream_fields=Service,Level"
        started = time.perf_counter()
        for body in bodies(Path(file)):
            request = urllib.request.Request(f"http://{self.address}/insert/jsonline?{fields}", data=body, method="POST")
            urllib.request.urlopen(request).read()
        urllib.request.urlopen(f"http://{self.address}/internal/force_flush").read()
        seconds = time.perf_counter() - started
        time.sleep(10)
        return seconds, directory_bytes(self.data)

    def run(self, workload: str, index: int, parameters: dict, like: dict | None):
        query = QUERIES[workload][index]
        text = query.text(self.name, parameters)
        if text is None:
            return None
        body = urllib.parse.urlencode({"query": text}).encode()
        started = time.perf_counter()
        answer = urllib.request.urlopen(f"http://{self.address}/select/logsql/query", data=body).read()
        seconds = time.perf_counter() - started
        if not like:
            return seconds, None
        fields = query.victorialogs[1]
        rows = [[row.get(field, "") for field in fields] for row in map(json.loads, answer.splitlines())]
        return seconds, digest_texts(rows, like)

    def close(self) -> None:
        self.process.terminate()
        self.process.wait()


ENGINES = {engine.name: engine for engine in (DuckDb, ClickHouse, DataFusion, Polars, VictoriaLogs)}
