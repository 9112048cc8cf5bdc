"""Our two themes: a quiet frame in two greys, one accent for the cursor and what acts."""

from __future__ import annotations

from textual.theme import Theme

DARK = Theme(
    name="agor-dark",
    dark=True,
    primary="#7fb0ff",
    secondary="#7fb0ff",
    accent="#7fb0ff",
    foreground="#d9dce3",
    background="#14161a",
    surface="#1a1d22",
    panel="#20242b",
    success="#84c99a",
    warning="#e3b768",
    error="#f0837f",
    text_alpha=1.0,
    variables={
        "muted": "#989fac",
        "faint": "#646b78",
        "rule": "#2c313a",
        "cursor": "#24344f",
        "cursor-blurred": "#23272f",
        "hover": "#1d2127",
        "input-cursor-background": "#d9dce3",
        "input-cursor-foreground": "#14161a",
        "input-selection-background": "#2f4a78",
        "scrollbar": "#2c313a",
        "scrollbar-hover": "#3a414d",
        "scrollbar-active": "#7fb0ff",
        "scrollbar-background": "#14161a",
        "scrollbar-background-hover": "#14161a",
        "scrollbar-background-active": "#14161a",
        "scrollbar-corner-color": "#14161a",
    },
)

LIGHT = Theme(
    name="agor-light",
    dark=False,
    primary="#2457c5",
    secondary="#2457c5",
    accent="#2457c5",
    foreground="#20242c",
    background="#fbfbf9",
    surface="#f3f3f0",
    panel="#ecece8",
    success="#1c7a3f",
    warning="#8d5c00",
    error="#b3261e",
    text_alpha=1.0,
    variables={
        "muted": "#5c6370",
        "faint": "#8c929d",
        "rule": "#d8d9d6",
        "cursor": "#dbe6fb",
        "cursor-blurred": "#e9eae7",
        "hover": "#f0f1ee",
        "input-cursor-background": "#20242c",
        "input-cursor-foreground": "#fbfbf9",
        "input-selection-background": "#bcd0f7",
        "scrollbar": "#d3d5d2",
        "scrollbar-hover": "#bfc2bf",
        "scrollbar-active": "#2457c5",
        "scrollbar-background": "#fbfbf9",
        "scrollbar-background-hover": "#fbfbf9",
        "scrollbar-background-active": "#fbfbf9",
        "scrollbar-corner-color": "#fbfbf9",
    },
)


def theme_of(word: str) -> str:
    """The name of the theme that the settings call ``dark`` or ``light``."""
    return LIGHT.name if word == "light" else DARK.name
