"""Workers run the user's code as it is now here, and what comes back is of the caller's classes."""

import importlib
import os
import pickle
import subprocess
import sys
import textwrap

import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sk_metalearn.evaluation import WorkerPool, make_executor
from sk_metalearn.evaluation._user_code import dumps, is_users, loads
from sk_metalearn.evaluation.testing import make_payload

pytestmark = pytest.mark.slow

LONG = 100.0
MODULE = """
from sklearn.base import BaseEstimator, ClassifierMixin

VALUE = {value}

def part(X):
    return X[:, :VALUE]

class Own(ClassifierMixin, BaseEstimator):
    class Inner:
        pass

    def fit(self, X, y):
        self.classes_ = sorted(set(y))
        self.value_, self.inner_ = helper(), self.Inner()
        return self

    def predict(self, X):
        return [VALUE % 3] * len(X)

def helper():
    return VALUE

def score(estimator, X, y):
    return float(VALUE)
"""


@pytest.fixture
def module(tmp_path, monkeypatch, request):
    """Give a function that writes a module of the user's own and loads it as it is now."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    name = f"users_{abs(hash(request.node.name))}"

    def load(value):
        (tmp_path / f"{name}.py").write_text(MODULE.format(value=value))
        importlib.invalidate_caches()
        if name in sys.modules:
            return importlib.reload(sys.modules[name])
        return importlib.import_module(name)

    load.path = tmp_path / f"{name}.py"
    yield load
    sys.modules.pop(name, None)


def fit(estimator, payload):
    return estimator.fit(payload.X, payload.y)


def test_what_is_the_users_own(module):
    assert is_users("__main__") and is_users(module(1).__name__)
    for name in ("os", "sklearn.svm", "numpy", "sk_metalearn.evaluation", "sys", "no.such.module"):
        assert not is_users(name), name


@pytest.mark.parametrize(
    "on_disk", ["edited later", "removed", pytest.param("as here", marks=pytest.mark.slow)]
)
def test_edited_and_reloaded_between_two_searches(module, on_disk):
    for value in (1, 2, 3):
        users = module(value)
        if on_disk == "edited later":
            module.path.write_text(MODULE.format(value=17))
        if on_disk == "removed":
            module.path.unlink()
        payload = make_payload(users.Own(), scoring=users.score)
        with make_executor(payload, n_jobs=2) as executor:
            executor.submit(({}, 0), "one")
            done = executor.next(timeout=LONG)
            assert done.value.scores == value, done
            done = executor.call(fit, users.Own(), payload)
            assert executor.kills
        model = done.value
        assert type(model) is users.Own and type(model.inner_) is users.Own.Inner
        assert model.value_ == value
        # A plain pickle of it names the caller's own class.
        assert type(pickle.loads(pickle.dumps(model))) is users.Own
        assert users.Own.fit.__globals__ is users.__dict__, "the caller's class was changed"


def test_functions_come_back_as_they_are_here(module):
    users = module(2)
    model = make_pipeline(FunctionTransformer(users.part), LogisticRegression())
    payload = make_payload(model)
    with make_executor(payload, n_jobs=2) as executor:
        # A function travels with each job that has it, too.
        executor.submit(({"functiontransformer__func": users.part}, 0), "one")
        assert executor.next(timeout=LONG).value.status == "ok"
        done = executor.call(fit, model, payload)
    assert done.value[0].func is users.part
    pickle.dumps(done.value)


def test_what_a_module_cannot_send_leaves_the_module(module):
    """A lock beside a function does not travel; the module can be imported there."""
    module(1)
    module.path.write_text(
        MODULE.format(value=5)
        + "import threading\nlock = threading.Lock()\n"
        + "def guarded():\n    with lock:\n        return VALUE\n"
    )
    users = importlib.reload(sys.modules[module.path.stem])
    with WorkerPool(1, preload=()) as pool:
        pool.submit(users.guarded)
        assert pool.next(timeout=LONG).value == 5


def test_a_module_without_a_file_is_made(module):
    """What a worker got, it can send on: a search inside a candidate."""
    users = module(4)
    content = dumps((users.helper, users.Own))
    code = (
        "import sys\n"
        "from sk_metalearn.evaluation._user_code import dumps, loads\n"
        "helper, own = loads(sys.stdin.buffer.read())\n"
        f"import {users.__name__} as again\n"
        "assert again.helper is helper and again.Own is own\n"
        "helper, own = loads(dumps((helper, own)))\n"
        "print(helper())\n"
    )
    module.path.unlink()
    done = subprocess.run([sys.executable, "-c", code], input=content, capture_output=True)
    assert done.stdout.strip() == b"4", done.stderr


def test_what_is_installed_travels_by_name():
    assert len(dumps(LogisticRegression())) < 1000
    assert type(loads(dumps(LogisticRegression()))) is LogisticRegression


SCRIPT = """
import pickle, sys
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sk_metalearn.evaluation import make_executor
from sk_metalearn.evaluation.testing import make_payload


class Own(TransformerMixin, BaseEstimator):
    def __init__(self, power=1):
        self.power = power

    def fit(self, X, y=None):
        with open(sys.argv[2], "a") as file:
            file.write("fitted ")
        self.n_ = len(X)
        return self

    def transform(self, X):
        return helper(X, self.power)


def helper(X, power):
    return X**power


def fit(estimator, payload):
    return estimator.fit(payload.X, payload.y)


model = Pipeline([("own", Own()), ("last", LogisticRegression())], memory=sys.argv[1])
payload = make_payload(model)
with make_executor(payload, n_jobs=2) as executor:
    for round_ in range(2):
        executor.submit(({"own__power": 3}, 0), "one")
        done = executor.next(timeout=100)
        assert done.value.status == "ok", done.value.failure
    fitted = executor.call(fit, model, payload).value
    assert executor.kills
assert type(fitted[0]) is Own and fitted[0].transform.__func__ is Own.transform
pickle.loads(pickle.dumps(fitted))
print("DONE")
"""


def test_a_class_of_the_script_in_a_pipeline_with_memory(tmp_path):
    path, note = tmp_path / "script.py", tmp_path / "note"
    path.write_text(textwrap.dedent(SCRIPT))
    paths = os.pathsep.join(path or os.getcwd() for path in sys.path)
    done = subprocess.run(
        [sys.executable, str(path), str(tmp_path / "cache"), str(note)],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=2 * LONG,
    )
    assert done.stdout.strip() == "DONE", done.stderr
    assert note.read_text().split() == ["fitted"] * 2, "the second fold comes from the cache"
