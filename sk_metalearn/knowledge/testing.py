"""Conformance checks of stores, for our own and for others'.

A store is what a `KnowledgeBase` keeps its records in. It has the methods of `KnowledgeStore`.

Examples
--------
A test file for a store of one's own::

    import pytest
    from sk_metalearn.knowledge.testing import STORE_CHECKS

    @pytest.mark.parametrize("check", STORE_CHECKS, ids=lambda check: check.__name__)
    def test_contract(check, tmp_path):
        check(lambda: MyStore(tmp_path / "own"))
"""

import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from ..spaces import Configuration
from ._records import OWN_SEARCHES, Evaluation, Source, Status, Task, task_id, unnamed

__all__ = ["STORE_CHECKS", "check_store", "make_records"]


def make_records(n_tasks=3, n_configurations=4):
    """Invent records of small searches.

    Parameters
    ----------
    n_tasks : int, default=3
    n_configurations : int, default=4
        Of one model family.

    Returns
    -------
    tasks : list of Task
    configurations : list of Configuration
    evaluations : list of Evaluation
        A success of each configuration on each task.
    metafeatures : dict of str to dict of str to float
        By task id.
    """
    tasks = [
        Task(
            task_id("invented", i),
            f"set {i}",
            "classification",
            f"family {i}",
            n_rows=100 + 7 * i,
            n_features=4 + i,
            n_classes=2,
            source="invented",
        )
        for i in range(n_tasks)
    ]
    configurations = [Configuration("svm", {"C": 1.0 + j}, {}) for j in range(n_configurations)]
    evaluations = [
        Evaluation(
            task.id,
            own.id,
            "ok",
            {"accuracy": (0.5 + 0.01 * i + 0.1 * j / n_configurations,) * 3},
            fit_seconds=(0.5, 0.25, 0.25),
            predict_seconds=(0.01, 0.01, 0.01),
            source="invented",
        )
        for i, task in enumerate(tasks)
        for j, own in enumerate(configurations)
    ]
    metafeatures = {task.id: {"log_n_rows": float(np.log(task.n_rows))} for task in tasks}
    return tasks, configurations, evaluations, metafeatures


def _table(store, *asked):
    """The one table of a store, and what could not be read."""
    tables, _, problems = store.read(*asked)
    assert not problems, problems
    return tables["classification", "main"]


def _scores(store):
    return _table(store).scores("accuracy").tolist()


def check_reading_makes_nothing(make):
    """Whatever is asked of a store that is not there, it is empty and is not made."""
    for _ in range(2):
        store = make()
        assert store.schema() is None and store.secret() is None
        assert store.read() == ({}, [], [])
        assert store.configurations(["none"]) == [] == store.often_measured(["svm"], 5)
        assert set(store.count().values()) == {0}
        store.close()


def check_added_is_read(make):
    """All that was added is there for the next that opens the store, as it was."""
    tasks, configurations, evaluations, metafeatures = make_records()
    make().add(tasks, configurations, evaluations, metafeatures, [Source("invented", "BSD")])
    store = make()
    tables, sources, problems = store.read()
    assert list(tables) == [("classification", "main")] and not problems
    table = tables["classification", "main"]
    assert {task.name for task in table.tasks} == {task.name for task in tasks}
    assert [(own.name, own.licence) for own in sources] == [("invented", "BSD")]
    assert (table.status == Status.ok).all()
    for own in evaluations:
        row, column = table.row(own.task), table.columns_of([own.configuration])[0]
        assert table.fold_scores("accuracy")[row, column].tolist() == list(own.metrics["accuracy"])
        assert np.isfinite(table.seconds[row, column])
    for task in tasks:
        found = table.metafeatures[table.row(task.id)]
        assert dict(zip(table.metafeature_names, found, strict=True)) == metafeatures[task.id]
    known = {own.id: own for own in store.configurations([own.id for own in configurations])}
    assert known == {own.id: own for own in configurations}


def check_nothing_is_doubled(make):
    """The same records again change nothing."""
    records = make_records()
    for _ in range(2):
        make().add(records[0], records[1], [*records[2], *records[2]], records[3])
    count = make().count()
    assert count["evaluations"] == len(records[2]) and count["configurations"] == len(records[1])
    assert count["tasks"] == count["metafeatures"] == len(records[0])


def check_only_a_success_replaces_a_failure(make):
    """Of two evaluations of a cell the first is kept, unless only the second went well."""
    tasks, configurations, (good, *_), _ = make_records(1, 1)
    bad = replace(good, status="crashed", metrics={}, reason="ValueError")
    other = replace(good, metrics={"accuracy": (0.1,) * 3})
    for own, expected in ((bad, None), (good, good), (other, good), (bad, good)):
        make().add(tasks, configurations, [own])
        if expected is None:
            assert _table(make()).status.tolist() == [[Status.crashed]]
        else:
            assert np.allclose(_scores(make()), np.mean(expected.metrics["accuracy"]))
    assert make().count()["evaluations"] == 1


