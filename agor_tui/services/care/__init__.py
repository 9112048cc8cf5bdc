"""Looking after a database: backup, restore, check and repair."""
