"""Opening databases: connections, the differences between the dialects, the native tables and their migrations."""
