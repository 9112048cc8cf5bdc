"""Random keys, on every kind of database: what the app must live through."""
