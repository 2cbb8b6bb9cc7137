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
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..exceptions import KnowledgeError
from ..spaces import Configuration
from ._codec import choose_codec, decode, encode
from ._records import Source, Task
from ._table import PerformanceTable

__all__ = ["SCHEMA", "check_file", "read_bundle", "write_bundle"]

SCHEMA = 2
FORMAT = "sk_metalearn knowledge base"
_HEADER = "header"
_EPOCH = (1980, 1, 1, 0, 0, 0)
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, ValueError, KeyError, OSError)


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
    path = Path(path)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, values in members.items():
                content = io.BytesIO()
                np.lib.format.write_array(content, values, allow_pickle=False)
                # A fixed date: the same knowledge gives the same bytes.
                archive.writestr(_entry(name), content.getvalue())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


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
    header = _read_header(path)
    try:
        tasks = {task.id: task for task in _records(Task, header["tasks"])}
        configurations = {}
        for record in header["configurations"]:
            own = Configuration.from_dict(record)
            configurations[own.id] = own
        tables = {}
        for own in header["tables"]:
            arrays = {
                name: _member(path, header["checksums"], **stored)
                for name, stored in own["arrays"].items()
            }
            tables[own["kind"], own["fidelity"]] = PerformanceTable(
                own["kind"],
                [tasks[task] for task in own["tasks"]],
                [configurations[key] for key in own["configurations"]],
                arrays,
                own["metafeature_names"],
                own["fidelity"],
                own["sources"],
                own["machines"],
            )
        aliases = tuple(_records(Task, header["aliases"]))
        return tables, aliases, tuple(_records(Source, header["sources"])), header["provenance"]
    except (KeyError, TypeError) as error:
        raise KnowledgeError(f"The knowledge base {str(path)!r} is damaged: {error!r}.") from error


def _read_header(path):
    path = Path(path)
    if not path.is_file():
        raise KnowledgeError(f"There is no knowledge base at {str(path)!r}.")
    text = bytes(_read_member(path, _HEADER))
    try:
        header = json.loads(text)
        schema = header["schema"] if header["format"] == FORMAT else None
    except (ValueError, KeyError, TypeError) as error:
        raise KnowledgeError(f"{str(path)!r} holds no knowledge base: {error!r}.") from error
    if not isinstance(schema, int) or schema > SCHEMA:
        raise KnowledgeError(
            f"{str(path)!r} has schema {schema!r}; this version of sk_metalearn reads up to "
            f"{SCHEMA}. Update sk_metalearn."
        )
    for old in range(schema, SCHEMA):
        header = _MIGRATIONS[old](header)
    return header


def _read_member(path, name, checksum=None):
    """Read an array; with a checksum, of a file opened before."""
    try:
        with zipfile.ZipFile(path) as archive, archive.open(f"{name}.npy") as member:
            values = np.lib.format.read_array(member, allow_pickle=False)
        if checksum is not None and checksum != _digest(values):
            raise ValueError("it differs from its checksum")
        return values
    except _DAMAGE as error:
        how = (
            ("is damaged or no knowledge base", "Fetch or build the file again.")
            if checksum is None
            else ("is damaged, or was replaced after it was opened", "Open the file again.")
        )
        raise KnowledgeError(
            f"{str(path)!r} {how[0]}: cannot read {name!r} ({error}). {how[1]}"
        ) from error


def _member(path, checksums, member, codec):
    names = [member] if codec == "plain" else [member, member + "/range"]
    return _Member(str(path), codec, tuple((name, checksums[name]) for name in names))


@dataclass(frozen=True)
class _Member:
    """An array of a file, read when called."""

    path: str
    codec: str
    parts: tuple[tuple[str, str], ...]

    def __call__(self):
        values, *ranges = (_read_member(self.path, *part) for part in self.parts)
        if self.codec == "plain":
            return values.astype(np.float64) if values.dtype == np.float32 else values
        return decode(values, *ranges, self.codec)


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
    try:
        header = _read_header(path)
    except KnowledgeError as error:
        return [str(error)]
    problems = []
    for name, checksum in header["checksums"].items():
        try:
            _read_member(path, name, checksum)
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
