"""The fourth step of a search: its candidates are evaluated."""

import copy
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from .._compat import accepts_callbacks, num_samples
from ..evaluation import Payload, make_executor, one_thread, open_journal
from ..exceptions import FallbackWarning, warn_user
from ..strategies import Context, get_strategy
from ._ending import choose_ending, confirms_leaders
from ._fold_models import FoldModels
from ._loop import LoopRules, SearchLoop
from ._progress import show_progress
from ._reserve import Reserve
from ._watcher import Watcher

__all__ = ["SearchRun", "run_search"]

# A larger table may take longer than was predicted from others.
_SURE_CELLS = 100_000


@dataclass(frozen=True)
class SearchRun:
    """What a search has found, and what can still be used to fit its model.

    Parameters
    ----------
    trials : list of Trial
        All candidates that have begun, in the order of proposals.
    best : Trial or None
        The best of those that went well.
    stop_reason : str
    payload : Payload
    executor : Executor
    budget : Budget
    models : FoldModels or None
    share_seconds : float
        What it takes to bring all rows to a worker, where the search used some of them.
    ending : {"bag", "holdout", "refit"}
        What the final model is made of.
    confirms : bool
        Whether the best candidates are evaluated on further shuffles of the folds.
    refits : bool
        Whether the members are fitted on all rows if there is time.
    choice_seconds : float
        What is kept of a budget for choosing the members of an ensemble and loading them.
    """

    trials: list
    best: Any
    stop_reason: str
    payload: Payload
    executor: Any
    budget: Any
    models: FoldModels | None
    share_seconds: float = 0.0
    ending: str = "refit"
    confirms: bool = False
    refits: bool = False
    choice_seconds: float = 0.0


def run_search(
    search, problem, choices, past, options, budget, stack, *, root, keep_predictions=False
):
    """Evaluate the candidates of a search.

    Parameters
    ----------
    search : estimator
        For its callbacks.
    problem : Problem
    choices : Choices
    past : Past
    options : SearchOptions
    budget : Budget
    stack : ExitStack
        Closes all that is opened.
    root : CallbackContext
        Of the whole fit.
    keep_predictions : bool, default=False
        Whether the predictions on the folds are kept.

    Returns
    -------
    SearchRun
    """
    n_folds, limits = len(problem.splits), options.limits
    ending = choose_ending(problem, options)
    context = _context(problem, choices, past, options)
    strategy = get_strategy(copy.deepcopy(options.strategy)).start(context)
    journal = _open_checkpoint(problem, options, stack)
    models = _open_models(options, ending, stack)
    payload = Payload(
        X=problem.X,
        y=problem.y,
        splits=problem.splits,
        make=choices.make,
        scorer=problem.told,
        fit_params=problem.fit_params,
        score_params=problem.score_params,
        return_train_score=options.return_train_score,
        error_score=options.error_score,
        verbose=0 if options.verbose == "bar" else options.verbose,
        keep_predictions=keep_predictions,
        keep_models=None if models is None else models.folder,
        n_models=1 if ending == "refit" else n_folds,
        # Of many candidates' models few are chosen, and these can be fitted again.
        models_travel=ending == "refit",
        validates=choices.validates,
        max_predict_seconds=limits.predict_seconds,
        max_model_bytes=limits.model_bytes,
    )
    begun = budget.clock()
    executor = make_executor(
        payload,
        options.n_jobs,
        isolated=options.timed or limits.need_workers,
        fresh=limits.memory_bytes is not None,
        spare=models is not None and ending == "refit",
    )
    stack.callback(executor.close)
    # Other rows travel as these did.
    n_all = num_samples(problem.whole[0])
    share_seconds = (
        (budget.clock() - begun) * n_all / problem.n_rows if n_all > problem.n_rows else 0.0
    )
    confirms = ending == "bag" and confirms_leaders(problem, options)
    # The models of the folds remain where there is no time for others.
    refits = ending == "bag" and options.final == "auto"
    reserve = Reserve(
        budget,
        problem,
        options,
        ending,
        executor.n_workers,
        models,
        share_seconds,
        confirms,
        refits,
    )
    watched = accepts_callbacks(search)
    progress = show_progress(options.verbose, choices, problem, options)
    watcher = Watcher(search, root, choices.n_iter, n_folds, watched, progress, models)

    def job_of(trial, fold):
        told = watcher.context_of(trial, fold)
        progress = trial.number, choices.n_iter or trial.number + 1
        params = choices.to_params(trial.proposal.point)
        return params, fold, progress, None if told is None else search, told

    loop = SearchLoop(
        strategy,
        context,
        executor,
        job_of,
        problem.objective,
        n_folds,
        journal,
        rules=LoopRules(
            n_iter=choices.n_iter,
            patience=options.patience,
            lookahead=None if options.timed else options.lookahead,
            racing=options.racing,
            fold_seconds=limits.fold_seconds,
            memory_bytes=limits.memory_bytes,
            error_score=options.error_score,
            metric_names=problem.metric_names,
            tells_seconds=_seconds_are_sure(problem, past),
        ),
        enqueued=choices.enqueued,
        watcher=watcher,
        deadline=reserve.deadline if options.timed else None,
        clock=budget.clock,
    )
    with one_thread() if executor.here else nullcontext():
        trials = loop.run()
    watcher.end(loop)
    return SearchRun(
        trials,
        loop.best_trial,
        loop.stop_reason,
        payload,
        executor,
        budget,
        models,
        share_seconds,
        ending,
        confirms,
        refits,
        reserve.choice_seconds(trials),
    )


def _context(problem, choices, past, options):
    first = "" if problem.saved is None else problem.saved.meta.get("n_iter", "")
    return Context(
        candidates=past.points,
        space=choices.space,
        kind=problem.kind or "regression",
        metric=past.metric,
        past=past.performance,
        metafeatures=past.metafeatures,
        predicted_seconds=past.seconds,
        defaults=choices.defaults,
        # A search that goes on proposes what it would have proposed without the break.
        n_evaluations=int(first) if first.isdigit() else choices.n_iter,
        seconds=options.time_budget,
        seed=problem.seed,
    )


def _open_checkpoint(problem, options, stack):
    """The journal of the search: the one that it goes on from, or a new one."""
    if problem.saved is not None:
        return problem.saved
    journal = open_journal(options.checkpoint, problem.fingerprint)
    stack.callback(journal.close)
    head = {**problem.fingerprint, "seed": str(problem.seed), "n_iter": str(options.n_iter)}
    journal.begin(head, problem.splits)
    return journal


def _open_models(options, ending, stack):
    """Where models are left to end with, or to fall back on; None where none will be needed."""
    if ending == "refit" and not (options.timed and options.refit):
        return None
    try:
        models = FoldModels()
    except OSError as error:
        warn_user(
            f"No model of a fold can be kept: the folder for temporary files cannot be used "
            f"({error}).",
            FallbackWarning,
        )
        return None
    stack.callback(models.close)
    return models


def _seconds_are_sure(problem, past):
    """Whether predicted seconds can be relied on: a small plain table, known preprocessing."""
    schema = problem.schema
    if schema is None or schema.sparse or schema.text:
        return False
    small = schema.n_rows * schema.n_features <= _SURE_CELLS
    return small and not past.report.get("matches", {}).get("other")
