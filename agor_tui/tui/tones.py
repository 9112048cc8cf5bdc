"""The tones of the theme as Rich styles, for widgets that draw their own lines."""

from __future__ import annotations

from collections.abc import Mapping

from rich.style import Style
from textual.app import App
from textual.color import Color

from agor_tui.statuses import Tone

_VARIABLE: dict[Tone, str] = {"text": "foreground", "strong": "foreground"}
_BOLD = ("strong", "warning")


class Tones:
    """The styles of one theme. ``background`` is the name of a theme variable."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self._styles: dict[tuple[Tone, str], Style] = {}

    def style(self, tone: Tone, background: str = "background") -> Style:
        """The style of a tone on a background."""
        style = self._styles.get((tone, background))
        if style is None:
            style = self._styles[tone, background] = Style(
                color=Color.parse(self._variables[_VARIABLE.get(tone, tone)]).rich_color,
                bgcolor=Color.parse(self._variables[background]).rich_color,
                bold=tone in _BOLD or None,
            )
        return style


_by_theme: dict[str, Tones] = {}


def tones_of(app: App[object]) -> Tones:
    """The tones of the app's current theme; the same object as long as the theme is the same."""
    tones = _by_theme.get(app.theme)
    if tones is None:
        tones = _by_theme[app.theme] = Tones(app.theme_variables)
    return tones
