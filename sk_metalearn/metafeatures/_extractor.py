"""The estimator that measures datasets."""

import time
import warnings
from functools import lru_cache
from numbers import Integral, Real

import numpy as np
from joblib import Parallel, delayed
from sklearn import config_context
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data
from threadpoolctl import ThreadpoolController

from .._compat import Interval, StrOptions, _fit_context
from ._all_features import select
from ._kind import check_kind
from ._registry import COSTS, KINDS, NotComputable
from ._tables import read_table
from ._task import Task


class MetaFeatureExtractor(TransformerMixin, BaseEstimator):
    """Measure datasets: from ``X`` and ``y`` to named numbers.

    `extract` describes one dataset. As an estimator it describes a table, whose description
    `transform` attaches to each of the table's rows, or a list of datasets, of which `transform`
    makes a frame with one row per dataset.

    Parameters
    ----------
    groups : {"default", "all"} or list of str, default="default"
        Which meta-features: the set used to find similar datasets, all of them, or names of
        groups and of single meta-features (see `list_meta_features`).

    fidelity : {"sampled", "full", "exact"}, default="sampled"
        What dear meta-features read. ``"sampled"``: counts and moments come from all rows, the
        rest from at most as many rows as its cost class says (10,000 for sorting and
        correlations, 1,000 for learners and distances). ``"full"``: all rows. ``"exact"``: all
        rows, and published procedures are followed step by step, in the order of the rows, which
        makes the results equal to those of pymfe.

    time_limit : float, default=None
        Seconds for one dataset. When they are over, what is left is NaN, and `reasons_` says so;
        the cheapest meta-features come first.

    n_jobs : int, default=None
        How many datasets of a list are measured at once. The result does not depend on it.

    random_state : int, RandomState instance or None, default=0
        Draws samples, and breaks ties in trees.

    Attributes
    ----------
    meta_features_ : dict of str to float
        The description of the table given to `fit`; absent after a list of datasets.

    reasons_ : dict of str to str, or list of them
        Why a meta-feature is NaN, from the last call; one dict per dataset after a list.

    seconds_ : dict of str to float
        Seconds spent on each group in the last call of `extract`. A result that several groups
        share is charged to the first that needs it.

    kind_ : {"classification", "regression"} or None
        Kind of the table given to `fit`; None without a target.

    n_features_in_ : int
        Number of columns of the table given to `fit`.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of these columns, if they are strings.

    Notes
    -----
    Infinite values are treated as missing. Numbers may be NaN. Where rows are sampled, they are
    chosen by content, so that the result does not depend on the order of rows or columns (above
    100,000 rows, or 4 million numbers, rows are first thinned by position).

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sk_metalearn.metafeatures import MetaFeatureExtractor
    >>> X, y = load_iris(return_X_y=True)
    >>> features = MetaFeatureExtractor(groups=["simple", "target"]).extract(X, y)
    >>> features["n_rows"], features["n_classes"]
    (150.0, 3.0)
    """

    _parameter_constraints = {
        "groups": [StrOptions({"default", "all"}), list, tuple],
        "fidelity": [StrOptions({"sampled", "full", "exact"})],
        "time_limit": [Interval(Real, 0, None, closed="neither"), None],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        groups="default",
        *,
        fidelity="sampled",
        time_limit=None,
        n_jobs=None,
        random_state=0,
    ):
        self.groups = groups
        self.fidelity = fidelity
        self.time_limit = time_limit
        self.n_jobs = n_jobs
        self.random_state = random_state

    def feature_names(self, kind=None):
        """Return the names of the meta-features, in order, before any data is seen.

        Parameters
        ----------
        kind : {"classification", "regression"} or None, default=None
            Kind of task; None for those that need no target.

        Returns
        -------
        list of str
            The keys of what `extract` returns for a task of this kind.
        """
        if kind is not None and kind not in KINDS:
            raise ValueError(f"kind must be one of {KINDS} or None, got {kind!r}.")
        return [feature.name for _, chosen in select(self.groups, kind) for feature in chosen]

    def extract(self, X, y=None, kind=None, columns=None):
        """Measure one dataset.

        Parameters
        ----------
        X : array-like, sparse matrix or dataframe of shape (n_rows, n_columns)
            The data; pandas and polars frames may have columns of any type.
        y : array-like of shape (n_rows,), default=None
            The target. Without it only what needs no target is measured.
        kind : {"classification", "regression"} or None, default=None
            Kind of task; None to tell it from ``y``: text, categories and truth values are classes,
            and so are whole numbers, unless there are more than 50 different ones, or more than
            two with fewer than three rows for each on average.
        columns : dict or Layout, default=None
            What is known of some columns, by name (by position where there are no names), such as
            ``{"zip": "category", "key": "ignore"}``; see `sk_metalearn.tables.TableReader`. What is
            to be ignored is not measured.

        Returns
        -------
        dict of str to float
            One number per name in ``feature_names(kind)``. What cannot be computed is NaN, and
            the attribute ``reasons_`` says why.

        Raises
        ------
        ValueError
            If ``X`` is not a table of at least two rows, ``y`` does not fit it, or `columns` names
            a column or a role that does not exist.
        """
        self._validate_params()
        measured = self._measure(X, y, kind, self._seed(), columns)
        values, self.reasons_, self.seconds_ = measured
        return values

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Measure a table, or look at the kinds of a list of datasets.

        Parameters
        ----------
        X : table of shape (n_rows, n_columns), or list of datasets
            A table as in `extract`; or a list of ``(X, y)`` or ``(X, y, kind)`` tuples.
        y : array-like of shape (n_rows,), default=None
            The target of the table; ignored for a list.

        Returns
        -------
        MetaFeatureExtractor
            The fitted extractor.
        """
        for name in ("meta_features_", "kind_", "n_features_in_", "feature_names_in_"):
            self.__dict__.pop(name, None)
        if is_dataset_list(X):
            kinds = {check_kind(*dataset[1:]) for dataset in map(_as_dataset, X)}
            wanted = {name for kind in kinds for name in self.feature_names(kind)}
            self._names = [
                feature.name
                for _, chosen in select(self.groups, "any")
                for feature in chosen
                if feature.name in wanted
            ]
            self.reasons_ = [{} for _ in X]
            return self
        self.meta_features_, self.reasons_, self.seconds_ = self._measure(X, y, None, self._seed())
        validate_data(self, X, skip_check_array=True)
        self.kind_ = check_kind(y, None)
        self._names = list(self.meta_features_)
        return self

    def transform(self, X):
        """Describe every dataset of a list, or attach the fitted description to every row.

        Parameters
        ----------
        X : list of datasets, or table of shape (n_rows, n_columns)
            A list of ``(X, y)`` or ``(X, y, kind)`` tuples; or a table with the columns of the one
            given to `fit`.

        Returns
        -------
        DataFrame or ndarray of shape (n_datasets or n_rows, n_meta_features)
            For a list: one row per dataset, a pandas DataFrame if pandas is installed. For a
            table: the meta-features of the table given to `fit`, repeated for each row.
        """
        check_is_fitted(self, "_names")
        if is_dataset_list(X):
            return self._describe(X)
        check_is_fitted(self, "meta_features_")
        n_rows = read_table(X).n_rows
        validate_data(self, X, reset=False, skip_check_array=True)
        return np.tile([self.meta_features_[name] for name in self._names], (n_rows, 1))

    def get_feature_names_out(self, input_features=None):
        """Return the names of the columns of `transform`.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Ignored.

        Returns
        -------
        ndarray of str objects
            Names of the meta-features.
        """
        check_is_fitted(self, "_names")
        return np.asarray(self._names, dtype=object)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.sparse = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        return tags

    def _describe(self, datasets):
        seeded = [(_as_dataset(dataset), self._seed()) for dataset in datasets]
        results = Parallel(n_jobs=self.n_jobs)(
            delayed(self._measure)(*dataset, seed) for dataset, seed in seeded
        )
        self.reasons_ = [reasons for _, reasons, _ in results]
        rows = [[values.get(name, np.nan) for name in self._names] for values, _, _ in results]
        matrix = np.array(rows, dtype=float).reshape(len(rows), len(self._names))
        try:
            import pandas
        except ImportError:
            return matrix
        return pandas.DataFrame(matrix, columns=self._names)

    def _seed(self):
        """Draw the seed of one dataset."""
        if isinstance(self.random_state, Integral):
            return int(self.random_state)
        return check_random_state(self.random_state).randint(2**31 - 1)

    def _measure(self, X, y, kind, seed, columns=None):
        """Return the values, the reasons and the seconds per group for one dataset."""
        start = time.perf_counter()
        limit = np.inf if self.time_limit is None else self.time_limit
        task = Task(X, y, kind, self.fidelity, seed, start + limit, f"{limit:g} s", columns)
        chosen = select(self.groups, task.kind)
        values = {feature.name: np.nan for _, features in chosen for feature in features}
        reasons, seconds = {}, {}
        cheapest_first = sorted(chosen, key=lambda item: list(COSTS).index(item[1][0].cost))
        with _quiet():
            for item, features in cheapest_first:
                begun = time.perf_counter()
                found = _attempt(item, task)
                for feature, (value, reason) in zip(item.features, found, strict=True):
                    if feature in features:
                        values[feature.name] = value
                        if np.isnan(value):
                            reasons[feature.name] = reason
                group = features[0].group
                seconds[group] = seconds.get(group, 0.0) + time.perf_counter() - begun
        return values, reasons, seconds


def _attempt(item, task):
    """Compute one quantity: a value and a reason per feature; what goes wrong becomes NaN."""
    try:
        task.check_time()
        found = item.values(task)
    except NotComputable as error:
        return [(np.nan, str(error))] * len(item.features)
    except Exception as error:
        return [(np.nan, f"{type(error).__name__}: {error}")] * len(item.features)
    undefined = "a single value has no spread" if item.summaries else "the value is not defined"
    why = {True: undefined, False: "the value is not finite"}
    return [(v, "") if np.isfinite(v) else (np.nan, why[bool(np.isnan(v))]) for v in found]


class _quiet:
    """Keep numpy and scikit-learn from warning, and linear algebra to one thread.

    One thread keeps the last bits, and so the ties, the same for every ``n_jobs``.
    """

    def __enter__(self):
        self.contexts = [
            config_context(assume_finite=True, skip_parameter_validation=True),
            _controller().limit(limits=1),
            np.errstate(all="ignore"),
            warnings.catch_warnings(),
        ]
        for context in self.contexts:
            context.__enter__()
        warnings.simplefilter("ignore")

    def __exit__(self, *error):
        for context in reversed(self.contexts):
            context.__exit__(*error)


@lru_cache(maxsize=1)
def _controller():
    return ThreadpoolController()


def is_dataset_list(X):
    """Tell a list of datasets from a table.

    Parameters
    ----------
    X : object
        What was passed.

    Returns
    -------
    bool
        Whether it is a non-empty list whose elements are ``(X, y)`` or ``(X, y, kind)`` tuples.
    """
    return (
        isinstance(X, list | tuple)
        and len(X) > 0
        and all(
            isinstance(item, tuple) and len(item) in (2, 3) and _looks_like_table(item[0])
            for item in X
        )
    )


def _looks_like_table(X):
    if hasattr(X, "shape"):
        return len(X.shape) == 2
    return (
        isinstance(X, list | tuple) and len(X) > 0 and isinstance(X[0], list | tuple | np.ndarray)
    )


def _as_dataset(item):
    return item if len(item) == 3 else (*item, None)
