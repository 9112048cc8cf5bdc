"""``config``: where the settings stand, what they are and where each comes from, and changing them."""

from __future__ import annotations

import sys

import click

from agor_tui.cli import streams
from agor_tui.cli.commands import Group, Settings, pass_settings
from agor_tui.cli.listing import json_option
from agor_tui.errors import ConfigError, ConfigMissingError
from agor_tui.hints import own_command
from agor_tui.text import printable


@click.group("config", cls=Group, help="Show and change the settings.")
def config() -> None:
    pass


@config.command("path", help="Print the path of the config file, which need not exist.")
@pass_settings
def config_path(settings: Settings) -> None:
    streams.write_lines([printable(str(settings.configuration().file))])


@config.command("show", help="Show every setting that counts and where it comes from: of KEY and below, or all.")
@click.argument("key", required=False)
@json_option
@pass_settings
def config_show(settings: Settings, key: str | None, as_json: bool) -> None:
    from agor_tui.cli.tables import Column, Table
    from agor_tui.services import export
    from agor_tui.services.configuration import ConfigValue

    configuration = settings.configuration()
    values = [
        value for value in configuration.show() if key is None or value.key == key or value.key.startswith(f"{key}.")
    ]
    if not values and key is not None:
        configuration.get(key)  # says whether the key is unknown or only without a value
        raise ConfigMissingError(f"Nothing below {printable(key)} has a value.", f"See: {own_command('config show')}")
    if as_json:
        streams.write(export.array(values, export.config_value_json))
        return
    columns: list[Column[ConfigValue]] = [
        Column("KEY", lambda row: row.key),
        Column("VALUE", lambda row: row.value, stretch=True),
        Column("FROM", lambda row: row.origin, tone=lambda row: "muted"),
    ]
    streams.write_lines(Table(columns, values, streams.look(sys.stdout)).lines(values))


@config.command("get", help="Print the value of one setting; secrets are not printed.")
@click.argument("key")
@json_option
@pass_settings
def config_get(settings: Settings, key: str, as_json: bool) -> None:
    from agor_tui.services import export

    found = settings.configuration().get(key)
    if found.is_secret:
        raise ConfigError(f"{printable(key)} is a secret, which is not printed.", f"It is from: {found.origin}")
    if as_json:
        streams.write([export.dumps(export.config_value_json(found)), b"\n"])
    else:
        streams.write_lines([printable(found.value)])


@config.command("set", help="Set one key of the config file, as in: ui.theme light")
@click.argument("key")
@click.argument("value")
@pass_settings
def config_set(settings: Settings, key: str, value: str) -> None:
    configuration = settings.configuration()
    configuration.set(key, value)
    found = configuration.get(key)
    if found.is_secret:
        streams.note(f"{printable(key)} now stands in {printable(str(configuration.file))} as it is, readable by you.")
    streams.write_lines([f"{printable(key)} = {printable(found.value)}"])


@config.command("unset", help="Take a key, or a group of keys, out of the config file.")
@click.argument("key")
@pass_settings
def config_unset(settings: Settings, key: str) -> None:
    left = settings.configuration().unset(key)
    streams.write_lines([f"{printable(key)} is not set any more."])
    if left:
        streams.note(printable(left))
