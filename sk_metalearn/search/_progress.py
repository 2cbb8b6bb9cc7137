"""What a search prints while it runs: a line per candidate, or a bar."""

import sys
import time

import numpy as np

from ._show import cut, show_number, show_seconds

__all__ = ["Progress", "show_progress"]

WIDTH = 100
_BAR = 30
# Where a line cannot be written over, the bar is printed so many times.
_PARTS = 10


def show_progress(verbose, choices, problem, options):
    """Give what prints the progress of a search.

    Parameters
    ----------
    verbose : int or "bar"
    choices : Choices
    problem : Problem
    options : SearchOptions

    Returns
    -------
    Progress
    """
    shown = {0: Progress, "bar": _Bar}.get(verbose, _Lines)
    return shown(choices, problem, options)


class Progress:
    """Prints nothing but that Ctrl-C was understood.

    Parameters
    ----------
    choices : Choices
    problem : Problem
    options : SearchOptions
    """

    def __init__(self, choices, problem, options):
        self.choices, self.problem, self.options = choices, problem, options
        self.n_trials, self.n_folds = choices.n_iter, len(problem.splits)
        self.n_ended, self.begun = 0, time.monotonic()

    def begins(self):
        """The search begins."""

    def trial_ends(self, trial, loop):
        """A candidate has ended.

        Parameters
        ----------
        trial : Trial
        loop : SearchLoop
        """
        self.n_ended += 1
        self._show(trial, loop)

    def ends(self, loop):
        """The search has ended.

        Parameters
        ----------
        loop : SearchLoop
        """
        if loop.stop_reason == "interrupted":
            follows = (
                "the final model is made now. Press Ctrl-C again to stop without it."
                if self.options.refit
                else "nothing is fitted any more."
            )
            done = f"{self.n_ended} candidate{'s' * (self.n_ended != 1)}"
            print(f"Interrupted after {done}: {follows}", file=sys.stderr, flush=True)

    def _show(self, trial, loop):
        pass

    def _seconds_left(self, loop):
        left = loop.seconds_left()
        if self.n_trials is not None:
            seconds = time.monotonic() - self.begun
            rest = seconds / self.n_ended * (self.n_trials - self.n_ended)
            left = rest if left is None else min(left, rest)
        return None if left is None else max(0.0, left)


class _Lines(Progress):
    """A line of at most 100 characters per candidate."""

    def begins(self):
        n, folds = self.n_trials, self.n_folds
        line = f"Fitting {folds} folds for each "
        line += "candidate, as many as there is time for" if n is None else f"of {n} candidates"
        line += "" if n is None else f", totalling {n * folds} fits"
        scoring, name = self.options.scoring, self.problem.objective.name
        # Of several metrics one guides.
        metric = scoring if isinstance(scoring, str) else name if self.problem.metric_names else ""
        print(line + (f"; scores are {metric}" if metric else ""))
        saved = self.problem.saved
        if saved is not None:
            print(f"The checkpoint knows {len(saved.folds)} fits; these are not made again")

    def _show(self, trial, loop):
        total = "" if self.n_trials is None else str(self.n_trials)
        number = f"{self.n_ended:>{max(2, len(total))}}" + (f"/{total}" if total else "")
        best = loop.best_trial
        left = self._seconds_left(loop)
        begin = (
            f"{number}  {show_number(trial.estimate):>7}  "
            f"best {show_number(None if best is None else best.estimate):<7}  {trial.status:<7}  "
        )
        end = f"  {show_seconds(trial.elapsed):>7}"
        end += "" if left is None else f"  {left:.0f} s left"
        words = self.choices.describe(trial.proposal.point)
        room = WIDTH - len(begin) - len(end)
        print(f"{begin}{cut(words, room):<{room}}{end}".rstrip(), flush=True)


class _Bar(Progress):
    """One line that is written over; where that cannot be, a line at every tenth."""

    def begins(self):
        self.over = sys.stdout.isatty() or "ipykernel" in sys.modules
        self.shown = 0

    def _show(self, trial, loop):
        left, passed = self._seconds_left(loop), time.monotonic() - self.begun
        if self.n_trials is not None:
            share = self.n_ended / self.n_trials
        else:
            share = np.nan if left is None else passed / max(passed + left, 1e-9)
        part = 0 if np.isnan(share) else int(_PARTS * share)
        if not self.over and part <= self.shown:
            return
        self.shown = part
        full = 0 if np.isnan(share) else round(_BAR * min(1.0, share))
        best = loop.best_trial
        line = (
            f"[{'#' * full:<{_BAR}}] {self.n_ended}"
            + (f"/{self.n_trials}" if self.n_trials else "")
            + f"  best {show_number(None if best is None else best.estimate)}"
            + f"  {show_seconds(passed)}"
            + ("" if left is None else f"  {left:.0f} s left")
        )
        print(f"\r{line:<{WIDTH - 1}}" if self.over else line, end="" if self.over else "\n")
        sys.stdout.flush()

    def ends(self, loop):
        if self.over and self.n_ended:
            print()
        super().ends(loop)
