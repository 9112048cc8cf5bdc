"""The command line: one module a noun. Nothing heavy is imported before the command that needs it runs."""
