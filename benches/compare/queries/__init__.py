"""The queries of each workload: one file a workload, one entry a kind of query."""

from . import cpu, hits, logs

QUERIES = {"cpu": cpu.QUERIES, "logs": logs.QUERIES, "hits": hits.QUERIES}
PARAMETERS = {"cpu": cpu.parameters, "logs": logs.parameters, "hits": hits.parameters}
