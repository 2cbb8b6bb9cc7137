"""Points in the words of a journal."""

import re

import numpy as np

from ..spaces import Categorical, point_key, value_text

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")

__all__ = ["decode_point", "encode_point", "stable_text", "text_of_key"]


def stable_text(value):
    """Give the text of an object without what differs from process to process."""
    return _ADDRESS.sub("", value_text(value))


def text_of_key(point, candidate=None):
    """Give the text that identifies a point in every process.

    Parameters
    ----------
    point : mapping
    candidate : int, optional
        Its index; it tells apart objects of which only their address does.
    """
    text = repr(point_key(point))
    stable = _ADDRESS.sub("", text)
    return stable if stable == text else f"{stable} #{candidate}"


def encode_point(point, space):
    """Give a point in JSON types; None where a value has no such form.

    Parameters
    ----------
    point : mapping
    space : Space or None

    Returns
    -------
    dict or None
    """
    encoded = {}
    for name, value in point.items():
        if isinstance(value, np.generic):
            value = value.item()
        if value is None or isinstance(value, bool | int | float | str):
            encoded[name] = {"value": value}
            continue
        choice = _choice(space, name, value)
        if choice is None:
            return None
        encoded[name] = {"choice": choice}
    return encoded


def _choice(space, name, value):
    for parameter in _parameters(space, name):
        if isinstance(parameter, Categorical) and parameter.contains(value):
            return parameter.index(value)
    return None


def _parameters(space, name):
    return [own for other, own, _ in space.columns if other == name] if space is not None else []


def decode_point(content, context):
    """Read a point back from a journal.

    Parameters
    ----------
    content : dict
        Of a `StoredTrial`.
    context : Context

    Returns
    -------
    dict or None
    """
    if content["candidate"] is not None:
        return context.candidates[content["candidate"]]
    if content["point"] is None:
        return None
    point = {}
    for name, own in content["point"].items():
        if "value" in own:
            point[name] = own["value"]
        else:
            parameters = _parameters(context.space, name)
            point[name] = parameters[0].choices[own["choice"]]
    return point
