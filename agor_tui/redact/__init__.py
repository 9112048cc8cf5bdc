"""Takes secrets out of what is shown, copied, logged or exported: the one place that decides what is hidden.

``keys`` is the list of names that say a secret follows, ``words`` finds secrets in running text by their shapes,
``values`` hides both in JSON, ``text`` in addresses, commands and errors.
"""

from agor_tui.redact.keys import HIDDEN, names_secret
from agor_tui.redact.named import kind_of_name
from agor_tui.redact.shapes import Secret
from agor_tui.redact.text import redact_broken, redact_command, redact_text
from agor_tui.redact.values import decoded_once, may_hold_secrets, redact, redacted
from agor_tui.redact.words import hidden_words, hide_words, secrets_in

__all__ = [
    "HIDDEN",
    "Secret",
    "decoded_once",
    "hidden_words",
    "hide_words",
    "kind_of_name",
    "may_hold_secrets",
    "names_secret",
    "redact",
    "redact_broken",
    "redact_command",
    "redact_text",
    "redacted",
    "secrets_in",
]
