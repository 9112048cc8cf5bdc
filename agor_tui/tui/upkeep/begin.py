"""How looking after a database begins: the menu, which other database, and the screen."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from agor_tui.services import migrations
from agor_tui.tui.upkeep.dumping import Export, Import
from agor_tui.tui.upkeep.flow import UpkeepFlow
from agor_tui.tui.upkeep.keeping import BackUp, Check, Restore
from agor_tui.tui.upkeep.task import Subject, Upkeep
from agor_tui.tui.upkeep.transferring import Compare, Copy

if TYPE_CHECKING:
    from agor_tui.tui.app import AgorApp

ALL: tuple[type[Upkeep], ...] = (Copy, Compare, BackUp, Restore, Export, Import, Check)
"""The ways of looking after a database, as the menu lists them."""


def choose(app: AgorApp, subject: Subject) -> None:
    """Let one of the ways be chosen, then begin; what still runs is shown instead."""
    from agor_tui.tui.screens.choose import Choice, ChooseModal

    if _shows_what_runs(app):
        return

    def chosen(id: str | None) -> None:
        for each in ALL:
            if each.id == id:
                begin(app, each, subject)

    choices = [Choice(each.id, each.word, each.told) for each in ALL]
    app.push_screen(ChooseModal(f"Look after {subject.name}", choices), chosen)


def begin(app: AgorApp, way: type[Upkeep], subject: Subject) -> None:
    """Begin with one of them; the other database is chosen first where there is one."""
    if _shows_what_runs(app):
        return
    if not way.needs_other:
        _show(app, UpkeepFlow(app, way(subject)))
        return
    from agor_tui.tui.screens.switcher import SwitcherModal

    def chosen(target: str | None) -> None:
        if target is not None:
            _show(app, UpkeepFlow(app, way(subject), {"to": target}))

    modal = SwitcherModal(app.configuration, app.info, prompt=way.needs_other, than=subject.place)
    app.push_screen(modal, chosen)


def begin_with_open(app: AgorApp, way: type[Upkeep]) -> None:
    """Begin with the database that is open."""
    subject = open_subject(app)
    if subject is not None:
        begin(app, way, subject)


def open_subject(app: AgorApp) -> Subject | None:
    """The database that is open; None where none is."""
    browser, info = app.browser, app.info
    if browser is None or info is None:
        return None
    place = browser.store.database.place
    return Subject(
        info.label, place, partial(migrations.place_of, browser), app.configuration, app.moments.now(), is_open=True
    )


def _shows_what_runs(app: AgorApp) -> bool:
    if app.upkeep is None or not app.upkeep.busy:
        return False
    if app.upkeep.shown is None:
        _show(app, app.upkeep)
    app.notify("One after the other: this still runs.", severity="warning", markup=False)
    return True


def _show(app: AgorApp, flow: UpkeepFlow) -> None:
    from agor_tui.tui.screens.upkeep import UpkeepScreen

    app.upkeep = flow
    app.push_screen(UpkeepScreen(flow))
