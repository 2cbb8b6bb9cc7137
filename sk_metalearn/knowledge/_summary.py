"""What a knowledge base holds, counted."""

import numpy as np

from ._records import OWN_SEARCHES, Status

__all__ = ["Summary", "summarize"]


_SHOWN = 100


class Summary(dict):
    """Counts of a knowledge base: a dict that prints as a table.

    Keys are ``"tasks"``, ``"configurations"`` and ``"evaluations"`` (numbers by kind),
    ``"sources"`` (counts by name of the source), ``"tables"`` (a list of counts per kind and
    fidelity), ``"datasets"`` (those that one's own searches were on) and ``"provenance"``.
    """

    def __repr__(self):
        lines = []
        for entry in self["tables"]:
            counts = ", ".join(f"{name} {count:,}" for name, count in entry["status"].items())
            lines.append(
                f"{entry['kind']} ({entry['fidelity']}): {entry['tasks']:,} tasks of "
                f"{entry['families']:,} families x {entry['configurations']:,} configurations, "
                f"{entry['cells']:,} cells measured ({entry['ok_share']:.1%} of the applicable "
                f"ok: {counts}), {entry['cpu_hours']:.2f} CPU hours, "
                f"{len(entry['metrics'])} metrics, {entry['metafeatures']} meta-features"
            )
        for name, entry in self["sources"].items():
            lines.append(
                f"source {name or '(unnamed)'}: {entry['tasks']:,} tasks, "
                f"{entry['configurations']:,} configurations, {entry['cells']:,} cells, "
                f"{entry['ok_share']:.1%} ok, licence {entry['licence'] or 'not stated'}"
            )
        own = self["datasets"]
        lines += [
            f"dataset {entry['name']}: {entry['kind']}, {entry['rows']:,} rows x "
            f"{entry['columns']:,} columns, {entry['evaluations']:,} evaluations"
            for entry in own[:_SHOWN]
        ]
        if len(own) > _SHOWN:
            lines.append(f"... and {len(own) - _SHOWN:,} more datasets")
        return "\n".join(lines) or "an empty knowledge base"

    def _repr_pretty_(self, printer, cycle):
        printer.text(repr(self))


def summarize(tables, sources=(), provenance=None):
    """Count tables.

    Parameters
    ----------
    tables : mapping of (kind, fidelity) to PerformanceTable
    sources : sequence of Source
    provenance : mapping, optional

    Returns
    -------
    Summary
    """
    entries, by_source, datasets = [], {}, []
    for (kind, fidelity), table in sorted(tables.items()):
        cells = table.cells()
        status, origin = cells.values["status"], cells.values["origin"]
        n_folds = max(
            (cells.values["folds:" + metric].shape[1] for metric in table.fold_metrics[:1]),
            default=1,
        )
        entries.append(
            {
                "kind": kind,
                "fidelity": fidelity,
                "tasks": len(table.tasks),
                "families": len({task.family for task in table.tasks}),
                "configurations": len(table.configurations),
                "cells": len(cells),
                "status": {s.name: int((status == s).sum()) for s in Status if s != Status.missing},
                "ok_share": _ok_share(status),
                "cpu_hours": float(np.nansum(cells.values["seconds"]) * n_folds / 3600),
                "metrics": table.metrics,
                "metafeatures": len(table.metafeature_names),
            }
        )
        for number in np.unique(origin):
            own = origin == number
            entry = by_source.setdefault(
                table.sources[number], {"tasks": set(), "configurations": set(), "status": []}
            )
            entry["tasks"] |= {table.tasks[i].id for i in np.unique(cells.rows[own])}
            columns = np.unique(cells.columns[own])
            entry["configurations"] |= {(kind, table.configurations[j].id) for j in columns}
            entry["status"].append(status[own])
        if fidelity == "main":
            counts = np.bincount(cells.rows, minlength=len(table.tasks))
            datasets += [
                {
                    "name": task.name,
                    "kind": kind,
                    "rows": task.n_rows,
                    "columns": task.n_features,
                    "evaluations": int(count),
                }
                for task, count in zip(table.tasks, counts, strict=True)
                if task.source == OWN_SEARCHES
            ]
    licences = {own.name: own.licence for own in sources}
    counted = {}
    for name, entry in sorted(by_source.items()):
        status = np.concatenate(entry["status"])
        counted[name] = {
            "licence": licences.get(name, ""),
            "tasks": len(entry["tasks"]),
            "configurations": len(entry["configurations"]),
            "cells": len(status),
            "status": {s.name: int((status == s).sum()) for s in Status if s != Status.missing},
            "ok_share": _ok_share(status),
        }
    kinds = {entry["kind"]: [] for entry in entries}
    for entry in entries:
        kinds[entry["kind"]].append(entry)
    return Summary(
        tasks={kind: max(e["tasks"] for e in own) for kind, own in kinds.items()},
        configurations={kind: max(e["configurations"] for e in own) for kind, own in kinds.items()},
        evaluations={kind: sum(e["cells"] for e in own) for kind, own in kinds.items()},
        sources=counted,
        tables=entries,
        datasets=datasets,
        provenance=dict(provenance or {}),
    )


def _ok_share(status):
    applicable = status[(status != Status.missing) & (status != Status.not_applicable)]
    return float((applicable == Status.ok).mean()) if len(applicable) else float("nan")
