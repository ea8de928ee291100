#!/usr/bin/env python3
"""Compares Conshelf with other engines: same rows, same machine, one run, answers checked.

    python3 benches/compare/run.py --rows 1000000 --workloads cpu logs hits --out results
    python3 benches/compare/run.py --readme results/results.json      the figures into the README

See benches/README.md for what is measured. Needs `pip install -r benches/compare/requirements.txt`; an engine that
is missing is named and left out.
"""

import argparse
import json
import os
import platform
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timezone
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE))

import report  # noqa: E402
from conshelf import UNCACHED, Conshelf, digest  # noqa: E402
from answers import disagreement  # noqa: E402
from peers import ENGINES, Peer, PeerError  # noqa: E402
from queries import PARAMETERS, QUERIES  # noqa: E402
from shapes import SHAPES  # noqa: E402


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of each workload")
    parser.add_argument("--workloads", nargs="+", default=list(SHAPES), choices=list(SHAPES))
    names = ["conshelf", *ENGINES]
    parser.add_argument("--engines", nargs="+", default=names, choices=names)
    parser.add_argument("--victorialogs", metavar="BINARY", help="VictoriaLogs' server, for the logs")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--hot", type=int, default=7, help="runs of each query after the first")
    parser.add_argument("--queries", nargs="+", help="only queries whose name holds one of these")
    parser.add_argument(
        "--cache", choices=["both", "on", "off"], default="both",
        help="off: ours without its cache of partial results; both: hot with it, and a column without",
    )
    parser.add_argument("--explain", action="store_true", help="print the plans of queries slower than the best peer")
    parser.add_argument("--out", type=Path, default=Path("target/compare"), help="where the results go")
    parser.add_argument("--work", type=Path, help="where data and tables go meanwhile (a temporary directory)")
    parser.add_argument("--server", type=Path, default=ROOT / "target/release/conshelf")
    parser.add_argument("--generator", type=Path, default=ROOT / "target/release/examples/generate")
    parser.add_argument("--no-build", action="store_true", help="take the binaries as they are")
    parser.add_argument("--readme", type=Path, metavar="RESULTS", help="write the README's figures from this file")
    return parser.parse_args()


def main() -> int:
    options = arguments()
    if options.readme:
        results = json.loads(options.readme.read_text())
        report.write_readme(ROOT / "README.md", results, options.readme.name)
        return 0
    if not options.no_build:
        build = ["cargo", "build", "--release", "--bin", "conshelf", "--example", "generate"]
        subprocess.run(build, cwd=ROOT, check=True)
    if options.work:
        options.work.mkdir(parents=True, exist_ok=True)
        results = compare(options, options.work)
    else:
        with tempfile.TemporaryDirectory(prefix="conshelf-compare-") as directory:
            results = compare(options, Path(directory))
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "results.json").write_text(json.dumps(results, indent=1))
    text = report.markdown(results, plans=options.explain)
    (options.out / "results.md").write_text(text)
    print("\n" + text)
    failed = any(report.complaints(workload) for workload in results["workloads"].values())
    if failed:
        print("Some answers do not agree or are missing: see above.", file=sys.stderr)
    return 0


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def compare(options: argparse.Namespace, work: Path) -> dict:
    results = {
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d"), "machine": machine(), "rows": options.rows,
        "seed": options.seed, "hot_runs": options.hot, "cache": options.cache,
        "commit": command_output(["git", "rev-parse", "--short", "HEAD"]), "versions": {}, "workloads": {},
    }
    for workload in options.workloads:
        directory = work / workload
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        results["workloads"][workload] = one_workload(options, workload, directory, results["versions"])
        shutil.rmtree(directory, ignore_errors=True)
    return results


def one_workload(options: argparse.Namespace, workload: str, directory: Path, versions: dict) -> dict:
    file = directory / "rows.ndjson"
    say(f"{workload}: generating {options.rows:,} rows")
    with open(file, "wb") as target:
        subprocess.run(
            [options.generator, workload, str(options.rows), str(options.seed)], stdout=target, check=True
        )
    outcome = {"rows": options.rows, "input_bytes": file.stat().st_size, "loading": {}, "queries": []}
    server = Conshelf(options.server, directory / "conshelf")
    peers: dict[str, Peer] = {}
    try:
        versions["conshelf"] = server.version()
        seconds = server.load(SHAPES[workload], file)
        size = server.settle()
        outcome["loading"]["conshelf"] = {"seconds": seconds, "bytes": size}
        say(f"{workload}: Conshelf {options.rows / seconds:,.0f} rows/s, {size / options.rows:.1f} bytes a row")
        count = digest(server.run(f"{SHAPES[workload].table} | count")[1])["columns"][0][1]
        if count != options.rows:
            raise RuntimeError(f"{options.rows} rows were sent, {count:.0f} are there")
        for name in options.engines:
            if name != "conshelf":
                start_peer(name, options, workload, directory, file, peers, versions, outcome["loading"])
        parameters = PARAMETERS[workload](sample(file), random.Random(options.seed))
        for index, query in enumerate(QUERIES[workload]):
            if options.queries and not any(part in query.name for part in options.queries):
                continue
            outcome["queries"].append(one_query(options, workload, index, parameters, server, peers))
    finally:
        server.stop()
        for peer in peers.values():
            peer.stop()
    return outcome


