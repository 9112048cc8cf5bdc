"""Find, read and compare the sessions of AI coding agents, wherever they are stored."""

__version__ = "0.1.0"
