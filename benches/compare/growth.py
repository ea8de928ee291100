"""How costs grow with history: one stream of metrics, measured after 1, 10 and 100 million rows.

    python3 benches/compare/growth.py [--rows 1000000 10000000 100000000] [--seed 1]

Prints hot medians (through HTTP, whole answers) of six kinds of queries, the exponent of their growth over the
last step (1: as the rows, 0: flat), and the memory of the server at rest beyond mapped files.
"""

import argparse
import itertools
import json
import math
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from conshelf import UNCACHED, Conshelf
from shapes import SHAPES

ROOT = Path(__file__).resolve().parent.parent.parent

# `RECENT` is the last ten minutes of the stream.
KINDS = {
    "recent: max per minute": "cpu | where RECENT | summarize max(usage_user) by bin(Timestamp, 1m)",
    "recent: one host": "cpu | where RECENT and hostname == 'host_7' | summarize avg(usage_system) by bin(Timestamp, 1m)",
    "recent: last 100 rows": "cpu | top 100 by Timestamp",
    "all: count per hour": "cpu | summarize count() by bin(Timestamp, 1h)",
    "all: avg by region": "cpu | summarize avg(usage_user) by region",
    "all: last point of each host": "cpu | summarize arg_max(Timestamp, *) by hostname",
}
RUNS = 9


class Stream:
    """Lines of a generator's output, in bodies."""

    def __init__(self, generator: Path, rows: int, seed: int):
        self.process = subprocess.Popen([generator, "cpu", str(rows), str(seed)], stdout=subprocess.PIPE)

    def write(self, rows: int, file: Path) -> None:
        with open(file, "wb") as out:
            out.writelines(itertools.islice(self.process.stdout, rows))


def resident_bytes(server: Conshelf) -> int:
    for line in Path(f"/proc/{server.process.pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) << 10
    return 0


def hot_milliseconds(server: Conshelf, kql: str) -> float:
    server.run(kql)
    return statistics.median(server.run(kql)[0] for _ in range(RUNS)) * 1000


def end_of(server: Conshelf) -> str:
    frames = json.loads(server.run("cpu | summarize max(Timestamp)")[1])
    return next(frame["Rows"][0][0] for frame in frames if frame.get("TableKind") == "PrimaryResult")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 10_000_000, 100_000_000])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--server", type=Path, default=ROOT / "target/release/conshelf")
    parser.add_argument("--generator", type=Path, default=ROOT / "target/release/examples/generate")
    parser.add_argument("--no-build", action="store_true", help="take the binaries as they are")
    options = parser.parse_args()
    sizes = sorted(options.rows)
    if not options.no_build:
        build = ["cargo", "build", "--release", "--bin", "conshelf", "--example", "generate"]
        subprocess.run(build, cwd=ROOT, check=True)
    times: dict[str, list[float]] = {kind: [] for kind in KINDS}
    memory = []
    with tempfile.TemporaryDirectory() as directory:
        stream = Stream(options.generator, sizes[-1], options.seed)
        server = Conshelf(options.server, Path(directory) / "data")
        part, loaded = Path(directory) / "part.ndjson", 0
        for size in sizes:
            # In pieces, so that the text never fills the disk.
            while loaded < size:
                rows = min(5_000_000, size - loaded)
                stream.write(rows, part)
                server.load(SHAPES["cpu"], part)
                loaded += rows
            part.unlink()
            server.settle()
            recent = f"Timestamp > datetime({end_of(server)}) - 10m"
            for kind, kql in KINDS.items():
                times[kind].append(hot_milliseconds(server, UNCACHED + kql.replace("RECENT", recent)))
            server.restart()
            memory.append(resident_bytes(server))
            print(f"{size} rows measured", file=sys.stderr)
        server.stop()
    print("| hot ms | " + " | ".join(f"{size:,} rows" for size in sizes) + " | exponent |")
    print("|---|" + "---:|" * (len(sizes) + 1))
    for kind, row in times.items():
        exponent = math.log(row[-1] / row[-2]) / math.log(sizes[-1] / sizes[-2]) if len(row) > 1 else math.nan
        print(f"| {kind} | " + " | ".join(f"{value:.1f}" for value in row) + f" | {exponent:.2f} |")
    print("| memory at rest, MB | " + " | ".join(f"{bytes_ / 1e6:.0f}" for bytes_ in memory) + " | |")


if __name__ == "__main__":
    main()
