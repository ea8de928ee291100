"""From the results of one run (JSON) to tables in Markdown, and into the README."""

import math
from pathlib import Path

START, END = "<!-- figures: written by benches/compare/run.py --readme -->", "<!-- end of figures -->"
LABELS = {
    "conshelf": "Conshelf", "duckdb": "DuckDB", "chdb": "ClickHouse (chDB)", "datafusion": "DataFusion",
    "polars": "Polars", "victorialogs": "VictoriaLogs",
}


def best_peer(query: dict) -> tuple[str, float] | None:
    """The fastest peer whose answer agrees."""
    times = {name: peer["hot_ms"] for name, peer in query["peers"].items() if peer.get("agrees")}
    return min(times.items(), key=lambda item: item[1]) if times else None


def ratio(query: dict) -> float | None:
    """Ours / best peer; None when the query does not count: no peer agrees, or one disagrees for no known reason."""
    best = best_peer(query)
    disagreements = [peer for peer in query["peers"].values() if peer.get("agrees") is False]
    if best is None or query.get("error") or not all(peer.get("defines_otherwise") for peer in disagreements):
        return None
    return query["hot_ms"] / best[1]


def geometric_mean(values: list[float]) -> float | None:
    return math.exp(sum(map(math.log, values)) / len(values)) if values else None


def shown(value: float | None, digits: int = 2) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def milliseconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}" if value < 100 else f"{value:.0f}"


def table(header: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(header) + " |", "|---|" + "---:|" * (len(header) - 1)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def machine_text(results: dict) -> str:
    machine = results["machine"]
    versions = ", ".join(f"{LABELS.get(name, name)} {version}" for name, version in results["versions"].items())
    return (
        f"{results['date']}, {machine['cpu']}, {machine['cores']} cores, {machine['memory_gb']:.0f} GB; "
        f"{results['rows']:,} rows a workload, seed {results['seed']}, median of {results['hot_runs']} hot runs; {versions}."
    )


def summary(results: dict) -> str:
    """One line a workload."""
    rows = []
    for name, workload in results["workloads"].items():
        ratios = {query["name"]: value for query in workload["queries"] if (value := ratio(query)) is not None}
        first = [query["first_ms"] / query["hot_ms"] for query in workload["queries"] if "hot_ms" in query]
        again = [query["again_ms"] / query["hot_ms"] for query in workload["queries"] if "again_ms" in query]
        uncached = [
            query["uncached_ms"] / best[1]
            for query in workload["queries"]
            if "uncached_ms" in query and ratio(query) is not None and (best := best_peer(query))
        ]
        worst = max(ratios, key=ratios.get) if ratios else None
        rows.append([
            name,
            f"{len(ratios)} of {len(workload['queries'])}",
            shown(geometric_mean(list(ratios.values()))),
            shown(geometric_mean(uncached)),
            f"{worst}: {ratios[worst]:.2f}" if worst else "–",
            str(sum(value > 1 for value in ratios.values())),
            shown(geometric_mean(first)),
            shown(geometric_mean(again)),
        ])
    header = [
        "workload", "queries that count", "ours / best peer", "the same, uncached", "worst query", "slower than the best",
        "first / hot", "after restart / hot",
    ]
    return table(header, rows)


def loading(results: dict) -> str:
    rows = []
    for name, workload in results["workloads"].items():
        for engine, load in workload["loading"].items():
            if "error" in load:
                continue
            per_row = load["bytes"] / workload["rows"]
            rows.append([
                f"{name}: {LABELS[engine]}", f"{workload['rows'] / load['seconds']:,.0f}",
                f"{workload['input_bytes'] / load['seconds'] / 1e6:.0f}", f"{per_row:.1f}",
            ])
    return table(["loading", "rows/s", "MB/s of NDJSON", "bytes on disk a row"], rows)


def queries(workload: dict, engines: list[str]) -> str:
    rows = []
    for query in workload["queries"]:
        if query.get("error"):
            rows.append([query["name"], f"FAILED: {query['error'][:80]}"] + ["–"] * (len(engines) + 4))
            continue
        cells = []
        for engine in engines:
            peer = query["peers"].get(engine, {})
            text = milliseconds(peer.get("hot_ms"))
            cells.append(f"{text} MISMATCH" if peer.get("agrees") is False else text)
        rows.append([
            query["name"], milliseconds(query["first_ms"]), milliseconds(query.get("uncached_ms")),
            milliseconds(query["hot_ms"]), milliseconds(query.get("again_ms")), *cells, shown(ratio(query)),
        ])
    header = ["query", "first ms", "uncached ms", "hot ms", "after restart ms", *(LABELS[engine] for engine in engines), "ratio"]
    return table(header, rows)


def complaints(workload: dict) -> list[str]:
    """What a reader must not overlook."""
    found, failures = [], {}
    for query in workload["queries"]:
        if query.get("error"):
            found.append(f"FAILED: {query['name']}: {query['error']}")
        for engine, peer in query["peers"].items():
            if peer.get("agrees") is False:
                note = " (its definition is another; left out)" if peer.get("defines_otherwise") else ""
                found.append(f"MISMATCH: {query['name']}: {LABELS[engine]}: {peer['why']}{note}")
            elif "error" in peer:
                failures.setdefault((engine, peer["error"]), []).append(query["name"])
    for (engine, error), names in failures.items():
        found.append(f"{LABELS[engine]} failed: {', '.join(names)}: {error}")
    for engine, load in workload["loading"].items():
        if "error" in load:
            found.append(f"not compared: {LABELS[engine]}: {load['error']}")
    return found


def slow(workload: dict) -> str:
    """Plans of the queries in which a peer is ahead."""
    parts = []
    for query in workload["queries"]:
        value = ratio(query)
        if value is not None and value > 1:
            engine, time = best_peer(query)
            parts.append(
                f"#### {query['name']}: {value:.2f} of {LABELS[engine]} ({time:.1f} ms)\n\n```\n{query['kql']}\n\n"
                f"{query.get('plan', '').rstrip()}\n```"
            )
    return "\n\n".join(parts)


def markdown(results: dict, plans: bool = False) -> str:
    engines = [engine for engine in results["versions"] if engine != "conshelf"]
    parts = [machine_text(results), summary(results), loading(results)]
    for name, workload in results["workloads"].items():
        parts += [f"### {name}", queries(workload, engines)]
        if found := complaints(workload):
            parts.append("\n".join(f"- **{line}**" for line in found))
        if plans and (text := slow(workload)):
            parts += [f"### {name}: queries slower than the best peer", text]
    return "\n\n".join(parts) + "\n"


def write_readme(readme: Path, results: dict, source: str) -> None:
    text = readme.read_text()
    head, start, rest = text.partition(START)
    _, end, tail = rest.partition(END)
    if not start or not end:
        raise SystemExit(f"{readme} has no lines '{START}' and '{END}'")
    command = (
        f"python3 benches/compare/run.py --rows {results['rows']} --seed {results['seed']}"
        f" --hot {results['hot_runs']} --engines {' '.join(results['versions'])}"
    )
    body = f"\nOne run of `{command}` at commit {results['commit']} (`{source}`):\n{markdown(results)}"
    readme.write_text(head + start + "\n" + body + "\n" + end + tail)
