"""How fast agor-tui is, against floors measured in the same run: ``python -m tests.benchmarks``."""
