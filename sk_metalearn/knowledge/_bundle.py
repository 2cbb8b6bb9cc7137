"""The file format of a knowledge base: one npz archive, an array per metric, read when needed.

The archive holds plain arrays only (no pickled objects): a JSON header as bytes, and the arrays
of every table, scores and seconds as 16-bit numbers. The header lists the SHA-256 of each array;
the archive's own CRC is checked whenever an array is read.
"""

import hashlib
import io
import json
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..exceptions import KnowledgeError
from ._codec import choose_codec, decode, encode, is_codec
from ._files import replace_file
from ._limits import (
    MAX_FOLDS,
    MAX_HEADER,
    MAX_METAFEATURES,
    MAX_METRICS,
    MAX_NAME,
    MAX_TABLES,
    read_json,
    require_room,
)
from ._records import KINDS, Source, Status, Task, read_configuration, show_value
from ._table import PerformanceTable
from ._text import printable

__all__ = ["SCHEMA", "check_file", "read_bundle", "write_bundle"]

SCHEMA = 2
FORMAT = "sk_metalearn knowledge base"
_HEADER = "header"
_EPOCH = (1980, 1, 1, 0, 0, 0)
# Bytes before the values of an array: its own header.
_PREFACE = 10_000
_CODES = {"origin": "sources", "machine": "machines"}


