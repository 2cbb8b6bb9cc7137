"""The reading step as a transformer."""

from difflib import get_close_matches
from functools import lru_cache

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from .._compat import output_format
from ..exceptions import import_optional
from ._decide import decide
from ._read import Coded, read_plan
from ._storage import empty_column, view_of

__all__ = ["TableReader", "describe_columns", "misspelt_names", "read_columns"]


class TableReader(TransformerMixin, BaseEstimator):
    """Read any table into plain columns of numbers and text.

    What a column is follows from its values and its logical type, not from how it is stored:
    numbers and ISO dates written as text are read as what they are where nearly all of them parse,
    dates give days since 2000 and the weekday, month and hour where these vary, durations give
    days, an ordered category its rank, everything else text. Columns without a value, and those
    that only name the rows, are left out.

    Nothing is learned from the rows but what the columns are: the same row is read alike whatever
    other rows stand beside it.

    Parameters
    ----------
    columns : dict, default=None
        What is known of some columns, by name (by position where there are no names): "number",
        "category", "ordered", "date", "duration", "text" or "ignore". The others are looked at.
    layout : Layout, default=None
        What was decided before, so that `fit` decides nothing; `columns` is then not read.

    Attributes
    ----------
    layout_ : Layout
        What was decided of each column, and why.
    n_features_in_ : int
        Columns of the data.
    feature_names_in_ : ndarray of str, shape (`n_features_in_`,)
        Their names, where all are text.

    See Also
    --------
    describe_columns : What would be decided, as a table.

    Examples
    --------
    >>> from sk_metalearn.tables import TableReader
    >>> reader = TableReader().fit([["2024-01-31", "1.5"], ["2024-02-01", "2"], ["2024-02-02", ""]])
    >>> reader.get_feature_names_out().tolist()
    ['x0', 'x0_weekday', 'x0_month', 'x1']
    """

    def __init__(self, columns=None, layout=None):
        self.columns = columns
        self.layout = layout

    def fit(self, X, y=None):
        """Decide what the columns are.

        Parameters
        ----------
        X : array-like, sparse matrix, dataframe, pyarrow.Table or list of dict, of shape \
(n_rows, n_columns)
            The table.
        y : None
            Not used.

        Returns
        -------
        self
            The reader itself.

        Raises
        ------
        ValueError
            If a column cannot be read; it is named.
        """
        view = view_of(X)
        if 0 in view.shape:
            raise ValueError(
                f"Found array with {view.shape[0]} sample(s) and {view.shape[1]} feature(s) "
                f"(shape={view.shape}) while a minimum of 1 is required by TableReader."
            )
        self.layout_ = decide(X, self.columns) if self.layout is None else self.layout
        if len(self.layout_.plans) != view.shape[1]:
            raise ValueError(
                f"layout was decided for {len(self.layout_.plans)} columns; X has {view.shape[1]}."
            )
        self.n_features_in_ = view.shape[1]
        names = self.layout_.names
        if names is not None and all(isinstance(name, str) for name in names):
            self.feature_names_in_ = np.array(names, dtype=object)
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_
        return self

    def transform(self, X):
        """Read rows.

        Parameters
        ----------
        X : array-like, sparse matrix, dataframe, pyarrow.Table, dict or list of dict
            Rows in any storage. Columns with names are found by them, in any order; further ones
            are not looked at. Columns without names go by position. A dict is one row.

        Returns
        -------
        ndarray or dataframe of shape (n_rows, n_columns_out)
            Of float64 where all columns are numbers, else of objects; missing: NaN. With
            `set_output` a dataframe, which needs less memory: float64, categories, and objects for
            free text (polars: strings).

        Raises
        ------
        ValueError
            If a column is missing, cannot be read, or holds infinity; it is named.
        """
        check_is_fitted(self)
        outputs = self.layout_.outputs()
        wanted = output_format(self)
        if wanted == "pandas":
            return _as_pandas(X, self.layout_)
        columns = read_columns(X, self.layout_)
        if wanted == "polars":
            polars = import_optional("polars", "polars", "set_output(transform='polars')")
            return polars.DataFrame(
                [
                    polars.Series(output.name, values)
                    if output.kind == "number"
                    else polars.Series(
                        output.name, [v if v == v else None for v in values], polars.String
                    )
                    for output, values in zip(outputs, columns, strict=True)
                ]
            )
        if all(output.kind == "number" for output in outputs):
            table = np.empty((view_of(X).shape[0], len(outputs)))
        else:
            table = np.empty((view_of(X).shape[0], len(outputs)), dtype=object)
        for j, values in enumerate(columns):
            table[:, j] = values
        return table

    def get_feature_names_out(self, input_features=None):
        """Names of the columns that `transform` gives.

        Parameters
        ----------
        input_features : None
            Not used: the names are those met in `fit`.

        Returns
        -------
        ndarray of str, shape (n_columns_out,)
            A part of a date is called by the column and the part, such as ``"since_weekday"``.
        """
        check_is_fitted(self)
        return np.array([output.name for output in self.layout_.outputs()], dtype=object)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        tags.input_tags.sparse = True
        return tags


@lru_cache(maxsize=16)
def _few(levels):
    """The type of categories that come again, such as weekdays."""
    return import_optional("pandas", "pandas", "a frame").CategoricalDtype(levels)


