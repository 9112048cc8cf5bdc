"""Queries in, records out: written once against a schema's selectables, on either dialect."""
