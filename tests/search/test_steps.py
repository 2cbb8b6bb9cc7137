"""The way of a search: five steps, each in a file of its own, walked once and without returns."""

import ast
import dataclasses
import inspect
from pathlib import Path

import pytest

import sk_metalearn
from sk_metalearn import AutoClassifier, AutoRegressor, MetaSearchCV
from sk_metalearn.search import CandidateLimits
from sk_metalearn.search._auto_model import AutoModel
from sk_metalearn.search._auto_search import AutoSearch
from sk_metalearn.search._budget import Budget
from sk_metalearn.search._choices import Choices
from sk_metalearn.search._final_fit import FinalFit
from sk_metalearn.search._loop import LoopRules
from sk_metalearn.search._options import SearchOptions
from sk_metalearn.search._past import Past
from sk_metalearn.search._problem import Problem
from sk_metalearn.search._run_search import SearchRun

ROOM = Path(sk_metalearn.__file__).parent / "search"
DESIGN = Path(__file__).parents[2] / "docs" / "design.rst"
# From the ground up: a step imports only what stands before it.
STEPS = [
    {
        "_options",
        "_budget",
        "_point_json",
        "_stopped_boosting",
        "_losses",
        "_own_families",
        "_own_steps",
    },
    {"_several_metrics", "_several"},
    {"_fingerprint", "_folds", "_memory_needed", "_rows_of_text"},
    {"_problem"},
    {"_choices"},
    {"_grid_choices", "_catalogue_choices"},
    {"_many_rows"},
    {"_memory", "_past_lookup", "_report"},
    {"_past", "_quick_model"},
    {"_loop", "_fold_models", "_progress"},
    {"_watcher", "_final_fit", "_more_fits"},
    {"_voting"},
    {"_kept_models"},
    {"_ending", "_evidence"},
    {"_fast_scores"},
    {"_reserve"},
    {"_run_search"},
    {"_best_index", "_results", "_callbacks", "_leaderboard"},
    {"_ensemble"},
    {"_threshold"},
    {"_members"},
    {"_score_estimate", "_intervals"},
    {"_nearly_all_rows"},
    {"_auto_model"},
    {"_auto_search", "_meta_search", "_recommend"},
    {"_auto"},
]
APART = {"__init__", "_code", "_check_data", "_routing", "_settings_text", "_show"}


def imports_of(name):
    tree = ast.parse((ROOM / f"{name}.py").read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level == 1 and node.module:
            yield node.module


def test_every_file_of_the_room_has_its_place():
    found = {path.stem for path in ROOM.glob("*.py")}
    assert found == set().union(*STEPS) | APART


@pytest.mark.parametrize("floor", range(len(STEPS)))
def test_a_step_knows_nothing_of_the_steps_below_it(floor):
    allowed = set().union(*STEPS[: floor + 1]) | APART
    wrong = {(name, other) for name in STEPS[floor] for other in imports_of(name)}
    assert not {(name, other) for name, other in wrong if other not in allowed}


def calls_in(function):
    """Names of the functions that a function calls, in the order of the text."""
    tree = ast.parse(inspect.cleandoc("\n" + inspect.getsource(function)))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    calls.sort(key=lambda node: (node.lineno, node.col_offset))
    return [getattr(node.func, "id", getattr(node.func, "attr", "")) for node in calls]


def test_fit_reads_as_its_steps_once_each():
    for fit, own, model in (
        (MetaSearchCV.fit, "choose_from_grid", "_fit_best"),
        (AutoSearch.fit, "choose_pipelines", "fit_auto_model"),
    ):
        steps = ["of", "pose_problem", own, "ask_the_past", "run_search", model, "remember"]
        called = [name for name in calls_in(fit) if name in steps]
        called = called[:1] + [name for name in called[1:] if name != "of"]
        assert called == steps
        body = inspect.getsource(fit).rpartition('"""')[2]
        assert len(body.splitlines()) < 50


@pytest.mark.parametrize(
    "value",
    [
        AutoModel,
        Budget,
        CandidateLimits,
        Choices,
        FinalFit,
        LoopRules,
        Past,
        Problem,
        SearchOptions,
        SearchRun,
    ],
)
def test_what_goes_from_step_to_step_is_frozen(value):
    assert dataclasses.is_dataclass(value) and value.__dataclass_params__.frozen


@pytest.mark.parametrize("estimator", [MetaSearchCV, AutoClassifier, AutoRegressor])
def test_the_design_page_lists_every_option(estimator):
    text = DESIGN.read_text(encoding="utf-8")
    table = text[text.index("The options of both estimators") : text.index("Words\n-----")]
    names = set(inspect.signature(estimator).parameters)
    assert {name for name in names if f"``{name}``" not in table} == set()
    assert len(names) <= 23


def test_both_families_share_the_names_and_defaults_of_their_options():
    ours, theirs = (inspect.signature(own).parameters for own in (MetaSearchCV, AutoClassifier))
    differ = {n for n in set(ours) & set(theirs) if ours[n].default != theirs[n].default}
    assert not differ
    only_of_classes = {name: own for name, own in theirs.items() if name != "threshold"}
    assert dict(inspect.signature(AutoRegressor).parameters) == only_of_classes
