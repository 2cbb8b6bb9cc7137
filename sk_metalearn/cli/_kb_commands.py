"""The commands of knowledge bases, each a call one could make in Python."""

import json
from pathlib import Path

from ..exceptions import KnowledgeError
from ._data_file import read_task
from ._said import aside, say, say_json

__all__ = ["KB_COMMANDS", "open_base"]


def open_base(name):
    """Open a base to read it; one that is not there is an error."""
    from ..knowledge import KnowledgeBase, user_store_url

    asked = name
    if name == "user":
        name = user_store_url()
    path = name
    if name.startswith("sqlite:///"):
        path = name.removeprefix("sqlite:///").removeprefix("file:").partition("?")[0]
    if name != "bundled" and "://" not in path and not Path(path).is_file():
        more = " A search with remember=True makes it." if asked == "user" else ""
        raise KnowledgeError(f"There is no knowledge base at {path!r}.{more}")
    return KnowledgeBase.open(name)


def _require_free(output, force, bases=()):
    """Refuse to replace, or add to, what the user did not name."""
    from ..knowledge import user_store_url

    path = Path(user_store_url().removeprefix("sqlite:///") if output == "user" else output)
    if force or not path.exists() or any(_same_file(path, base) for base in bases):
        return
    raise KnowledgeError(
        f"{str(path)!r} is there already. Give another name, or --force if it is a knowledge "
        "base that may be replaced (a store: added to)."
    )


def _same_file(path, base):
    return Path(base).is_file() and path.samefile(base)


def _add(base, output):
    """Add a base to what is at the output; where both measured, that counts."""
    from ..knowledge import is_store

    if Path(output).is_file() and not is_store(output):
        base = open_base(output).merge(base)
    base.save(output)


def _say_summary(summary):
    """Print the counts of a base as tables."""
    from ..search import as_text

    tables = [
        {
            "kind": own["kind"],
            "fidelity": own["fidelity"],
            "datasets": own["tasks"],
            "configurations": own["configurations"],
            "measured": own["cells"],
            "ok": f"{own['ok_share']:.1%}",
            "CPU hours": f"{own['cpu_hours']:.2f}",
            "metrics": len(own["metrics"]),
        }
        for own in summary["tables"]
    ]
    sources = [
        {
            "source": name or "(unnamed)",
            "datasets": own["tasks"],
            "measured": own["cells"],
            "ok": f"{own['ok_share']:.1%}",
            "licence": own["licence"] or "not stated",
        }
        for name, own in summary["sources"].items()
    ]
    searched = [
        {
            "own dataset": own["name"],
            "kind": own["kind"],
            "rows": own["rows"],
            "columns": own["columns"],
            "measured": own["evaluations"],
        }
        for own in summary["datasets"]
    ]
    shown = [as_text(rows) for rows in (tables, sources, searched) if rows]
    say("\n\n".join(shown) or "an empty knowledge base")


def _info(base, as_json):
    summary = open_base(base).summary()
    if as_json:
        say_json(summary)
    else:
        _say_summary(summary)


def _import(source, output, tables, suite, tasks, datasets, server, cache):
    if source.startswith("openml-"):
        return _import_openml(source, output, suite, tasks, datasets, server, cache)
    from ..building import TABLES, import_table

    if source in TABLES:
        imported = import_table(source, tables or ".")
        say(imported)
        base = imported.base
    else:
        base = open_base(source)
    _add(base, output)
    say(base)
    return 0


def _import_openml(source, output, suite, tasks, datasets, server, cache):
    from ..building import OpenMLClient, fetch_datasets, import_evaluations

    client = OpenMLClient(cache, server)
    if source == "openml-datasets":
        fetched = fetch_datasets(output, suite, tasks, datasets, client=client)
        say(fetched)
        say(f"measure them with: sk-metalearn kb build {output} BASE.npz")
        return 0
    if source != "openml-evaluations":
        raise KnowledgeError(
            f"From OpenML come openml-datasets or openml-evaluations; got {source!r}."
        )
    if suite is not None:
        tasks = [*client.call(client.openml.study.get_suite, suite).tasks, *tasks]
    imported = import_evaluations(tasks, client=client)
    say(imported)
    _add(imported.base, output)
    return 0


def _export(base, output, anonymous, force):
    from ..knowledge import share_records

    base = open_base(base)
    if output == "-":
        for record in share_records(base, anonymous):
            print(json.dumps(record))
        return
    if anonymous and not output.endswith(".jsonl"):
        raise KnowledgeError("--anonymous writes JSON lines; give an output that ends in .jsonl.")
    _require_free(output, force)
    base.save(output, anonymous)
    say(f"The base is in {output}")


def _merge(output, bases, force):
    _require_free(output, force, bases)
    first, *others = map(open_base, bases)
    for other in others:
        first = first.merge(other)
    first.save(output)
    _say_summary(first.summary())


def _check(base, as_json):
    problems = open_base(base).check()
    if as_json:
        say_json(problems)
    else:
        say("\n".join(problems) or "no problems found")
    return 1 if problems else 0


def _neighbors(data, target, knowledge, kind, n, as_json):
    X, y = read_task(data, target)
    found = open_base(knowledge).neighbors(X, y, kind=kind, n_neighbors=n)
    rows = [
        {"dataset": own.task.name, "distance": float(own.distance), "reasons": list(own.reasons)}
        for own in found
    ]
    if as_json:
        say_json(rows)
        return
    aside(
        "note: the distance is 0 for the same, about 0.4 for two drawn by chance; named are the "
        "measures in which it is near, by rank among the past datasets, and after 'but' the "
        "farthest one (sk_metalearn.metafeatures.list_meta_features() tells what they are)"
    )
    for own in found:
        say(own)


def _build(data, output, kinds, n_workers, time_limit, source, licence, force):
    from ..building import build_base

    _require_free(output, force)
    base = build_base(
        data,
        output,
        kinds=kinds,
        n_workers=n_workers,
        time_limit=time_limit,
        source=source,
        licence=licence,
    )
    if base is None:
        say("The time is over. Call again: what was measured is kept.")
        return 1
    _say_summary(base.summary())
    return 0


KB_COMMANDS = {
    "build": _build,
    "check": _check,
    "export": _export,
    "import": _import,
    "info": _info,
    "merge": _merge,
    "neighbors": _neighbors,
}
