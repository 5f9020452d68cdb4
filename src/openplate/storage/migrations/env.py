"""What alembic runs. The connection comes from the caller, who also ends its transaction."""

from alembic import context
from sqlalchemy import Connection

from openplate.storage.tables import metadata

connection: Connection = context.config.attributes["connection"]
# SQLite can undo a change of tables too, given that BEGIN is sent by us and not by its driver.
context.configure(connection=connection, target_metadata=metadata, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
