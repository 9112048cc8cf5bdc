"""Database to database: rows out of any schema kind, into a native database, and compared row by row."""
