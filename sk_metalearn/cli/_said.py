"""What a command says: lines for people that cannot steer a terminal, JSON for machines."""

import json
import math
import sys
import warnings
from collections.abc import Mapping
from contextlib import contextmanager, redirect_stdout

import numpy as np

__all__ = ["aside", "say", "say_json", "told_aside"]

# What a warning advises to write in Python, as it is written here.
_WORDS = {"columns={name: 'category'}": "--columns NAME=category"}


def say(text, file=None):
    """Print lines that cannot steer a terminal.

    Parameters
    ----------
    text : object
    file : file, default=None
        Standard output by default.
    """
    from ..knowledge import printable

    for line in str(text).split("\n"):
        print(printable(line), file=file)


def aside(text):
    """Say something beside the result, on standard error."""
    say(text, sys.stderr)


def say_json(value):
    """Print a value as JSON; what is no finite number is null."""
    print(json.dumps(_plain(value), indent=1, allow_nan=False))


@contextmanager
def told_aside():
    """Print progress, and warnings as one line each, to standard error."""

    def show(message, category, filename, lineno, file=None, line=None):
        text = " ".join(str(message).split())
        for python, words in _WORDS.items():
            text = text.replace(python, words)
        aside(f"warning: {text}")

    with warnings.catch_warnings(), redirect_stdout(sys.stderr):
        warnings.showwarning = show
        yield


def _plain(value):
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _plain(own) for key, own in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(own) for own in value]
    if value is None or isinstance(value, bool | int | str):
        return value
    return str(value)
