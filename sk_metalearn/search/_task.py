"""What a search must know of its task before it can ask the past: kind, schema, meta-features."""

import warnings
from dataclasses import dataclass

from scipy.sparse import issparse
from sklearn.base import is_classifier, is_regressor
from sklearn.utils import get_tags
from sklearn.utils.multiclass import type_of_target

from ..exceptions import FallbackWarning, KnowledgeError, KnowledgeWarning
from ..knowledge import KnowledgeBase
from ..metafeatures import MetaFeatureExtractor
from ..spaces import Schema

__all__ = ["TaskAtHand", "describe_task", "kind_of", "open_knowledge", "warn_if_not_iid"]


@dataclass(frozen=True)
class TaskAtHand:
    """The task of one search.

    Parameters
    ----------
    kind : {"classification", "regression", ""}
        Empty where the task is neither.
    schema : Schema or None
        None where X is not a table.
    why_not : str
        Why past tasks have nothing to say; empty if they may have.
    """

    kind: str
    schema: Schema | None = None
    why_not: str = ""


def kind_of(estimator):
    """Give the kind of task that an estimator solves, empty if neither of ours."""
    if is_classifier(estimator):
        return "classification"
    return "regression" if is_regressor(estimator) else ""


def describe_task(estimator, X, y):
    """Describe the task for the catalogue and the knowledge base.

    Parameters
    ----------
    estimator : estimator
    X, y : array-like

    Returns
    -------
    TaskAtHand
    """
    kind = kind_of(estimator)
    if not kind or y is None:
        return TaskAtHand(kind, why_not="the task is neither classification nor regression")
    # Text, images, a target with gaps, anything: the search goes on without the past.
    why_not = ""
    try:
        target = type_of_target(y)
        if target in ("multilabel-indicator", "multiclass-multioutput", "continuous-multioutput"):
            why_not = f"the knowledge has no {target} tasks"
    except Exception as error:
        why_not = f"y is not a target that it knows ({type(error).__name__}: {error})"
    try:
        schema = Schema.from_data(X, y.toarray() if issparse(y) else y, kind)
    except Exception as error:
        return TaskAtHand(kind, why_not=f"X is not a table ({type(error).__name__}: {error})")
    if not why_not and get_tags(estimator).input_tags.pairwise:
        why_not = "X is a matrix of kernel values or distances"
    return TaskAtHand(kind, schema, why_not)


def measure(X, y, kind):
    """Give the meta-features of a task, None if they cannot be had."""
    try:
        return MetaFeatureExtractor(random_state=0).extract(X, y, kind=kind)
    except Exception:
        return None


def open_knowledge(knowledge):
    """Open what the parameter `knowledge` of a search names.

    Parameters
    ----------
    knowledge : KnowledgeBase, str, path-like or None

    Returns
    -------
    KnowledgeBase or None

    Raises
    ------
    KnowledgeError
        If a file is named and it cannot be read.
    """
    if knowledge is None or isinstance(knowledge, KnowledgeBase):
        return knowledge
    if knowledge == "bundled":
        try:
            return KnowledgeBase.bundled()
        except KnowledgeError as error:
            warnings.warn(
                f"{error} The search goes on without knowledge of past tasks.",
                FallbackWarning,
                stacklevel=4,
            )
            return None
    return KnowledgeBase.open(knowledge)


_NOT_IID = ("Group", "TimeSeries", "LeaveOneGroup", "LeavePGroups", "Predefined")


def warn_if_not_iid(cv, groups):
    """Say that the past was measured on shuffled rows where the folds are not made so."""
    name = type(cv).__name__
    if groups is not None or any(part in name for part in _NOT_IID):
        warnings.warn(
            f"The folds of {name} follow groups or time, while past tasks were measured on folds "
            "of shuffled rows: what they suggest is a weaker guide here.",
            KnowledgeWarning,
            stacklevel=4,
        )
