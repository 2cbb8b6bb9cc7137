"""The commands of one's own data: recommend, fit, predict, report."""

import sys
from pathlib import Path

from ..exceptions import TableError
from ._data_file import read_data, read_task, require_columns
from ._said import aside, say, say_json, told_aside

__all__ = ["DATA_COMMANDS"]

_SHOWN = 10
_WIDTH = 100


def _recommend(data, target, n, kind, scoring, knowledge, families, columns, code, as_json):
    from ..search import recommend, to_code

    X, y = read_task(data, target)
    with told_aside():
        found = recommend(
            X,
            y,
            n=n,
            kind=kind,
            scoring=scoring,
            knowledge=knowledge,
            families=families,
            columns=_roles(columns),
        )
    if as_json:
        say_json(
            [
                {
                    "rank": rank,
                    "settings": own.settings,
                    "configuration": own.configuration.to_dict(),
                    "metric": own.metric,
                    "expected_score": own.expected_score,
                    "spread": own.spread,
                    "expected_seconds": own.expected_seconds,
                    "evidence": own.evidence,
                    "code": to_code(own.estimator),
                }
                for rank, own in enumerate(found, 1)
            ]
        )
        return
    say(to_code(found[0].estimator) if code else repr(found))


def _fit(
    data,
    target,
    output,
    kind,
    scoring,
    knowledge,
    families,
    columns,
    time_budget,
    n_iter,
    cv,
    n_jobs,
    seed,
    checkpoint,
    report,
    quiet,
    as_json,
    force,
):
    import joblib

    from ..metafeatures import check_kind
    from ..search import AutoClassifier, AutoRegressor, as_text, leaderboard_rows

    for path in (output, report):
        _require_free(path, force)
    X, y = read_task(data, target)
    auto = AutoClassifier if check_kind(y, kind) == "classification" else AutoRegressor
    auto = auto(
        n_iter=n_iter,
        time_budget=time_budget,
        scoring=scoring,
        knowledge=knowledge,
        families=families,
        columns=_roles(columns),
        cv=cv,
        n_jobs=n_jobs,
        checkpoint=checkpoint,
        verbose=int(not quiet),
        random_state=seed,
    )
    with told_aside():
        auto.fit(X, y)
    joblib.dump(auto, output)
    if report:
        from ..inspection import report as write_report

        with told_aside():
            write_report(auto, report, X=X, y=y)
    rows, estimate = leaderboard_rows(auto), auto.score_estimate_
    metric = scoring or auto._default_scoring
    if as_json:
        say_json(
            {
                "model": output,
                "report": report,
                "metric": metric,
                "score": auto.best_score_,
                "score_estimate": None if estimate is None else estimate.score,
                "standard_error": None if estimate is None else estimate.standard_error,
                "stop_reason": auto.stop_reason_,
                "fitted_on": auto.refit_on_,
                "leaderboard": rows,
            }
        )
        return
    say(f"{len(X):,} rows, {X.shape[1]:,} columns, target {target!r}: {auto._kind}")
    say(f"{metric} {auto.best_score_:.4f} on the folds, which chose it and so flatter it")
    if estimate is not None:
        error = f"{estimate.score:.4f} ± {estimate.standard_error:.2g}"
        say(f"{metric} {error} to be expected on new rows")
    say(f"The final model is fitted on {auto.refit_on_}")
    shown = ("rank", "score", "spread", "seconds", "weight", "status", "settings")
    heads = {"spread": "± folds", "seconds": "s a fit"}
    told = [{heads.get(name, name): row[name] for name in shown} for row in rows[:_SHOWN]]
    say(as_text(told, _WIDTH))
    if len(rows) > _SHOWN:
        say(f"... and {len(rows) - _SHOWN} more")
    say(f"The model is in {output}; next: sk-metalearn predict {output} NEW_DATA")
    if report:
        say(f"The report is in {report}")


def _predict(model, data, output, ids, proba, as_json, force):
    import numpy as np

    _require_free(output, force)
    auto = _load(model)
    table = read_data(data, as_text=ids or ())
    require_columns(table, ids or [])
    with told_aside():
        predicted = auto.predict(table)
        chances = auto.predict_proba(table) if proba else None
    names = list(ids) if ids else _names_of_rows(auto, table)
    pandas = sys.modules["pandas"]
    result = table[names].copy() if names else pandas.DataFrame({"row": np.arange(len(table))})
    result["prediction"] = _rounded(np.asarray(predicted))
    if proba:
        for j, label in enumerate(auto.classes_):
            result[f"proba_{label}"] = _six_digits(chances[:, j])
    if as_json:
        say_json(result.to_dict(orient="records"))
    elif output is None:
        say(result.to_csv(index=False).rstrip("\n"))
    if output is not None:
        result.to_csv(output, index=False)
        if not as_json:
            say(f"{len(result):,} predictions are in {output}")


def _rounded(predicted):
    """Seven digits of the largest number: more say nothing."""
    import numpy as np

    if predicted.dtype.kind != "f":
        return predicted
    largest = np.abs(predicted).max(initial=0)
    return predicted.round(max(0, 6 - int(np.floor(np.log10(largest))))) if largest else predicted


def _six_digits(chances):
    """Six digits of each, float32 too: small probabilities stay apart from zero."""
    return [float(f"{chance:.6g}") for chance in chances]


def _report(model, output, data, target, force):
    from ..inspection import report

    if (data is None) != (target is None):
        raise TableError("For the importance of columns give both --data and --target.")
    _require_free(output, force)
    search = _load(model)
    X, y = (None, None) if data is None else read_task(data, target)
    with told_aside():
        report(search, output, X=X, y=y)
    say(f"The report is in {output}")


def _load(path):
    import joblib

    if not Path(path).is_file():
        raise TableError(f"There is no model file {path!r}; fit writes one.")
    aside(
        f"note: loading the model file {path!r} runs the code that is in it; load only files of "
        "people you trust"
    )
    try:
        found = joblib.load(path)
    except Exception as error:
        # A pickle that is none raises anything.
        raise TableError(f"{path!r} is no model file as fit writes it: {error}") from error
    if not hasattr(found, "predict"):
        raise TableError(f"{path!r} holds no model but {type(found).__name__}.")
    return found


def _names_of_rows(model, table):
    """Columns that the model left out as they only name the rows."""
    if not hasattr(model, "describe_columns"):
        return []
    told = model.describe_columns()
    left_out = told["column"][told["role"] == "ignore"]
    return [
        name
        for name in left_out
        if name in table.columns and table[name].is_unique and table[name].notna().all()
    ]


def _roles(columns):
    """``NAME=ROLE`` as the parameter `columns` takes it."""
    wrong = [own for own in columns or () if "=" not in own]
    if wrong:
        raise TableError(f"--columns takes NAME=ROLE, such as review=text; got {wrong}.")
    return {n: role for n, _, role in (own.rpartition("=") for own in columns or ())} or None


def _require_free(path, force):
    if path is None:
        return
    folder = Path(path).parent
    if not folder.is_dir():
        raise TableError(f"{path!r} cannot be written: there is no folder {str(folder)!r}.")
    if Path(path).is_dir():
        raise TableError(f"{path!r} cannot be written: it is a folder.")
    if Path(path).exists() and not force:
        raise TableError(f"{path!r} is there already. Give another name, or --force.")


DATA_COMMANDS = {"fit": _fit, "predict": _predict, "recommend": _recommend, "report": _report}
