"""A family: a model class, its hyperparameters, and the preprocessing that it usually wants."""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..exceptions import import_optional
from ._parameters import same_value
from ._space import Branch, Space

__all__ = ["KINDS", "ONE_OUTPUT", "PREPROCESSING", "Family"]

KINDS = ("classification", "regression")

# What the four steps before a model can be; "native" leaves categories to the model itself.
PREPROCESSING = {
    "imputer": ("none", "median", "mean"),
    "scaler": ("none", "standard", "minmax", "quantile", "power"),
    "encoder": ("native", "ordinal", "onehot", "target"),
    "reducer": ("none", "pca", "select"),
}
#: Words of steps that look at a target, and take one output only.
ONE_OUTPUT = frozenset({"target", "select"})


@dataclass(frozen=True)
class Family:
    """A model class with its hyperparameters and its usual preprocessing.

    Parameters
    ----------
    name : str
        Name in configurations; the twins of both kinds share it.
    kind : {"classification", "regression"}
    path : str
        Module and class of the estimator.
    branch : Branch
        The hyperparameters.
    preprocessing : mapping of str to str
        The canonical preprocessing.
    alternatives : tuple of mapping
        Changes to it that pay on some datasets.
    later : tuple of mapping
        Further such changes, which came after the pool was drawn.
    max_train_rows : int or None
        The family is not applicable above this number of training rows.
    needs_dense : bool
        Whether a sparse X must be made dense.
    effort : callable or None
        Gives the relative work of a configuration's fit, to skip what a cheaper sibling's timeout
        already proves; None where it cannot be said beforehand.
    extra : str
        The extra of the package that installs it; empty for scikit-learn's own.
    """

    name: str
    kind: str
    path: str
    branch: Branch
    preprocessing: Mapping[str, str]
    alternatives: tuple = ()
    later: tuple = ()
    max_train_rows: int | None = None
    needs_dense: bool = False
    effort: object = field(default=None, compare=False)
    extra: str = ""

    @property
    def parameters(self):
        """The hyperparameters by name."""
        return self.branch.parameters

    @property
    def space(self):
        """The family's hyperparameters as a space of one branch."""
        return Space(self.branch)

    @property
    def estimator_class(self):
        """The estimator's class, imported when asked for.

        Raises
        ------
        MissingDependencyError
            If it belongs to an optional package that is not installed.
        """
        module, name = self.path.rsplit(".", 1)
        if self.extra:
            return getattr(import_optional(module, self.extra, f"The family {self.name!r}"), name)
        return getattr(importlib.import_module(module), name)

    def describe(self, configuration):
        """Name a configuration in short: what differs from the family's defaults.

        Parameters
        ----------
        configuration : Configuration
            Of this family.

        Returns
        -------
        str
            One line, such as ``"random_forest(max_features=0.3)"``.
        """
        default = self.space.default()
        changed = [
            f"{name}={value}"
            for name, value in sorted(configuration.params.items())
            if not same_value(value, default.get(name))
        ]
        steps = [
            f"{step}={value}"
            for step, value in sorted(configuration.preprocessing.items())
            if value != self.preprocessing[step]
        ]
        return f"{self.name}({', '.join(changed)})" + (f" with {', '.join(steps)}" if steps else "")

    def not_applicable(self, schema, preprocessing=None):
        """Say why the family cannot serve a dataset; empty text if it can.

        Parameters
        ----------
        schema : Schema
            What the columns of the dataset are.
        preprocessing : mapping, optional
            The configuration's own, if not the canonical one.

        Returns
        -------
        str
            The reason; empty if the family can serve it.
        """
        preprocessing = preprocessing or self.preprocessing
        if self.max_train_rows is not None and schema.n_rows > self.max_train_rows:
            return f"{self.name} serves up to {self.max_train_rows} rows; got {schema.n_rows}"
        if schema.sparse and self.needs_dense and schema.n_rows * schema.n_features > 100_000_000:
            return f"{self.name} needs dense data, too large for this sparse X"
        if preprocessing["encoder"] == "target" and schema.n_classes > 10:
            return f"target encoding serves up to 10 classes; got {schema.n_classes}"
        if schema.n_outputs > 1 and not ONE_OUTPUT.isdisjoint(preprocessing.values()):
            return (
                f"target encoding and a choice of columns look at one output; y has "
                f"{schema.n_outputs}"
            )
        if self.name == "qda" and schema.min_class_count < 4:
            return f"qda needs 4 rows in each class; the rarest has {schema.min_class_count}"
        return ""
