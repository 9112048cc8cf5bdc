"""One screen a file, a sheet beside each big one."""
