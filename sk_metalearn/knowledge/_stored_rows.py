"""Rows of a store: records as JSON text, read one by one so that a bad one costs itself."""

import json
from itertools import chain

from ..exceptions import KnowledgeError
from ._limits import MAX_LINE, read_json
from ._private import failure_type
from ._records import (
    Evaluation,
    Source,
    Task,
    read_configuration,
    read_metafeatures,
    show_value,
)
from ._text import printable

__all__ = ["StoredRows", "cell_of", "completed", "finite", "head_of", "in_parts", "to_json"]

# Databases limit the values of one query.
AT_ONCE = 500
_STREAM = 5_000


class StoredRows:
    """Reads rows of a store one by one, and notes those that cannot be read."""

    READERS = {
        "tasks": Task.from_dict,
        "configurations": read_configuration,
        "sources": Source.from_dict,
        "metafeatures": read_metafeatures,
        "evaluations": Evaluation.from_dict,
    }

    def __init__(self, store, tables, select):
        self.store, self.tables, self.select, self.problems = store, tables, select, []

    def read(self, name, rows):
        """Yield the key and the record of each row that can be read."""
        reader = self.READERS[name]
        for key, text in rows:
            try:
                if not isinstance(text, str) or len(text) > MAX_LINE:
                    raise KnowledgeError(
                        f"a record that is no text, or too long: {show_value(text)}"
                    )
                record = read_json(text)
                record = reader(record, text) if name == "configurations" else reader(record)
                # An evaluation's key is its number, a configuration's a hash of its content.
                own = getattr(record, {"sources": "name"}.get(name, "id"), key)
                if name != "evaluations" and own != key:
                    raise KnowledgeError(f"a record of {show_value(own)}")
                yield key, record
            except KnowledgeError as error:
                table = self.tables[name].name
                place = f"{self.store!r}, table {table}, row {show_value(key)}"
                self.problems.append(f"{place}: {printable(str(error))}")

    def records(self, connection, name, ids=None):
        """Read records by their id."""
        table = self.tables[name]
        query = self.select(table.c.id, table.c.record).order_by(table.c.id)
        queries = (
            [query] if ids is None else [query.where(table.c.id.in_(own)) for own in in_parts(ids)]
        )
        return dict(chain(*(self.read(name, connection.execute(own)) for own in queries)))

    def evaluations(self, connection, configurations=None, most=None):
        """Read evaluations in the order in which they came, a part of them at a time."""
        table = self.tables["evaluations"]
        query = self.select(table.c.number, table.c.record).order_by(table.c.number)
        if configurations is not None:
            query = query.where(table.c.configuration.in_(configurations))
        if most is not None:
            last = query.order_by(None).order_by(table.c.number.desc()).limit(most).subquery()
            query = self.select(last).order_by(last.c.number)
        rows = connection.execution_options(yield_per=_STREAM).execute(query)
        for _, evaluation in self.read("evaluations", rows):
            yield evaluation


def head_of(family):
    """How the canonical text of a configuration of a family begins."""
    return f'{{"family":{json.dumps(family)},'


def in_parts(ids):
    return [ids[start : start + AT_ONCE] for start in range(0, len(ids), AT_ONCE)]


def cell_of(own):
    record = own.to_dict()
    record["reason"] = failure_type(own.reason)
    return {
        "task": own.task,
        "configuration": own.configuration,
        "fidelity": own.fidelity,
        "seed": own.seed,
        "source": own.source,
        "status": own.status.name,
        "record": to_json({name: value for name, value in record.items() if value}),
    }


def completed(record, other):
    """Add to a record of meta-features those that only another has."""
    try:
        own = read_metafeatures(read_json(record))
    except KnowledgeError:
        # Damaged: the new one takes its place.
        return other
    known = {name: value for name, value in own.items() if value == value}
    return to_json({**finite(own), **json.loads(other), **known})


def to_json(record):
    return json.dumps(record, sort_keys=True, separators=(",", ":"), allow_nan=False)


def finite(values):
    return {
        name: float(v) if v == v and abs(v) != float("inf") else None for name, v in values.items()
    }
