"""One query in all languages, and the small dialect in which its SQL is written once.

SQL texts use macros that become each engine's own functions (arguments hold no commas or brackets themselves):

    BIN(5 minute, column)      the start of the bin                AT(2024-05-01T00:00:00)   a time
    HAS(column, term)          a whole term, any case              CONTAINS(column, text)    a substring, any case
    DCOUNT(column)             an estimate of distinct values      LENGTH(column)            characters
    JSONTEXT(column, a.b)      a text inside of JSON               JSONNUMBER(column, a.b)   a number inside of JSON

`{name}` stands for a parameter, drawn from the data by the seed.
"""

import re
from dataclasses import dataclass
from typing import Callable


@dataclass(frozen=True)
class Query:
    name: str
    kql: str
    # One text for all SQL engines, in the macros above.
    sql: str | None = None
    # Texts of single engines, where theirs is another: {"duckdb": ..., "chdb": ..., "datafusion": ...}.
    own: dict[str, str] | None = None
    # (lazy frame, parameters) -> lazy frame.
    polars: Callable | None = None
    # LogsQL and the fields of its answer, in order.
    victorialogs: tuple[str, list[str]] | None = None
    # Positions of columns that are estimates: compared within 5 %.
    estimates: tuple[int, ...] = ()
    # Engines whose estimates are others (interpolated percentiles, coarser dcount): left out where they disagree.
    defines_otherwise: tuple[str, ...] = ()
    # Positions of columns to compare when ties make the others a matter of choice; all when None.
    compared: tuple[int, ...] | None = None

    def text(self, engine: str, parameters: dict[str, str]) -> str | None:
        if engine == "conshelf":
            return fill(self.kql, parameters)
        if engine == "victorialogs":
            return fill(self.victorialogs[0], parameters) if self.victorialogs else None
        own = (self.own or {}).get(engine)
        text = own if own is not None else self.sql
        return None if text is None else expand(fill(text, parameters), engine)


def fill(text: str, parameters: dict[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: parameters[found[1]], text)


def expand(sql: str, engine: str) -> str:
    for macro, forms in MACROS.items():
        sql = re.sub(rf"\b{macro}\(([^()]*)\)", lambda found: forms[engine](*split(found[1])), sql)
    return sql


def split(arguments: str) -> list[str]:
    return [argument.strip() for argument in arguments.split(",")]


def quoted_path(path: str) -> str:
    """A regular expression up to the value at a path of JSON text, for engines without JSON functions."""
    return ".*?".join(f'"{key}":' for key in path.split("."))


def timestamp(text: str) -> str:
    return f"timestamp '{text.replace('T', ' ')}'"


def bins(function: str) -> Callable:
    """Bins of one unit by `date_trunc`, others by the given function of intervals."""

    def start(step: str, x: str) -> str:
        return f"date_trunc('{step[2:]}', {x})" if step.startswith("1 ") else f"{function}(interval '{step}', {x})"

    return start


MACROS = {
    "BIN": {
        "duckdb": bins("time_bucket"),
        "chdb": lambda step, x: f"toStartOfInterval({x}, interval {step})",
        "datafusion": bins("date_bin"),
    },
    "AT": {
        "duckdb": timestamp,
        "chdb": lambda x: f"toDateTime64('{x.replace('T', ' ')}', 7, 'UTC')",
        "datafusion": timestamp,
    },
    "HAS": {
        "duckdb": lambda x, term: rf"regexp_matches({x}, '(?i)\b{term}\b')",
        "chdb": lambda x, term: f"hasToken(lower({x}), '{term.lower()}')",
        "datafusion": lambda x, term: rf"regexp_like({x}, '(?i)\b{term}\b')",
    },
    "CONTAINS": {
        "duckdb": lambda x, text: f"contains(lower({x}), '{text.lower()}')",
        "chdb": lambda x, text: f"positionCaseInsensitive({x}, '{text}') > 0",
        "datafusion": lambda x, text: f"{x} ilike '%{text}%'",
    },
    "DCOUNT": {
        "duckdb": lambda x: f"approx_count_distinct({x})",
        "chdb": lambda x: f"uniq({x})",
        "datafusion": lambda x: f"approx_distinct({x})",
    },
    "LENGTH": {
        "duckdb": lambda x: f"length({x})",
        "chdb": lambda x: f"lengthUTF8({x})",
        "datafusion": lambda x: f"character_length({x})",
    },
    "JSONTEXT": {
        "duckdb": lambda x, path: f"({x}->>'$.{path}')",
        "chdb": lambda x, path: f"{x}.{path}::Nullable(String)",
        "datafusion": lambda x, path: f"regexp_match({x}, '{quoted_path(path)}\"([^\"]*)\"')[1]",
    },
    "JSONNUMBER": {
        "duckdb": lambda x, path: f"({x}->>'$.{path}')::double",
        "chdb": lambda x, path: f"{x}.{path}::Nullable(Float64)",
        "datafusion": lambda x, path: f"cast(regexp_match({x}, '{quoted_path(path)}([-0-9.]+)')[1] as double)",
    },
}
