"""Triggers that have the database itself refuse to change or remove an entry."""

from django.db.backends.base.base import BaseDatabaseWrapper

TABLE = "audit_entry"
REASON = "the audit log only grows"
INSTALL = {
    "sqlite": [
        f"CREATE TRIGGER IF NOT EXISTS {TABLE}_no_{verb} BEFORE {verb} ON {TABLE} "
        f"BEGIN SELECT RAISE(ABORT, '{REASON}'); END"
        for verb in ("UPDATE", "DELETE")
    ],
    "postgresql": [
        f"CREATE OR REPLACE FUNCTION {TABLE}_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{REASON}'; END $$",
        f"CREATE OR REPLACE TRIGGER {TABLE}_guard BEFORE UPDATE OR DELETE ON {TABLE} "
        f"FOR EACH ROW EXECUTE FUNCTION {TABLE}_refuse()",
        f"CREATE OR REPLACE TRIGGER {TABLE}_guard_all BEFORE TRUNCATE ON {TABLE} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {TABLE}_refuse()",
    ],
}
REMOVE = {
    "sqlite": [f"DROP TRIGGER IF EXISTS {TABLE}_no_{verb}" for verb in ("UPDATE", "DELETE")],
    "postgresql": [f"DROP TRIGGER IF EXISTS {name} ON {TABLE}" for name in (f"{TABLE}_guard", f"{TABLE}_guard_all")],
}


def install_guards(connection: BaseDatabaseWrapper) -> None:
    """Install the triggers."""
    run_statements(connection, INSTALL)


def remove_guards(connection: BaseDatabaseWrapper) -> None:
    """Remove the triggers: a restored database is filled without them, and tests empty their tables."""
    run_statements(connection, REMOVE)


def run_statements(connection: BaseDatabaseWrapper, statements: dict[str, list[str]]) -> None:
    """Run the statements for this kind of database."""
    with connection.cursor() as cursor:
        for statement in statements.get(connection.vendor, []):
            cursor.execute(statement)