def check_metafeatures_are_completed(make):
    """Meta-features that a task lacks are added; those that it has stay."""
    tasks, configurations, evaluations, _ = make_records(1, 1)
    for values in ({"a": 1.0, "b": np.nan}, {"a": 5.0, "b": 2.0, "c": 3.0}, {"c": np.nan}):
        make().add(tasks, configurations, evaluations, {tasks[0].id: values})
    table = _table(make())
    found = dict(zip(table.metafeature_names, table.metafeatures[0].tolist(), strict=True))
    assert found == {"a": 1.0, "b": 2.0, "c": 3.0}


def check_a_name_may_come_later(make):
    """The name that a user gives a dataset takes the place of none; none does not take a name's."""
    tasks, configurations, evaluations, _ = make_records(1, 1)
    none = unnamed(tasks[0].id)
    for name, expected in ((none, none), ("sales", "sales"), (none, "sales")):
        task = replace(tasks[0], name=name, family=name, source=OWN_SEARCHES)
        make().add([task], configurations, evaluations)
        assert [own.name for own in _table(make()).tasks] == [expected]


def check_parts_are_read(make):
    """What is asked for is read and nothing else; of many, the last."""
    tasks, configurations, evaluations, metafeatures = make_records(3, 4)
    store = make()
    for task in tasks:
        own = [one for one in evaluations if one.task == task.id]
        # The first configuration is measured on all tasks, the others on the last one only.
        store.add([task], configurations, own if task is tasks[-1] else own[:1], metafeatures)
    table = _table(make(), [configurations[0].id])
    assert len(table.tasks) == 3 and [own.id for own in table.configurations] == [
        configurations[0].id
    ]
    assert len(_table(make(), [configurations[1].id]).tasks) == 1
    assert [own.id for own in _table(make(), [configurations[0].id], 1).configurations] == [
        configurations[0].id
    ]
    assert len(_table(make(), [configurations[0].id], 1).tasks) == 1
    assert make().often_measured(["svm"], 1) == [configurations[0].id]
    assert make().often_measured(["forest"], 9) == []
    assert len(make().configurations(family="svm", most=2)) == 2
    assert make().configurations(family="forest", most=2) == []


def check_a_failed_call_leaves_nothing(make):
    """Of a call that ends in an error nothing is kept."""
    tasks, configurations, evaluations, metafeatures = make_records()

    def broken():
        yield from evaluations[:2]
        raise RuntimeError("the disk is gone")

    for _ in range(2):
        try:
            make().add(tasks, configurations, broken(), metafeatures)
        except RuntimeError:
            pass
        else:
            raise AssertionError("the error was swallowed")
        assert set(make().count().values()) == {0}


def check_one_key(make):
    """A store has one secret key, made with it, which everybody who opens it finds."""
    keys = {make().secret(make=True), make().secret(), make().secret(make=True)}
    assert len(keys) == 1 and len(keys.pop()) >= 32


def check_it_travels(make):
    """A pickled store reads and writes the same records."""
    tasks, configurations, evaluations, metafeatures = make_records()
    store = make()
    store.add(tasks[:1], configurations, evaluations[:4], metafeatures)
    copy = pickle.loads(pickle.dumps(store))
    assert _scores(copy) == _scores(store)
    copy.add(tasks, configurations, evaluations, metafeatures)
    assert len(_table(store).tasks) == len(tasks)


def check_many_write(make):
    """Threads that share a store, and others that open their own, lose and double nothing."""
    tasks, configurations, evaluations, metafeatures = make_records(12, 3)
    shared = make()

    def write(number):
        own = [one for one in evaluations if one.task == tasks[number].id]
        store = shared if number % 2 else make()
        # All describe all tasks, so that they meet in the same rows.
        store.add(tasks, configurations, own, metafeatures)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(write, range(len(tasks))))
    table = _table(make())
    assert len(table.tasks) == 12 and (table.status == Status.ok).all()
    assert make().count()["evaluations"] == len(evaluations)


STORE_CHECKS = (
    check_reading_makes_nothing,
    check_added_is_read,
    check_nothing_is_doubled,
    check_only_a_success_replaces_a_failure,
    check_metafeatures_are_completed,
    check_a_name_may_come_later,
    check_parts_are_read,
    check_a_failed_call_leaves_nothing,
    check_one_key,
    check_it_travels,
    check_many_write,
)


def check_store(make):
    """Check that stores keep what they are told.

    Parameters
    ----------
    make : callable
        ``make(place)`` opens the store at a place; the same place again opens the same store.
        Places are short names, of stores that are empty at first.
    """
    for check in STORE_CHECKS:
        check(lambda place=check.__name__: make(place))
