"""Configurations that a table itself calls for."""

from ._catalogue import get_family
from ._configuration import Configuration

__all__ = ["early_configurations"]

_TARGET_ENCODED = {
    "classification": ("logistic_regression", "hist_gradient_boosting", "extra_trees"),
    "regression": ("ridge", "hist_gradient_boosting", "extra_trees"),
}


def early_configurations(kind, schema):
    """Give what a search does well to try early, whatever the past says.

    Past datasets had few columns of very many levels, such as shops or places; of these one-hot
    encoding keeps next to nothing.

    Parameters
    ----------
    kind : {"classification", "regression"}
        Of the task.
    schema : Schema
        Of the data.

    Returns
    -------
    list of Configuration
        Defaults of some families with target encoding; empty without such columns.
    """
    if not schema.many:
        return []
    found = []
    for name in _TARGET_ENCODED[kind]:
        family = get_family(name, kind)
        steps = {**family.preprocessing, "encoder": "target"}
        if not family.not_applicable(schema, steps):
            found.append(Configuration(name, family.space.default(), steps))
    return found
