"""alembic -x db=sqlite|postgresql"""

import os
import sys

from alembic import context

sys.path.insert(0, os.path.dirname(__file__))
from models import Base, engine  # noqa: E402

name = context.get_x_argument(as_dictionary=True).get("db", "postgresql")
with engine(name).connect() as connection:
    context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()
