import numpy as np
import pytest
from sklearn.svm import SVC

from sk_metalearn.exceptions import SpaceError
from sk_metalearn.spaces import Branch, Categorical, Condition, Float, Integer, Schema, Space
from sk_metalearn.spaces._match import match_candidates

SVM = Branch(
    {
        "kernel": Categorical(("rbf", "poly")),
        "C": Float(1e-2, 1e4, log=True, default=1.0),
        "gamma": Float(1e-5, 10, log=True, default="scale", specials=("scale",)),
        "degree": Integer(2, 4),
    },
    (Condition("degree", "kernel", ("poly",)),),
    "svm",
)
NEIGHBORS = Branch({"n": Integer(1, 100, log=True)}, name="neighbors")


@pytest.fixture
def space():
    return Space([SVM, NEIGHBORS])


def test_samples_lie_in_the_space_and_hold_only_active_parameters(space):
    rng = np.random.default_rng(0)
    points = [space.sample(rng) for _ in range(300)]
    assert all(space.contains(point) for point in points)
    kernels = {point.get("kernel") for point in points}
    assert kernels == {"rbf", "poly", None}
    for point in points:
        assert ("degree" in point) == (point.get("kernel") == "poly")


def test_encoding_masks_what_is_inactive(space):
    points = [{"kernel": "rbf", "C": 1.0, "gamma": "scale"}, {"n": 100}]
    values, active = space.encode(points)
    assert values.shape == active.shape == (2, space.n_columns)
    assert values[~active].max() == 0
    column = {name: start for name, _, start in space.columns}
    assert not active[0, column["degree"]]
    assert not active[0, column["gamma"]] and values[0, column["gamma"] + 1] == 1
    assert values[1, column["n"]] == 1.0
    assert values[0, column["C"]] == pytest.approx(1 / 3)


def test_unit_interval_round_trip():
    for parameter in (Float(1e-3, 10, log=True), Float(-2, 5), Integer(1, 64, log=True)):
        for u in np.linspace(0, 1, 7):
            value = parameter.from_unit(u)
            assert parameter.contains(value)
            assert parameter.from_unit(parameter.to_unit(value)) == pytest.approx(value)


def test_neighbors_move_within_the_branch(space):
    rng = np.random.default_rng(1)
    start = {"kernel": "poly", "C": 1.0, "gamma": 0.1, "degree": 3}
    near = [space.neighbor(start, rng, n_changes=2) for _ in range(100)]
    assert all(space.contains(point) and "kernel" in point for point in near)
    assert sum(point != start for point in near) > 90


def test_crossover_mixes_parents_of_one_branch_only(space):
    rng = np.random.default_rng(2)
    first = {"kernel": "poly", "C": 1.0, "gamma": 0.1, "degree": 3}
    second = {"kernel": "rbf", "C": 50.0, "gamma": "scale"}
    children = [space.crossover(first, second, rng) for _ in range(50)]
    assert all(space.contains(child) for child in children)
    assert {child["C"] for child in children} == {1.0, 50.0}
    assert space.crossover(first, {"n": 3}, rng) == first


def test_points_of_no_branch_are_refused(space):
    with pytest.raises(SpaceError, match="belongs to no branch"):
        space.encode([{"unknown": 1}])


def test_true_is_not_one():
    flags = Categorical((1, True))
    assert flags.index(True) == 1 and flags.index(1) == 0


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: Float(2, 1), "low < high"),
        (lambda: Float(0, 1, log=True), "low > 0"),
        (lambda: Categorical(()), "at least one choice"),
        (lambda: Space([]), "at least one branch"),
        (lambda: Branch({"a": SVM.parameters["C"]}, (Condition("a", "b", (1,)),)), "'b'"),
    ],
)
def test_bad_definitions_say_what_is_wrong(make, message):
    with pytest.raises(SpaceError, match=message):
        make()


def test_fingerprint_changes_with_the_space(space):
    assert space.fingerprint == Space([SVM, NEIGHBORS]).fingerprint
    assert space.fingerprint != Space([NEIGHBORS]).fingerprint


def test_messages_show_plain_values():
    choice = Categorical(tuple(np.logspace(-1, 1, 3)))
    with pytest.raises(SpaceError, match=r"^0.5 is not among the choices \(0.1, 1.0, 10.0\).$"):
        choice.index(np.float64(0.5))
    space = Space({"a": choice})
    with pytest.raises(SpaceError, match=r"point \{'b': 0.5\} belongs"):
        space.branch_of({"b": np.float64(0.5)})
    schema = Schema(100, 2, (0, 1), n_classes=2, min_class_count=50)
    matches = match_candidates(SVC(), [{"C": np.float64(1e9)}], schema, "classification")
    assert list(matches.reasons) == ["C=1000000000.0 lies outside the catalogue's 0.001 to 10000.0"]


def test_a_range_of_whole_numbers_holds_no_others():
    whole = Integer(2, 5, specials=(None, 0.5))
    assert all(whole.contains(value) for value in (2, 5, np.int64(3), 4.0, None, 0.5))
    assert not any(whole.contains(value) for value in (2.5, 1, 6, np.nan, np.inf, True, "3"))
