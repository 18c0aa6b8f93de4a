"""The reference for shipping: DuckDB's read_json with explicit columns, copied to Parquet.

It keeps the same parts of the event as k8sidx does, bodies as text, but decodes nothing
that is wrapped, derives no field, redacts nothing, makes no id and finds no duplicate.

    python benchmarks/reference_ship.py THREADS OUT.parquet FILE...
"""

from __future__ import annotations

import sys

import duckdb

USER = "STRUCT(username VARCHAR, uid VARCHAR, groups VARCHAR[], extra JSON)"
COLUMNS = {
    "level": "VARCHAR",
    "auditID": "VARCHAR",
    "stage": "VARCHAR",
    "requestURI": "VARCHAR",
    "verb": "VARCHAR",
    "user": USER,
    "impersonatedUser": USER,
    "sourceIPs": "VARCHAR[]",
    "userAgent": "VARCHAR",
    "objectRef": "STRUCT(resource VARCHAR, namespace VARCHAR, name VARCHAR, uid VARCHAR, "
    "apiGroup VARCHAR, apiVersion VARCHAR, resourceVersion VARCHAR, subresource VARCHAR)",
    "responseStatus": "STRUCT(code INTEGER, status VARCHAR, reason VARCHAR, message VARCHAR, "
    "details JSON)",
    "requestReceivedTimestamp": "TIMESTAMP",
    "stageTimestamp": "TIMESTAMP",
    "annotations": "MAP(VARCHAR, VARCHAR)",
    "requestObject": "JSON",
    "responseObject": "JSON",
}


def main() -> None:
    threads, out, *files = sys.argv[1:]
    connection = duckdb.connect(config={"threads": int(threads)})
    columns = ", ".join(f"\"{name}\": '{kind}'" for name, kind in COLUMNS.items())
    connection.execute(
        f"COPY (SELECT * FROM read_json({files!r}, format='newline_delimited', "
        f"columns={{{columns}}}, maximum_object_size=33554432)) "
        f"TO '{out}' (FORMAT parquet, COMPRESSION zstd)"
    )


if __name__ == "__main__":
    main()