def start_peer(name, options, workload, directory, file, peers, versions, loading) -> None:
    own = directory / name
    own.mkdir()
    try:
        peer = Peer(name, own, {"binary": options.victorialogs})
        versions[name] = peer.version
        seconds, size = peer.load(workload, file)
        peers[name] = peer
        loading[name] = {"seconds": seconds, "bytes": size}
        say(f"{workload}: {name} {options.rows / seconds:,.0f} rows/s, {size / options.rows:.1f} bytes a row")
    except PeerError as error:
        loading[name] = {"error": str(error)}
        say(f"{workload}: without {name}: {error}")


def one_query(options, workload, index, parameters, server: Conshelf, peers: dict[str, Peer]) -> dict:
    """First run after a restart of our server; then all engines in turn, as often as asked; after another restart once more."""
    query = QUERIES[workload][index]
    kql = query.text("conshelf", parameters)
    asked = UNCACHED + kql if options.cache == "off" else kql
    outcome = {"name": query.name, "kql": kql, "peers": {}}
    try:
        server.restart()
        first, answer = server.run(asked)
        ours = digest(answer)
        outcome |= {"first_ms": first * 1000, "rows": ours["rows"], "answer_bytes": len(answer)}
    except Exception as error:  # noqa: BLE001: one query must not end the run
        say(f"{workload}: {query.name}: FAILED: {error}")
        return outcome | {"error": str(error)}
    for name, peer in peers.items():
        try:
            seconds, theirs = peer.run(workload, index, parameters, ours) or (None, None)
        except PeerError as error:
            outcome["peers"][name] = {"error": str(error)}
            say(f"{workload}: {query.name}: {name} failed: {error}")
            continue
        if seconds is None:
            continue
        why = disagreement(query, ours, theirs)
        outcome["peers"][name] = {"first_ms": seconds * 1000, "agrees": why is None, "times": []}
        if why:
            outcome["peers"][name] |= {"why": why, "defines_otherwise": name in query.defines_otherwise}
            say(f"{workload}: {query.name}: MISMATCH with {name}: {why}")
    hot, uncached = [], []
    for _ in range(options.hot):
        hot.append(server.run(asked)[0] * 1000)
        if options.cache == "both":
            uncached.append(server.run(UNCACHED + kql)[0] * 1000)
        for name, peer in outcome["peers"].items():
            if "times" in peer:
                peer["times"].append(peers[name].run(workload, index, parameters)[0] * 1000)
    outcome["hot_ms"] = statistics.median(hot)
    if uncached:
        outcome["uncached_ms"] = statistics.median(uncached)
    server.restart()
    time.sleep(1)
    outcome["again_ms"] = server.run(asked)[0] * 1000
    for peer in outcome["peers"].values():
        if times := peer.pop("times", None):
            peer["hot_ms"] = statistics.median(times)
    value = report.ratio(outcome)
    if value is not None and value > 1:
        outcome["plan"] = server.explain(UNCACHED + kql)
    say(f"{workload}: {query.name}: {outcome['hot_ms']:.1f} ms, ratio {report.shown(value)}")
    return outcome


def sample(file: Path) -> list[dict]:
    """Rows from all over the file."""
    size, rows = file.stat().st_size, []
    with open(file, "rb") as source:
        for part in range(20):
            source.seek(size * part // 20)
            if part:
                source.readline()
            for _ in range(200):
                if line := source.readline():
                    rows.append(json.loads(line))
    return rows


def machine() -> dict:
    cpu = platform.processor() or "unknown processor"
    for line in read("/proc/cpuinfo").splitlines():
        if line.startswith("model name"):
            cpu = line.partition(":")[2].strip()
            break
    return {
        "cpu": cpu, "cores": os.cpu_count(), "memory_gb": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30,
        "system": platform.platform(), "python": platform.python_version(),
    }


def read(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""


def command_output(command: list[str]) -> str:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
