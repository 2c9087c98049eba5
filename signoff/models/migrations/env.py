"""Alembic runs this file: it migrates on the connection, and in the transaction, that `migrate` gives it."""

from __future__ import annotations

from alembic import context
from sqlmodel import SQLModel

import signoff.models.tables  # noqa: F401  (fills the metadata)

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    compare_type=True,
)
context.run_migrations()
