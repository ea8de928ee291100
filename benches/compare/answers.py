"""Digests of answers, and whether two agree (WORKLOADS: "Method of comparison").

A digest is the number of rows and per column a sum (numbers, times) or an order-insensitive hash (texts).
Columns are compared by position; their names differ from engine to engine.
"""

import hashlib
import json
from collections import Counter
from datetime import datetime

# Times are summed as seconds from here, so that the tolerance is not swallowed by the epoch.
EPOCH_SECONDS = 1714521600  # 2024-05-01
TOLERANCE = 1e-6
TOLERANCE_OF_ESTIMATES = 0.05


def text_hash(counts: dict) -> int:
    """Order-insensitive: every value counts as often as it stands there."""
    total = 0
    for value, count in counts.items():
        digest = hashlib.blake2b(canonical(value).encode(), digest_size=8).digest()
        total += int.from_bytes(digest, "little") * count
    return total % 2**64


def canonical(value) -> str:
    """Absent is the empty text; JSON objects have sorted keys."""
    if value is None:
        return ""
    if isinstance(value, str):
        if not value.startswith(("{", "[")):
            return value
        try:
            value = json.loads(value)
        except ValueError:
            return value
    if isinstance(value, (dict, list)):
        return json.dumps(plain(value), sort_keys=True, default=str)
    return str(value)


def plain(value):
    """A number is a number, however it is spelt: 70.0 is 70."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def number_sum(values) -> float:
    return float(sum(float(value) for value in values if value is not None))


def seconds(text: str) -> float:
    """Seconds from EPOCH_SECONDS of an ISO time with up to seven digits of a second."""
    head, _, fraction = text.rstrip("Z").partition(".")
    parsed = datetime.fromisoformat(head + "+00:00").timestamp() - EPOCH_SECONDS
    return parsed + (float("0." + fraction) if fraction else 0.0)


def digest_kusto(columns: list[tuple[str, str]], rows: list[list]) -> dict:
    """Of our answer: (name, Kusto type) of each column, and rows of JSON values."""
    digests = []
    for index, (_, kind) in enumerate(columns):
        values = [row[index] for row in rows]
        if kind in ("int", "long", "real", "decimal", "bool"):
            digests.append(["number", number_sum(value if not isinstance(value, str) else float(value) for value in values)])
        elif kind == "datetime":
            digests.append(["time", sum(seconds(value) for value in values if value is not None)])
        else:
            digests.append(["text", text_hash(Counter(canonical(value) for value in values))])
    return {"rows": len(rows), "columns": digests}


def digest_arrow(table) -> dict:
    """Of a pyarrow table."""
    import pyarrow as pa
    import pyarrow.compute as pc

    digests = []
    for column in table.columns:
        kind = column.type
        if isinstance(column, pa.ChunkedArray) and hasattr(kind, "storage_type"):
            column = pa.chunked_array([chunk.storage for chunk in column.chunks], type=kind.storage_type)
            kind = column.type
        if pa.types.is_boolean(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
            if pa.types.is_floating(kind):
                column = pc.if_else(pc.is_nan(column), None, column)
            # Integers may be wider together than 64 bits.
            total = pc.sum(pc.cast(column, pa.float64(), safe=False)).as_py() or 0.0
            digests.append(["number", total])
        elif pa.types.is_timestamp(kind) or pa.types.is_date(kind):
            ticks = pc.cast(pc.cast(column, pa.timestamp("ns"), safe=False), pa.int64())
            relative = pc.subtract(ticks, EPOCH_SECONDS * 1_000_000_000)
            digests.append(["time", (pc.sum(pc.cast(relative, pa.float64(), safe=False)).as_py() or 0.0) / 1e9])
        else:
            if pa.types.is_dictionary(kind):
                column = pc.cast(column, kind.value_type)
                kind = column.type
            if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
                column = pc.cast(column, pa.large_string())
            try:
                counts = {item["values"]: item["counts"] for item in pc.value_counts(column.combine_chunks()).to_pylist()}
            except (pa.ArrowNotImplementedError, TypeError):
                counts = Counter(canonical(value) for value in column.to_pylist())
            digests.append(["text", text_hash(counts)])
    return {"rows": table.num_rows, "columns": digests}


def digest_texts(rows: list[list[str]], like: dict) -> dict:
    """Of an engine that answers everything as text; the other answer says what it is."""
    digests = []
    for index, (kind, _) in enumerate(like["columns"]):
        values = [row[index] for row in rows]
        if kind == "number":
            digests.append([kind, number_sum(value or None for value in values)])
        elif kind == "time":
            digests.append([kind, sum(seconds(value) for value in values if value)])
        else:
            digests.append([kind, text_hash(Counter(values))])
    return {"rows": len(rows), "columns": digests}


def disagreement(query, ours: dict, theirs: dict) -> str | None:
    """Why two digests do not agree; None when they do."""
    if ours["rows"] != theirs["rows"]:
        return f"{ours['rows']} rows against {theirs['rows']}"
    if len(ours["columns"]) != len(theirs["columns"]):
        return f"{len(ours['columns'])} columns against {len(theirs['columns'])}"
    for index, ((kind, mine), (other_kind, other)) in enumerate(zip(ours["columns"], theirs["columns"])):
        if query.compared is not None and index not in query.compared:
            continue
        if kind == "time" and other_kind == "number":
            other -= EPOCH_SECONDS * ours["rows"]
        elif kind != other_kind:
            return f"column {index}: {kind} against {other_kind}"
        if kind == "text":
            if mine != other:
                return f"column {index}: other texts"
            continue
        tolerance = TOLERANCE_OF_ESTIMATES if index in query.estimates else TOLERANCE
        if abs(mine - other) > tolerance * max(abs(mine), abs(other), 1e-9):
            return f"column {index}: the sum is {mine!r} against {other!r}"
    return None
