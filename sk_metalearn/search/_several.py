"""What an Auto estimator has for one output only, as have the voting estimators it is made of."""

from dataclasses import replace

from sklearn.base import is_classifier

from ..exceptions import FallbackWarning, warn_user

__all__ = ["of_one_pipeline"]

# The default of both estimators, of which nothing needs to be said.
_USUAL_SIZE = 12


def of_one_pipeline(auto, options, n_outputs):
    """Let a search of several outputs end with its best pipeline.

    Parameters
    ----------
    auto : AutoClassifier or AutoRegressor
    options : SearchOptions
    n_outputs : int

    Returns
    -------
    SearchOptions
        Without an ensemble; as they are for one output.

    Raises
    ------
    ValueError
        If models of folds, or a threshold, were asked for.

    Warns
    -----
    FallbackWarning
        If an ensemble was asked for by another size than the default.
    """
    if n_outputs == 1:
        return options
    name = type(auto).__name__
    wrapper = "MultiOutputClassifier" if is_classifier(auto) else "MultiOutputRegressor"
    for option, asked in (("final", "bag"), ("threshold", "tune")):
        if getattr(options, option) == asked:
            raise ValueError(
                f"{option}={asked!r} is for one output; y has {n_outputs} columns. Leave it out, "
                f"or fit one model a column: sklearn.multioutput.{wrapper}({name}"
                f"({option}={asked!r}))."
            )
    size = options.ensemble_size
    if size not in (0, 1, _USUAL_SIZE):
        warn_user(
            f"ensemble_size={size} is for one output; y has {n_outputs} columns, of which the best "
            "pipeline is fitted. ensemble_size=0 says so beforehand.",
            FallbackWarning,
        )
    return replace(options, ensemble_size=0)
