"""Two points share a key only if they are the same configuration."""

import functools
import itertools

import numpy as np
import pytest
from scipy.stats import loguniform
from sklearn.compose import ColumnTransformer
from sklearn.frozen import FrozenEstimator
from sklearn.gaussian_process.kernels import RBF, WhiteKernel
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import KFold
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sk_metalearn.spaces import Encoder, point_key, point_keys, value_text

X, y = np.random.RandomState(0).rand(20, 2), np.arange(20) % 2
LONG = np.arange(2000)


def columns(n):
    return ColumnTransformer([("kept", "passthrough", list(range(n)))])


def raised_to(power):
    def function(x):
        return x**power

    return function


class Plain:
    def __init__(self, value):
        self.value = value


def fitted(labels):
    return FrozenEstimator(LogisticRegression().fit(X, labels))


@pytest.mark.parametrize(
    "values",
    [
        (1, True, 1.0, "1", "1.0", None, np.nan, np.inf, [1], (1,), {"a": 1}, {1}),
        (RBF(1.0), RBF(1.0, "fixed"), RBF(1.0) + WhiteKernel(), RBF(1.0) * WhiteKernel()),
        (columns(35), columns(40)),
        (LONG, np.where(LONG == 1000, 7, LONG), LONG.astype(float), LONG.reshape(2, -1)),
        (np.array(["a", None], dtype=object), np.array(["b", None], dtype=object)),
        (StandardScaler(), StandardScaler().set_output(transform="pandas")),
        (fitted(y), fitted(1 - y)),
        (Plain(1), Plain(2), Plain(LONG)),
        (raised_to(2), raised_to(3), lambda e: e.a, lambda e: e.b, np.log1p, np.exp, len),
        tuple(FunctionTransformer(functools.partial(np.clip, a_min=i)) for i in range(2)),
        tuple(make_scorer(accuracy_score, greater_is_better=sign) for sign in (True, False)),
        (loguniform(1, 2), loguniform(1, 3)),
        (np.random.RandomState(0), np.random.RandomState(0), np.random.default_rng(0)),
        ((i for i in range(3)), (i for i in range(3))),
        (KFold(2), KFold(3)),
    ],
    ids=lambda values: type(values[-1]).__name__,
)
def test_what_differs_has_another_key(values):
    keys = [point_key({"name": value}) for value in values]
    assert len(set(keys)) == len(keys)
    points = [{"a": a, "b": b} for a, b in itertools.product(values, repeat=2)]
    assert point_keys(points) == [point_key(point) for point in points]


@pytest.mark.parametrize(
    "make",
    [
        lambda: RBF(2.0) + WhiteKernel(),
        lambda: columns(40),
        lambda: np.arange(5000.0),
        lambda: Plain({"a": [1, 2], "b": {"x", "y"}}),
        lambda: make_scorer(accuracy_score),
        lambda: functools.partial(np.clip, a_min=2),
        lambda: {"b": np.float64(2.0), "a": (np.int64(1), "x")},
    ],
)
def test_what_is_made_alike_has_the_same_key(make):
    assert point_key({"name": make()}) == point_key({"name": make()})


def test_functions_are_known_by_their_code():
    def text(function):
        return value_text(function).split(" at ")[0]

    assert text(raised_to(2)) == text(raised_to(2)) != text(raised_to(3))
    first, second = (lambda e: e.a), (lambda e: e.b)
    assert text(first) != text(second)


def test_a_function_that_knows_itself_has_a_key():
    def down(n):
        return down(n - 1) if n else 0

    assert point_key({"f": down}) == point_key({"f": down})


@pytest.mark.parametrize(
    "values, rows",
    [
        ([0.1, 1.0, np.inf], [[0, 0], [1, 0], [0, 1]]),
        ([float("nan"), -1, float("nan")], [[1, 0], [0, 1], [1, 0]]),
        ([1, 2, 10**400], [[0, 0], [1, 0], [0, 1]]),
        ([StandardScaler(), "passthrough", StandardScaler()], [[1, 0], [0, 1], [1, 0]]),
    ],
    ids=["infinity", "NaN", "beyond float", "made twice"],
)
def test_what_is_no_finite_number_is_a_choice_of_its_own(values, rows):
    encoder = Encoder([{"name": value} for value in values])
    assert encoder.candidates.tolist() == rows
    assert encoder([{"name": values[-1]}]).tolist() == rows[-1:]
