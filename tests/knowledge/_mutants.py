"""Altered files: bytes flipped, cut, repeated; JSON with values of another type."""

import copy
import json
import os
import time
import zipfile

import numpy as np

from sk_metalearn.exceptions import KnowledgeError
from sk_metalearn.knowledge import KnowledgeBase

VALUES = (
    None,
    True,
    False,
    -1,
    0,
    1,
    3,
    2**63,
    10**400,
    -1e308,
    1e308,
    0.5,
    "",
    "x",
    "\x1b[2J\x07",
    "\u202ename",
    "$x_{",
    "a" * 300,
    "main",
    [],
    {},
    [None],
    [[[]]],
    [1e999],
    {"a": 1},
    {"hash": []},
    "NaN",
)


def how_many(usual):
    """Give the number of mutants of a run, and when it ends.

    With SK_METALEARN_LONG=SECONDS a fuzz test runs that long.
    """
    seconds = os.environ.get("SK_METALEARN_LONG")
    return (10**9, time.monotonic() + float(seconds)) if seconds else (usual, float("inf"))


def rounds(usual):
    """Give generators, one per mutant, the same in every run."""
    number, end = how_many(usual)
    for seed in range(number):
        if time.monotonic() > end:
            return
        yield seed, np.random.default_rng(seed)


def altered_bytes(content, rng):
    """Flip, cut, insert or repeat bytes."""
    content = bytearray(content)
    for _ in range(int(rng.integers(1, 5))):
        start = int(rng.integers(len(content) + 1)) if content else 0
        length = int(rng.integers(1, 64))
        action = rng.integers(5)
        if action == 0 and content:
            content[min(start, len(content) - 1)] ^= 1 << int(rng.integers(8))
        elif action == 1:
            del content[start : start + length]
        elif action == 2:
            content[start:start] = rng.bytes(length)
        elif action == 3:
            content[start:start] = content[start : start + length]
        else:
            content[start : start + length] = rng.bytes(length)
    return bytes(content)


def altered_json(value, rng, times=None):
    """Put values of other types at some places, or leave out or repeat a part."""
    value = copy.deepcopy(value)
    for _ in range(int(rng.integers(1, 4)) if times is None else times):
        holder, keys = value, []
        while isinstance(holder, dict | list) and holder:
            keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
            key = keys[int(rng.integers(len(keys)))]
            inside = holder[key]
            if not isinstance(inside, dict | list) or not inside or rng.random() < 0.25:
                break
            holder = inside
        if not keys or not isinstance(holder, dict | list) or not holder:
            return VALUES[int(rng.integers(len(VALUES)))]
        action = rng.integers(5)
        if action == 0:
            del holder[key]
        elif action == 1 and isinstance(holder, list):
            holder.append(copy.deepcopy(holder[key]))
        elif action == 1:
            holder["another"] = holder[key]
        else:
            holder[key] = copy.deepcopy(VALUES[int(rng.integers(len(VALUES)))])
    return value


def altered_array(values, rng):
    """Change type, shape or content of an array."""
    action = rng.integers(7)
    if action == 0:
        return values.astype(rng.choice(["f8", "i8", "u1", "f4", "S3", "U2", "c16", "?"]))
    if action == 1:
        return values.reshape(-1)
    if action == 2:
        return np.concatenate([values, values])
    if action == 3:
        return values[:0]
    if action == 4:
        return values.T.copy()
    if action == 5:
        return np.asfortranarray(values[..., None])
    values = values.copy()
    flat = values.reshape(-1)
    if flat.size:
        odd = [np.nan, np.inf, -1e30] if values.dtype.kind == "f" else [255, 65535, 7]
        with np.errstate(all="ignore"):
            flat[int(rng.integers(flat.size))] = np.array(odd[int(rng.integers(3))]).astype(
                values.dtype
            )
    return values


def dumps(value):
    """Write JSON as Python does, infinities included."""
    return json.dumps(value, separators=(",", ":"))


def read_archive(path):
    """Give the header and the arrays of a file."""
    with np.load(path, allow_pickle=False) as archive:
        members = {name: archive[name] for name in archive.files}
    return json.loads(bytes(members.pop("header"))), members


def write_archive(path, header, members):
    """Write a file whose checksums match whatever it holds."""
    from sk_metalearn.knowledge._bundle import _digest

    if isinstance(header, dict) and isinstance(header.get("checksums"), dict):
        for name in header["checksums"]:
            if name in members and isinstance(header["checksums"][name], str):
                header["checksums"][name] = _digest(members[name])
    arrays = {"header": np.frombuffer(dumps(header).encode(), dtype=np.uint8), **members}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, values in arrays.items():
            with archive.open(name + ".npy", "w") as file:
                np.lib.format.write_array(file, np.asarray(values), allow_pickle=False)


def use(base, folder):
    """Ask a base all that one may ask; only our own error may come of it."""
    for ask in (
        repr,
        lambda own: own.check(),
        lambda own: repr(own.summary()),
        lambda own: own.tasks,
        lambda own: own.families.names(),
        lambda own: own.merge(KnowledgeBase()).diff(own),
        lambda own: [list(own.table(kind).evaluations()) for kind in own.kinds],
        lambda own: [
            [own.table(kind).scores(metric, "dummy") for metric in own.table(kind).metrics]
            for kind in own.kinds
        ],
        lambda own: own.save(folder / "again.npz"),
        lambda own: own.save(folder / "again.jsonl", anonymous=True),
    ):
        try:
            ask(base)
        except KnowledgeError:
            pass


def outcome(open_base, folder):
    """Tell how a door took a mutant: "refused" or "accepted"; raises what is not our own."""
    try:
        base = open_base()
    except KnowledgeError as error:
        assert str(error).isprintable(), str(error)
        return "refused"
    use(base, folder)
    return "accepted"
