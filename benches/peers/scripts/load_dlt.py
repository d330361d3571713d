"""A dlt pipeline in its fastest form for Postgres: Arrow in, parquet through ADBC, upsert of what differs.

Usage: load_dlt.py DATABASE_URL FILE PIPELINES_DIR
"""

import sys

import dlt
import pyarrow
from dlt.destinations import postgres
from pyarrow import json

FILE_ROWS = int(dlt.config["data_writer.file_max_items"])

TIME = pyarrow.timestamp("us", "UTC")
SCHEMA = pyarrow.schema(
    {
        "order_id": pyarrow.int64(),
        "customer_id": pyarrow.int64(),
        "amount": pyarrow.decimal128(12, 2),
        "status": pyarrow.string(),
        "currency": pyarrow.string(),
        "qty": pyarrow.int32(),
        "email": pyarrow.string(),
        "note": pyarrow.string(),
        "created_at": TIME,
        "updated_at": TIME,
    }
)


@dlt.resource(
    primary_key="order_id",
    write_disposition={"disposition": "merge", "strategy": "upsert", "skip_unchanged_rows": True},
)
def orders(path):
    """The file as Arrow tables. Each becomes a file of its own, and those are copied side by side."""
    table = json.read_json(path, parse_options=json.ParseOptions(explicit_schema=SCHEMA))
    for start in range(0, table.num_rows, FILE_ROWS):
        yield table.slice(start, FILE_ROWS)


def main():
    url, path, folder = sys.argv[1:]
    pipeline = dlt.pipeline(
        "orders",
        destination=postgres(url),
        # The schema of the table that is there already, with its primary key.
        dataset_name="bench",
        pipelines_dir=folder,
    )
    print(pipeline.run(orders(path), loader_file_format="parquet"))


main()
