"""faucet."""

import json

from harness.peer import TABLE, Peer
from harness.process import Command, checked

DAY = r"(0[13578]|1[02])-(0[1-9]|[12]\d|3[01])|(0[469]|11)-(0[1-9]|[12]\d|30)|02-(0[1-9]|[12]\d)"
TIMESTAMP = rf"^\d{{4}}-({DAY})T([01]\d|2[0-3]):[0-5]\d:[0-5]\dZ$"

# What is not in here is found out by the database, and then stops the run.
CONTRACT = [
    {"name": "order_id", "type": "integer"},
    {"name": "customer_id", "type": "integer"},
    {"name": "amount", "type": "number", "min": 0},
    {"name": "status", "type": "string"},
    {"name": "currency", "type": "string"},
    {"name": "qty", "type": "integer"},
    {"name": "email", "type": "string"},
    {"name": "created_at", "type": "string", "pattern": TIMESTAMP},
    {"name": "updated_at", "type": "string", "pattern": TIMESTAMP},
]
# Larger ones are a little faster, and take the memory of the whole file in the end.
PAGE_ROWS = 20_000


class Faucet(Peer):
    """`faucet run` with an upsert by key, a contract and a dead-letter queue."""

    name = "faucet"
    complaint = " ERROR "

    def install(self, workshop):
        self._binary = workshop.crate("faucet")

    def version(self):
        return checked(Command([self._binary, "--version"])).strip()

    def command(self, series, path):
        schema, table = TABLE.split(".")
        database = series.database
        pipeline = {
            "source": {
                "type": "file",
                "config": {"path": str(path), "format": "json_lines", "batch_size": PAGE_ROWS},
            },
            "contract": {"version": "1", "on_breach": "quarantine", "fields": CONTRACT},
            "sink": {
                "type": "postgres",
                "config": {
                    "connection_url": f"postgres:///{database.name}?host={database.server.socket}&user=postgres",
                    "schema": schema,
                    "table_name": table,
                    "column_mapping": "auto_map",
                    "write_mode": "upsert",
                    "key": ["order_id"],
                    "batch_size": PAGE_ROWS,
                    "create_table": False,
                },
            },
            "dlq": {"sink": {"type": "jsonl", "config": {"path": str(_dead_letters(series))}}},
        }
        config = series.folder / "orders.json"
        config.write_text(json.dumps({"version": 1, "name": "orders", "pipeline": pipeline}))
        return Command([self._binary, "run", config], {"NO_COLOR": "1"})

    def set_aside(self, series):
        letters = _dead_letters(series)
        return len(letters.read_text().splitlines()) if letters.exists() else 0


def _dead_letters(series):
    return series.folder / "dead-letters.jsonl"
