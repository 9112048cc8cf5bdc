"""Looking after databases in the app: copying, comparing, exporting, importing, backing up, restoring, checking."""
