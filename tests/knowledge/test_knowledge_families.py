"""Families over all sources, and the datasets that are never imported."""

import pytest
from sklearn import datasets as bundled

from sk_metalearn.knowledge import (
    Evaluation,
    FamilyTable,
    KnowledgeBase,
    Task,
    excluded_tasks,
    exclusion,
    normalize_name,
    task_id,
)
from sk_metalearn.knowledge._exclusions import EXCLUDED
from sk_metalearn.spaces import Configuration


def task(name, rows=0, columns=0, classes=2, data=None, number=None, family="", source="a"):
    kind = "classification" if classes else "regression"
    key = task_id(source, name, rows, kind, data, number)
    return Task(key, name, kind, family, rows, columns, classes, data, source, "", number)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("credit-g (1)", "credit g"),
        ("Credit_G", "credit g"),
        ("keel-credit-g", "credit g"),
        ("BNG(credit-g,nominal,1000000) (1)", "credit g"),
        ("fri_c4_1000_100", "friedman"),
        ("GAMETES-Epistasis-2-Way", "gametes"),
        ("mfeat-zernike (2)", "mfeat"),
        ("autoUniv-au7-1100", "autouniv"),
        ("Hill-Valley-with-noise", "hill valley"),
        ("monks-problems-2", "monks"),
        ("APSFailure", "apsfailure"),
        ("vehicle_v2", "vehicle"),
        ("数据_一", "数据 一"),
        ("Größe (2)", "größe"),
        ("BNG(данные,nominal)", "данные"),
        ("!?", ""),
        ("ada_agnostic (1)", "adult"),
    ],
)
def test_names_are_reduced_to_what_copies_share(name, expected):
    assert normalize_name(name) == expected


def test_each_kind_of_key_unites():
    kin = [
        task("electricity", 45312, 8, data=151, source="corpus"),
        task("elec2", 100, 3, data=151, source="oboe"),
        task("BNG(electricity)", 1_000_000, 8, source="openml"),
        task("power prices", 45312, 8, source="other"),
        task("electricity prices", 45312, 8, classes=0, source="other"),
    ]
    strangers = [task("letter", 20000, 16, 26), task("letters", 1000, 16, 26)]
    table = FamilyTable([*kin, *strangers])
    assert len({table.family_of[own.id] for own in kin}) == 1
    assert len(table.names()) == 3
    for own in kin:
        assert table.kin_of(own) == {table.family_of[kin[0].id]}


def test_task_ids_unite_with_data_ids():
    known = task("credit-g", data=31, number=31, source="pimp")
    by_task = task("German credit", number=31, source="searches")
    by_data = task("german", data=31, source="oboe")
    table = FamilyTable([known, by_task, by_data])
    assert len(table.names()) == 1


def test_round_shapes_do_not_unite_the_kinds():
    table = FamilyTable([task("a", 1000, 10, 2), task("b", 1000, 10, 0), task("c", 1000, 10, 3)])
    assert len(table.names()) == 3
    table = FamilyTable([task("a", 1013, 10, 2), task("b", 1013, 10, 0)])
    assert len(table.names()) == 1


def test_a_source_family_is_kept_as_a_key():
    table = FamilyTable([task("x", 10, 2, family="group 7"), task("y", 20, 3, family="Group_7")])
    assert table.names() == ["Group_7"]


def test_names_in_other_scripts_and_of_signs_unite_nothing():
    tasks = [task(name, 101 + i, 4) for i, name in enumerate(["数据", "客户", "!?", "?!", "", " "])]
    table = FamilyTable(tasks)
    assert len(table.names()) == 6
    assert table.resolve(tasks=[tasks[0], "客户"]) == {"数据", "客户"}
    assert table.resolve(tasks=[tasks[2]]) == {tasks[2].id}
    assert table.resolve(families=table.names()) == set(table.names())
    base = _base(tasks, 0.5)
    assert len(base.without(tasks=[tasks[2]]).tasks) == 5


def test_aliases_lead_to_families_without_uniting_them():
    first, second = task("a", 101, 4, data=1), task("b", 103, 5, data=2)
    alias = task("b", 101, 4, data=3)
    table = FamilyTable([first, second], [alias])
    assert len(table.names()) == 2
    assert table.resolve(openml_ids=[3]) == {"a", "b"}
    assert table.resolve(openml_ids=[1]) == {"a"}


def _base(tasks, score):
    configuration = Configuration("mlp", {"alpha": 0.1}, {})
    evaluations = [
        Evaluation(own.id, configuration.id, "ok", {"accuracy": (score,)}, source=own.source)
        for own in tasks
    ]
    return KnowledgeBase.from_evaluations(tasks, [configuration], evaluations)


def test_nothing_left_out_comes_back_through_another_source():
    ours = _base([task("vehicle", 846, 18, 4, data=54, source="corpus")], 0.8)
    theirs = _base(
        [
            task("vehicle (1)", 846, 18, 4, data=54, source="oboe"),
            task("vehicle_sensIT", 98528, 100, 2, data=357, source="oboe"),
            task("task 53", 846, 18, 4, number=53, source="pimp"),
            task("BNG(vehicle,nominal,1000000)", 1_000_000, 18, 4, source="openml"),
        ],
        0.7,
    )
    merged = ours.merge(theirs)
    for options in ({"openml_ids": [54]}, {"families": ["vehicle"]}, {"tasks": ["task 53"]}):
        left = merged.without(**options)
        assert [own.name for own in left.tasks] == ["vehicle_sensIT"]
        table = left.table("classification")
        assert table.scores("accuracy").shape == (1, 1)


LOADERS = {
    "iris": bundled.load_iris,
    "wine": bundled.load_wine,
    "breast_cancer": bundled.load_breast_cancer,
    "digits": bundled.load_digits,
    "diabetes": bundled.load_diabetes,
}


@pytest.mark.parametrize("name", LOADERS)
def test_shapes_of_the_bundled_datasets_are_excluded(name):
    X, y = LOADERS[name](return_X_y=True)
    classes = 0 if name == "diabetes" else len(set(y))
    assert exclusion(shape=(*X.shape, classes)) == name
    found = excluded_tasks([task("renamed", *X.shape, classes)])
    assert [copied for _, copied in found] == [name]


@pytest.mark.parametrize("name", EXCLUDED)
def test_excluded_by_id_and_by_name(name):
    for data_id in EXCLUDED[name]["ids"]:
        assert exclusion(openml_id=data_id) == name
    for own in EXCLUDED[name]["names"]:
        assert exclusion(own) == name
        assert exclusion(own.title().replace(" ", "_") + " (3)") == name
        assert exclusion(f"BNG({own})") == name


def test_names_shared_with_other_datasets_count_by_kind():
    assert exclusion("diabetes", kind="regression") == "diabetes"
    assert exclusion("diabetes", openml_id=37, shape=(768, 8, 2), kind="classification") == ""
    assert exclusion("wine-quality-red") == exclusion("breast-w") == exclusion("irish") == ""
    assert exclusion("pendigits", shape=(10992, 16, 10)) == ""
    assert exclusion() == ""