def write_bundle(path, tables, aliases=(), sources=(), provenance=None):
    """Write tables to a file; an existing one is replaced at once or not at all.

    Parameters
    ----------
    path : path-like
    tables : iterable of PerformanceTable
    aliases : iterable of Task
    sources : iterable of Source
    provenance : dict, optional
        Further facts in JSON types.
    """
    members, tasks, configurations, described = {}, {}, {}, []
    for number, table in enumerate(tables):
        tasks.update((task.id, task) for task in table.tasks)
        configurations.update((own.id, own) for own in table.configurations)
        arrays = {}
        for name in sorted(table.array_names()):
            member = f"{number}/{name.replace(':', '/')}"
            arrays[name] = _pack(name, table.array(name), member, members)
        described.append(
            {
                "kind": table.kind,
                "fidelity": table.fidelity,
                "tasks": [task.id for task in table.tasks],
                "configurations": [own.id for own in table.configurations],
                "metafeature_names": list(table.metafeature_names),
                "sources": list(table.sources),
                "machines": list(table.machines),
                "arrays": arrays,
            }
        )
    header = {
        "format": FORMAT,
        "schema": SCHEMA,
        "tables": described,
        "tasks": _columns(tasks.values()),
        "configurations": [own.to_dict() for own in configurations.values()],
        "aliases": _columns(aliases),
        "sources": _columns(sources),
        "provenance": provenance or {},
        "checksums": {name: _digest(values) for name, values in members.items()},
    }
    text = json.dumps(header, sort_keys=True, separators=(",", ":"), allow_nan=False)
    members = {_HEADER: np.frombuffer(text.encode(), dtype=np.uint8), **members}
    with replace_file(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, values in members.items():
            content = io.BytesIO()
            np.lib.format.write_array(content, values, allow_pickle=False)
            # A fixed date: the same knowledge gives the same bytes.
            archive.writestr(_entry(name), content.getvalue())


def _entry(name):
    entry = zipfile.ZipInfo(f"{name}.npy", date_time=_EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def _pack(name, values, member, members):
    """Put an array into `members` and describe how it is stored."""
    if values.dtype.kind in "iu":
        members[member] = values
        return {"member": member, "codec": "plain"}
    if name == "metafeatures":
        members[member] = values.astype(np.float32)
        return {"member": member, "codec": "plain"}
    codec = choose_codec(name.partition(":")[2] or name, values)
    members[member], members[member + "/range"] = encode(values, codec)
    return {"member": member, "codec": codec}


def read_bundle(path):
    """Open a file; its arrays are read when a table is asked for them.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    tables : dict of (kind, fidelity) to PerformanceTable
    aliases : tuple of Task
    sources : tuple of Source
    provenance : dict

    Raises
    ------
    KnowledgeError
        If the file is missing, damaged, no knowledge base, or of a newer schema.
    """
    path = os.path.abspath(path)
    header = _read_header(path)
    place = "its header"
    try:
        place = "tasks"
        tasks = {task.id: task for task in _records(Task, header["tasks"])}
        place = "configurations"
        configurations = {}
        for record in header["configurations"]:
            own = read_configuration(record)
            configurations[own.id] = own
        place = "tables"
        if len(header["tables"]) > MAX_TABLES:
            raise KnowledgeError(f"at most {MAX_TABLES} tables; got {len(header['tables'])}")
        tables = {}
        for number, own in enumerate(header["tables"]):
            place = f"table {number}"
            table = _table(path, own, tasks, configurations, header["checksums"])
            if (table.kind, table.fidelity) in tables:
                raise KnowledgeError(f"a second table {table.kind}/{table.fidelity}")
            tables[table.kind, table.fidelity] = table
        place = "aliases"
        aliases = tuple(_records(Task, header["aliases"]))
        place = "sources"
        sources = tuple(_records(Source, header["sources"]))
        place = "provenance"
        if not isinstance(header["provenance"], dict):
            raise KnowledgeError("provenance is a mapping")
        return tables, aliases, sources, header["provenance"]
    except Exception as error:
        # Whoever altered the file chose what it holds: any error is one of the file.
        raise KnowledgeError(
            f"The knowledge base {printable(str(path))!r} is damaged, at {place}: "
            f"{type(error).__name__}: {error}"
        ) from error


def _table(path, own, tasks, configurations, checksums):
    """Make the table that a part of the header describes."""
    kind, fidelity = own["kind"], own["fidelity"]
    if kind not in KINDS:
        raise KnowledgeError(f"kind is one of {list(KINDS)}; got {show_value(kind)}")
    names, sources, machines = (
        _texts(own[what], what) for what in ("metafeature_names", "sources", "machines")
    )
    if len(names) > MAX_METAFEATURES:
        raise KnowledgeError(f"at most {MAX_METAFEATURES} meta-features; got {len(names)}")
    rows = [tasks[task] for task in own["tasks"]]
    columns = [configurations[key] for key in own["configurations"]]
    for what, found in (("task", rows), ("configuration", columns)):
        if len({one.id for one in found}) < len(found):
            raise KnowledgeError(f"a {what} stands there twice")
    if any(task.kind != kind for task in rows):
        raise KnowledgeError(f"a task that is no {kind}")
    shape = len(rows), len(columns)
    require_room(shape, "A table")
    arrays = {}
    if len(own["arrays"]) > 3 * MAX_METRICS + 10:
        raise KnowledgeError(f"at most {MAX_METRICS} metrics")
    missing = {"status", "seconds", "origin", "machine", "metafeatures"} - set(own["arrays"])
    if missing - {"machine"} or (missing and machines != ("",)):
        raise KnowledgeError(f"no array of {sorted(missing)}")
    for name, stored in own["arrays"].items():
        codes = {key: len(own[entries]) for key, entries in _CODES.items()}
        width = len(names) if name == "metafeatures" else shape[1]
        arrays[name] = _member(path, checksums, name, (shape[0], width), codes, **stored)
    if missing:
        arrays["machine"] = np.zeros(shape, dtype=np.uint8)
    (fidelity,) = _texts([fidelity], "fidelity")
    return PerformanceTable(kind, rows, columns, arrays, names, fidelity, sources, machines)


def _texts(values, what):
    if not isinstance(values, list) or not all(isinstance(own, str) for own in values):
        raise KnowledgeError(f"{what} are texts; got {show_value(values)}")
    if any(len(own) > MAX_NAME for own in values) or len(set(values)) < len(values):
        raise KnowledgeError(f"{what} are different texts of at most {MAX_NAME} characters")
    return tuple(map(printable, values))


def _read_header(path):
    path = Path(path)
    if not path.is_file():
        raise KnowledgeError(f"There is no knowledge base at {printable(str(path))!r}.")
    text = bytes(_read_member(path, _HEADER))
    try:
        header = read_json(text)
        schema = header["schema"] if header["format"] == FORMAT else None
    except (KnowledgeError, KeyError, TypeError, RecursionError) as error:
        raise KnowledgeError(
            f"{printable(str(path))!r} holds no knowledge base: {error!r}."
        ) from error
    if not isinstance(schema, int) or isinstance(schema, bool) or not 1 <= schema <= SCHEMA:
        raise KnowledgeError(
            f"{printable(str(path))!r} has schema {show_value(schema)}; this version of "
            f"sk_metalearn reads 1 to {SCHEMA}. Update sk_metalearn."
        )
    try:
        for old in range(schema, SCHEMA):
            header = _MIGRATIONS[old](header)
        checksums = header["checksums"]
        if not all(isinstance(own, str) for own in checksums.values()):
            raise KnowledgeError("checksums are texts")
    except Exception as error:
        raise KnowledgeError(
            f"The knowledge base {printable(str(path))!r} is damaged, at its header: {error!r}."
        ) from error
    return header


def _read_member(path, name, checksum=None, expected=None):
    """Read an array; with a checksum, of a file opened before.

    Its size and type are compared with those `expected`, (kind of dtype, shape with None where
    any number of folds may be), before memory is taken.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entry = archive.getinfo(f"{name}.npy")
            with archive.open(entry) as member:
                values = _read_array(member, entry.file_size, name, expected)
        if checksum is not None and checksum != _digest(values):
            raise ValueError("it differs from its checksum")
        return values
    except Exception as error:
        # Archives can be broken in more ways than there are exceptions to name.
        how = (
            ("is damaged or no knowledge base", "Fetch or build the file again.")
            if checksum is None
            else ("is damaged, or was replaced after it was opened", "Open the file again.")
        )
        raise KnowledgeError(
            f"{printable(str(path))!r} {how[0]}: cannot read {printable(name)!r} ({error}). "
            f"{how[1]}"
        ) from error


def _read_array(member, size, name, expected):
    version = np.lib.format.read_magic(member)
    read = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    if version not in read:
        raise ValueError(f"arrays of the format {version} are not written")
    shape, by_column, dtype = read[version](member, max_header_size=_PREFACE)
    if dtype.hasobject:
        raise ValueError("objects are not read: allow_pickle=False")
    if expected is None:
        expected = ("u", (None,))
        if size > MAX_HEADER:
            raise ValueError(f"a header of {size} bytes; at most {MAX_HEADER} are read")
    kinds, wanted = expected
    fits = len(shape) == len(wanted) and all(
        own == there if there is not None else 0 <= own
        for own, there in zip(shape, wanted, strict=True)
    )
    if not fits or dtype.kind not in kinds or dtype.itemsize > 8:
        raise ValueError(f"an array of {dtype} {shape} instead of {wanted}")
    if len(shape) == 3 and shape[2] > MAX_FOLDS:
        raise ValueError(f"{shape[2]} folds; at most {MAX_FOLDS} are read")
    if name != _HEADER:
        require_room(shape, name)
    n_bytes = dtype.itemsize * int(np.prod(shape, dtype=np.int64))
    if not n_bytes <= size <= n_bytes + _PREFACE:
        raise ValueError(f"{size} bytes for an array of {n_bytes}")
    content = member.read(n_bytes + 1)
    if len(content) != n_bytes:
        raise ValueError(f"{len(content)} bytes instead of {n_bytes}")
    values = np.frombuffer(bytearray(content), dtype=dtype)
    return values.reshape(shape, order="F" if by_column else "C")


def _member(path, checksums, name, shape, codes, member, codec):
    if not is_codec(codec):
        raise KnowledgeError(
            f"the array {show_value(name)} has an unknown codec {show_value(codec)}"
        )
    names = [member] if codec == "plain" else [member, member + "/range"]
    shape = (*shape, None) if name.startswith("folds:") else shape
    most = {"status": len(Status), **codes}.get(name)
    parts = tuple((own, checksums[own]) for own in names)
    return _Member(path, name, codec, parts, shape, most)


@dataclass(frozen=True)
class _Member:
    """An array of a file, read when called.

    Parameters
    ----------
    path, name, codec : str
    parts : tuple of (str, str)
        Members of the archive, each with its checksum.
    shape : tuple of (int or None)
        That it must have.
    most : int or None
        Of codes, one more than the largest.
    """

    path: str
    name: str
    codec: str
    parts: tuple[tuple[str, str], ...]
    shape: tuple
    most: int | None = None

    def __call__(self):
        codes = self.name in ("status", "origin", "machine", "seed")
        if codes != (self.codec == "plain") and self.name != "metafeatures":
            raise self._wrong(f"codec {self.codec!r}")
        kinds = ("iu" if codes else "f") if self.codec == "plain" else "u"
        values = _read_member(self.path, *self.parts[0], (kinds, self.shape))
        if self.codec == "plain":
            if self.most is not None and values.size:
                if values.min() < 0 or values.max() >= self.most:
                    raise self._wrong(f"codes outside [0, {self.most - 1}]")
            return values.astype(np.float64) if values.dtype == np.float32 else values
        if values.dtype != np.uint16:
            raise self._wrong(f"{values.dtype} instead of uint16")
        ranges = _read_member(self.path, *self.parts[1], ("f", (self.shape[0], 2)))
        if not np.isfinite(ranges).all() or (ranges[:, 0] > ranges[:, 1]).any():
            raise self._wrong("ranges that are none")
        with np.errstate(over="ignore"):
            return decode(values, ranges, self.codec)

    def _wrong(self, what):
        return KnowledgeError(
            f"{printable(self.path)!r} is damaged: the array {printable(self.name)!r} has {what}."
        )


def check_file(path):
    """Compare every array of a file with its checksum.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    list of str
        A line per problem; empty if the file is sound.
    """
    problems, tables = [], ()
    try:
        tables = read_bundle(path)[0].values()
    except KnowledgeError as error:
        problems.append(str(error))
    for table in tables:
        for name in table.array_names():
            try:
                table.array(name)
            except KnowledgeError as error:
                problems.append(str(error))
    return problems


def _digest(values):
    return hashlib.sha256(
        f"{values.dtype.str}{values.shape}".encode() + np.ascontiguousarray(values).tobytes()
    ).hexdigest()


def _columns(records):
    """Store records of one type as a list per field: shorter than their names again and again."""
    rows = [record.to_dict() for record in records]
    return {name: [row[name] for row in rows] for name in rows[0]} if rows else {}


def _records(cls, columns):
    names = list(columns)
    if not all(isinstance(own, list) for own in columns.values()):
        raise KnowledgeError(f"a list for each field of {cls.__name__}")
    return [
        cls.from_dict(dict(zip(names, row, strict=True)))
        for row in zip(*columns.values(), strict=True)
    ]


def _from_first(header):
    """Schema 1 had one list of sources for all tables, no machines, no aliases, no fidelity."""
    names = header["sources"].get("name", [""])
    tables = [
        {"fidelity": "main", "sources": names, "machines": [""], **table}
        for table in header["tables"]
    ]
    return {**header, "schema": 2, "tables": tables, "aliases": {}}


_MIGRATIONS = {1: _from_first}
