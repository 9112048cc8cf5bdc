"""The filter language: ``status:running tool:codex,!gemini repo:"two words" since:7d archived:any words``.

A word with two letters or more before its first colon is a key with values; commas separate alternatives, ``!`` or
``-`` before a value or a key leaves out, terms of one key add up, and everything else is text to find. A colon is
plain text where ``//``, ``\\`` or another colon follows it, or anything but letters stands before it (``http://…``,
``12:30``), and in quotation marks.
"""

from __future__ import annotations

from agor_tui.filters.complete import Completion, complete
from agor_tui.filters.language import SESSION_LANGUAGE, TASK_LANGUAGE, Language
from agor_tui.filters.model import Archived, Choice, FilterError, SessionFilter, TaskFilter
from agor_tui.filters.parse import parse_session_filter, parse_task_filter

__all__ = [
    "SESSION_LANGUAGE",
    "TASK_LANGUAGE",
    "Archived",
    "Choice",
    "Completion",
    "FilterError",
    "Language",
    "SessionFilter",
    "TaskFilter",
    "complete",
    "parse_session_filter",
    "parse_task_filter",
]
