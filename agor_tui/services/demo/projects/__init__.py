"""The made-up projects of the demo."""

from __future__ import annotations

from agor_tui.services.demo.projects import driftlog, harbour, knotctl, lighthouse, pierside, tidewatch

PROJECTS = (
    tidewatch.PROJECT,
    pierside.PROJECT,
    knotctl.PROJECT,
    driftlog.PROJECT,
    harbour.PROJECT,
    lighthouse.PROJECT,
)
