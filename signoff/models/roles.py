"""PostgreSQL's roles: the owner of the tables, and the role that a server runs under, which is not it.

An owner can take the audit log's trigger off, and rewrite the log. A role with these grants cannot: it only
reads and adds lines. `signoff db upgrade --for ROLE` gives them, connected as the owner.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, exc, text

from signoff.errors import ConfigError

READ, ADD = "SELECT", "SELECT, INSERT"
CHANGE, ALL = "SELECT, INSERT, UPDATE", "SELECT, INSERT, UPDATE, DELETE"
GRANTS: Mapping[str, str] = {
    "alembic_version": READ,
    "audit_event": ADD,
    "payload": ADD,
    "decision": ADD,
    "approval": CHANGE,
    "card": CHANGE,
    "card_double": ALL,
    "card_file": ALL,
    "agent": CHANGE,
    "amount": ALL,
    "thread": CHANGE,
    "pause": CHANGE,
    "flood_warning": CHANGE,
    "epoch": "SELECT, UPDATE",
    "policy": ALL,
    "home": ALL,
    "draft": ALL,
    "agent_token": CHANGE,
    "webhook_endpoint": ALL,
    "webhook_delivery": ALL,
    "signoff_spent": "SELECT, INSERT, DELETE",
    "batch": CHANGE,
    "batch_review": ALL,
    "talk": CHANGE,
    "note": ADD,
    "card_reply": ALL,
    "undo": ALL,
    "call": ALL,
    "pinged": CHANGE,
    "absence": CHANGE,
    "feedback": CHANGE,
    "stop": CHANGE,
    "stop_seen": ALL,
    "stop_told": ALL,
    "factor": CHANGE,
    "factor_invitation": CHANGE,
    "factor_guard": CHANGE,
    "factor_news": CHANGE,
}
"""What a server does with each table. A restore begins epochs, and is the owner's to do."""
_NAME = re.compile(r"[a-z_][a-z0-9_-]{0,62}")
_STATE = text("""
    SELECT current_user AS role, pg_get_userbyid(relowner) AS owner,
           pg_has_role(current_user, relowner, 'MEMBER') AS owns,
           has_any_column_privilege(oid, 'UPDATE') OR has_table_privilege(oid, 'DELETE')
           OR has_table_privilege(oid, 'TRUNCATE') OR has_table_privilege(oid, 'TRIGGER') AS may_change
    FROM pg_class WHERE oid = to_regclass('audit_event')
""")
_ROLE = text("""
    SELECT rolsuper, pg_has_role(oid, (SELECT relowner FROM pg_class WHERE oid = to_regclass('audit_event')),
           'MEMBER') AS owns FROM pg_roles WHERE rolname = :role
""")
_GRANTED = text("""
    SELECT DISTINCT pg_get_userbyid(one.grantee) FROM pg_class, aclexplode(relacl) AS one
    WHERE pg_class.oid = to_regclass('audit_event') AND one.privilege_type = 'INSERT'
      AND one.grantee NOT IN (0, relowner)
""")


@dataclass(frozen=True)
class State:
    """Who a connection is: its `role`, the log's `owner`, and whether it `owns` the log (as a member, too).

    `may_change`: it does not own the log, and has been given more than reading and adding.
    """

    role: str
    owner: str
    owns: bool
    may_change: bool


def state(connection: Connection) -> State | None:
    """Who runs here; None where there are no roles (SQLite), or no log yet."""
    if connection.dialect.name != "postgresql":
        return None
    found = connection.execute(_STATE).first()
    return State(found.role, found.owner, found.owns, found.may_change) if found else None


def granted(connection: Connection) -> list[str]:
    """The roles that servers run under: they may add lines, and do not own the log."""
    if connection.dialect.name != "postgresql":
        return []
    return sorted(connection.execute(_GRANTED).scalars())


def make(connection: Connection, role: str) -> str | None:
    """Make a role that may log in, unless there is one; gives its new password, None where there was one.

    Raises ConfigError for a name that is none, and where this user may not make roles.
    """
    if connection.dialect.name != "postgresql":
        raise ConfigError("SQLite has no roles: whoever may write its file owns the log.")
    if not _NAME.fullmatch(role):
        raise ConfigError(f"{role!r} is no name for a role: a-z, 0-9, _ and -, at most 63.")
    if connection.execute(_ROLE, {"role": role}).first():
        return None
    password = secrets.token_urlsafe(24)
    driver: Any = connection.connection.driver_connection
    # What is sent is what PostgreSQL keeps: its log never has the password.
    kept = driver.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    try:
        connection.exec_driver_sql(f"CREATE ROLE \"{role}\" LOGIN PASSWORD '{kept}'")
    except exc.ProgrammingError:
        raise ConfigError(
            f"There is no role {role}, and this user may not make one. As an administrator: "
            f"CREATE ROLE \"{role}\" LOGIN PASSWORD '…';"
        ) from None
    return password


def grant(connection: Connection, role: str) -> None:
    """Give a role what a server needs, and take everything else; as the owner of the tables.

    Raises ConfigError where the role would own the log all the same.
    """
    found = connection.execute(_ROLE, {"role": role}).first()
    if found is None:
        raise ConfigError(f"There is no role {role}.")
    if found.rolsuper or found.owns:
        how = "is a superuser" if found.rolsuper else "owns the tables, or belongs to the role that does"
        raise ConfigError(f"The role {role} {how}: take another one for the server.")
    schema = connection.execute(text("SELECT current_schema()")).scalar_one()
    for statement in (
        f'REVOKE ALL ON ALL TABLES IN SCHEMA "{schema}" FROM "{role}", PUBLIC',
        f'REVOKE ALL ON SCHEMA "{schema}" FROM "{role}"',
        f'GRANT USAGE ON SCHEMA "{schema}" TO "{role}"',
        f'GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA "{schema}" TO "{role}"',
        *(f'GRANT {rights} ON "{table}" TO "{role}"' for table, rights in GRANTS.items()),
        "REVOKE ALL ON FUNCTION audit_event_refuse() FROM PUBLIC",
    ):
        connection.execute(text(statement))
    try:
        with connection.begin_nested():  # before PostgreSQL 15 everybody could make tables there
            connection.execute(text(f'REVOKE CREATE ON SCHEMA "{schema}" FROM PUBLIC'))
    except exc.ProgrammingError:
        pass  # the schema is another's, who has to see to it


def renew(connection: Connection, servers: list[str]) -> None:
    """Give servers' roles what they need of tables that are new."""
    for role in servers:
        grant(connection, role)
