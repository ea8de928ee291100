"""Times the queries of a workload in DuckDB: a native table on disk, two threads.

    python3 benches/peers.py TABLE ROWS.ndjson QUERIES.json     prints a JSON list of hot medians in ms

Needs `pip install duckdb`; used by `cargo bench --bench workloads -- --peers`.
"""

import json
import statistics
import sys
import tempfile
import time


def main() -> None:
    table, rows, queries = sys.argv[1:4]
    import duckdb

    with tempfile.TemporaryDirectory() as directory:
        connection = duckdb.connect(f"{directory}/peer.duckdb", config={"threads": 2})
        columns = connection.execute(
            f"select column_name, column_type from (describe select * from read_json_auto('{rows}', sample_size=2000))"
        ).fetchall()
        # Properties stay JSON: their keys differ from row to row.
        types = {name: "JSON" if kind.startswith("STRUCT") else kind for name, kind in columns}
        spec = ", ".join(f"'{name}': '{kind}'" for name, kind in types.items())
        connection.execute(
            f"create table {table} as select * from read_json('{rows}', format='newline_delimited', columns={{{spec}}})"
        )
        connection.execute("checkpoint")
        medians = []
        for query in json.load(open(queries)):
            times = []
            for _ in range(8):
                started = time.perf_counter()
                connection.execute(query).fetchall()
                times.append((time.perf_counter() - started) * 1000)
            medians.append(statistics.median(times[1:]))
        print(json.dumps(medians))


if __name__ == "__main__":
    main()
