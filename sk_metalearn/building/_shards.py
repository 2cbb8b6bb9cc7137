"""Shards: what was measured, as compressed JSON lines that are written once.

A shard holds the cells of a block of tasks and a slice of the pool. While it is being measured
its lines go to a journal; when it is complete the journal is compressed and removed.
"""

import json
import lzma
import os
from pathlib import Path

from ..exceptions import KnowledgeError

__all__ = ["ShardWriter", "read_shard", "shard_files", "write_whole"]

FORMAT = 1


def _parse(lines, name, tolerate_tail=False):
    records = []
    for number, line in enumerate(lines):
        try:
            records.append(json.loads(line))
        except ValueError as error:
            if tolerate_tail and number == len(lines) - 1:
                break
            raise KnowledgeError(
                f"{name}, line {number + 1}, is not a JSON record: the file is damaged. Remove it "
                f"and measure its cells again."
            ) from error
    return records


def read_shard(path):
    """Read the records of a shard or of a journal.

    Parameters
    ----------
    path : path-like
        ``*.jsonl.xz`` (a shard) or ``*.jsonl`` (a journal, whose last line may be cut off).

    Returns
    -------
    list of dict
        Cells have the keys ``task`` and ``configuration``; other records describe tasks and
        machines.

    Raises
    ------
    KnowledgeError
        If the file is damaged; the message names it.
    """
    path = Path(path)
    try:
        if path.suffix == ".xz":
            with lzma.open(path, "rt", encoding="utf-8") as file:
                return _parse(file.read().splitlines(), path.name)
        return _parse(path.read_text(encoding="utf-8").splitlines(), path.name, tolerate_tail=True)
    except (lzma.LZMAError, EOFError, UnicodeDecodeError) as error:
        raise KnowledgeError(f"{path.name} is damaged: {error}.") from error


def shard_files(folder):
    """List the shards and journals of a folder, sorted by name."""
    folder = Path(folder)
    return sorted([*folder.glob("*.jsonl.xz"), *folder.glob("*.jsonl")])


class ShardWriter:
    """The growing form of a shard.

    Parameters
    ----------
    folder : path-like
    name : str
        Name of the shard, without suffix. A shard that is there already stays as it is: what is
        new, such as datasets added since, goes to a further one.
    """

    def __init__(self, folder, name):
        self.folder, self.name = Path(folder), name
        self.folder.mkdir(parents=True, exist_ok=True)
        number = 1
        while (self.folder / f"{self.name}.jsonl.xz").exists():
            number += 1
            self.name = f"{name}-part{number}"
        self.path = self.folder / f"{name}.jsonl"
        self.records = []
        if self.path.exists():
            self.records = read_shard(self.path)
            # A line cut off by a kill goes; what follows would otherwise be joined to it.
            whole = "".join(_line(record) for record in self.records)
            if self.path.read_text(encoding="utf-8") != whole:
                write_whole(self.path, whole.encode())
        self._file = self.path.open("a", encoding="utf-8")
        if not self.records:
            self.append({"format": FORMAT, "shard": name})

    def append(self, record):
        """Write a record; it survives a kill of the process from here on."""
        self._file.write(_line(record))
        self._file.flush()
        self.records.append(record)

    def finish(self):
        """Compress the journal to its final form and remove it."""
        self._file.close()
        write_whole(self.folder / f"{self.name}.jsonl.xz", lzma.compress(self.path.read_bytes()))
        self.path.unlink()

    def close(self):
        """Leave the journal for a later run."""
        self._file.close()


def _line(record):
    return json.dumps(record, separators=(",", ":"), allow_nan=False) + "\n"


def write_whole(path, data):
    """Write a file so that it is there whole or not at all."""
    temporary = path.with_name(path.name + ".part")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
