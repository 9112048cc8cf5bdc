"""``db secrets``: where secrets stand in a database, so that they can be changed where they are valid."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict

import click

from agor_tui.cli import streams
from agor_tui.cli.commands import Settings, command, pass_settings
from agor_tui.cli.jobs import run_job
from agor_tui.cli.listing import json_option
from agor_tui.cli.places import named, place_of
from agor_tui.services.transfer import left_aside_lines
from agor_tui.text import count, printable
from agor_tui.transfers import SecretPlace

_MOST = 200


@command(
    "secrets",
    help="List where a database has secrets, and of which kind they are; never what they are.\n\nThese are what "
    "screens and exports hide: passwords, keys and tokens under names that say so, in commands and URLs, and in the "
    "words of conversations. Whoever could read the database has them, so change them where they are valid.",
)
@click.option("--limit", type=click.IntRange(0), default=_MOST, show_default=True, help="How many; 0 for all.")
@json_option
@pass_settings
def db_secrets(settings: Settings, limit: int, as_json: bool) -> None:
    from agor_tui.services import export
    from agor_tui.services.care.secrets import find_secrets

    place = place_of(settings)
    found: list[SecretPlace] = []
    kinds: Counter[str] = Counter()
    rows: set[tuple[str, str]] = set()

    def note(secret: SecretPlace) -> None:
        kinds[secret.kind] += 1
        rows.add((secret.table, secret.id))
        if not limit or len(found) < limit:
            found.append(secret)

    read, left = run_job(lambda tell, stop: find_secrets(place, note, tenant=settings.tenant, tell=tell, stop=stop))
    if as_json:
        streams.write(export.array(found, asdict))
    else:
        streams.write_lines(
            f"{each.table}  {printable(each.id)}  {printable(each.place)}  {each.kind}" for each in found
        )
    _sum_up(named(place), kinds, len(rows), read, len(found))
    if left:
        streams.note("Not looked through, since no export has it:")
        for line in left_aside_lines(left):
            streams.note(f"  {printable(line)}")


def _sum_up(place: str, kinds: Counter[str], rows: int, read: int, listed: int) -> None:
    total = kinds.total()
    if not total:
        streams.note(f"{place} has no secrets that are known as such in the {count(read)} rows that were read.")
        return
    by_kind = ", ".join(f"{kind} {count(number)}" for kind, number in kinds.most_common())
    more = (
        f" {'The first' if listed == 1 else f'The first {count(listed)}'} {'is' if listed == 1 else 'are'} listed."
        if total > listed
        else ""
    )
    streams.note(f"{count(total)} secrets in {count(rows)} of {count(read)} rows: {by_kind}.{more}")
