"""Every command line that the documentation shows is one that the program takes."""

import re
import shlex
from pathlib import Path

import pytest

from sk_metalearn import cli

ROOT = Path(__file__).parents[2]
# Steps of the builder have a parser of their own.
STEP = re.compile(r"kb build (run|describe|choose|merge|verify)\b")


def _commands():
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.rst"))]:
        if {"_build", "auto_examples", "generated"} & set(path.parts):
            continue
        for line in path.read_text(encoding="utf-8").splitlines():
            found = re.match(r"\s+sk-metalearn (.*)", line)
            if found and not STEP.match(found[1]):
                yield pytest.param(found[1], id=f"{path.name}: {found[1]}")


@pytest.mark.parametrize("command", list(_commands()))
def test_command(command):
    command = re.sub(r"[\[\]]|\.\.\.", "", command.partition(" #")[0])
    try:
        cli._parser().parse_args(shlex.split(command))
    except SystemExit as ended:
        assert ended.code == 0, command