def _as_pandas(X, layout):
    """Read rows into a frame of pandas."""
    pandas = import_optional("pandas", "pandas", "set_output(transform='pandas')")
    index = X.index if hasattr(X, "iloc") else pandas.RangeIndex(view_of(X).shape[0])
    # From then on a frame may share columns with another, and is copied when one is written into.
    shares = hasattr(X, "iloc") and int(pandas.__version__.partition(".")[0]) >= 3
    places = find_columns(view_of(X), layout)
    found = {}
    for output, values in zip(layout.outputs(), read_columns(X, layout, coded=True), strict=True):
        plan = layout.plans[output.position]
        if isinstance(values, Coded) and len(set(values.levels)) == len(values.levels):
            dtype = (_few if len(values.levels) < 10 else pandas.CategoricalDtype)(values.levels)
            values = pandas.Categorical.from_codes(values.codes, dtype=dtype)
        elif output.kind == "category":
            values = values.text() if isinstance(values, Coded) else values
            values = pandas.Categorical(values)
        elif shares and plan.plain and plan.role == "number":
            own = X.iloc[:, places[output.position]]
            values = own if own.dtype == np.float64 else values
        dtype = object if output.kind == "text" else None
        found[output.name] = pandas.Series(values, index=index, dtype=dtype)
    return pandas.DataFrame(found, index=index, copy=False)


def read_columns(X, layout, coded=False):
    """Read rows of any storage by a layout, one plain column after the other.

    Parameters
    ----------
    X : array-like, sparse matrix, dataframe, pyarrow.Table, dict or list of dict
    layout : Layout
    coded : bool, default=False
        Whether text that is stored by codes may stay so.

    Yields
    ------
    ndarray of shape (n_rows,), or Coded
        For each of ``layout.outputs()``.

    Raises
    ------
    ValueError
        If a column is missing, cannot be read, or holds infinity; it is named.
    """
    view = view_of(X)
    places = find_columns(view, layout)
    if sparse.issparse(X):
        X = X.tocsc()
        view = view_of(X)
    for place, plan in zip(places, layout.plans, strict=True):
        if plan.role == "ignore":
            continue
        # A record need not tell everything.
        column = view.column(place) if place >= 0 else empty_column(view.shape[0])
        for values in read_plan(column, plan):
            if isinstance(values, Coded):
                yield values if coded else values.text()
                continue
            if values.dtype.kind == "f" and np.isinf(values).any():
                raise ValueError(
                    f"Input X contains infinity in column {plan.name!r}. Replace infinities by "
                    "finite numbers or missing values."
                )
            yield values


def find_columns(view, layout):
    """Where the columns of a layout stand in a table.

    Parameters
    ----------
    view : View
    layout : Layout

    Returns
    -------
    list of int
        A column that is left out may be missing; its place is then -1.

    Raises
    ------
    ValueError
        If a column that is used is missing.
    """
    plans = layout.plans
    if layout.names is None or view.names is None:
        if view.shape[1] != len(plans):
            raise ValueError(
                f"X has {view.shape[1]} features, but TableReader is expecting {len(plans)} "
                "features as input."
            )
        return list(range(len(plans)))
    if list(view.names) == layout.names:
        return list(range(len(plans)))
    places, taken = {}, {}
    for j, name in enumerate(view.names):
        places.setdefault(name, []).append(j)
    found = []
    for plan in plans:
        number = taken.get(plan.name, 0)
        taken[plan.name] = number + 1
        own = places.get(plan.name, [])
        found.append(own[number] if number < len(own) else -1)
    gone = [
        p.name for p, place in zip(plans, found, strict=True) if place < 0 and p.role != "ignore"
    ]
    if gone and view.storage == "records":
        return found
    if gone:
        misspelt = misspelt_names(view.names, layout)
        told = "".join(f" Is {own!r} meant by {name!r}?" for name, own in misspelt.items())
        raise ValueError(
            f"X lacks the columns {gone} that were seen in fit.{told} Give them, with missing "
            "values where nothing is known."
        )
    return found


def misspelt_names(names, layout):
    """Find names that `fit` has not seen and that are nearly those of missing columns.

    Parameters
    ----------
    names : sequence of hashable
        Of the columns at hand.
    layout : Layout

    Returns
    -------
    dict of hashable to hashable
        A name at hand, and the one that it seems to stand for.
    """
    unknown = set(names) - {plan.name for plan in layout.plans}
    used = [plan.name for plan in layout.plans if plan.role != "ignore"]
    gone = {str(name).casefold(): name for name in used if name not in names}
    found = {}
    for name in sorted(unknown, key=str):
        folded = str(name).casefold()
        # The 12th of many like columns is not the first, misspelt.
        alike = [own for own in gone if _digits_of(own) == _digits_of(folded)]
        for near in get_close_matches(folded, alike, n=1, cutoff=0.85):
            found[name] = gone[near]
    return found


def _digits_of(name):
    return [letter for letter in name if letter.isdigit()]


def describe_columns(X, columns=None):
    """Say what the columns of a table are taken for, and why.

    Parameters
    ----------
    X : array-like, sparse matrix, dataframe, pyarrow.Table or list of dict
        The table.
    columns : dict, default=None
        What is known of some columns, see `TableReader`.

    Returns
    -------
    pandas.DataFrame
        Columns ``column``, ``role``, ``why``, ``levels`` (different values of a category or text)
        and ``gaps`` (missing values).

    Raises
    ------
    ValueError
        If a column cannot be read; it is named.
    """
    return describe_layout(decide(X, columns))


def describe_layout(layout):
    """Say what the columns of a layout are taken for: pandas.DataFrame of `describe_columns`."""
    pandas = import_optional("pandas", "pandas", "describe_columns")
    return pandas.DataFrame(layout.describe()).astype({"levels": "Int64"})
