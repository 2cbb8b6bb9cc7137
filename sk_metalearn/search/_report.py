"""What a search reports of the knowledge it used, and whether that helped."""

import html

import numpy as np

from ..knowledge import printable
from ._show import as_html

__all__ = ["SearchReport"]


# How a candidate meets what was measured.
_KNOWN = {
    "exact": "by its own results",
    "same": "by results of other settings",
    "other": "by results of similar models",
    "unknown": "not at all",
}


class SearchReport(dict):
    """What past tasks contributed to a search; a dict that prints as text.

    Keys: ``used`` (whether past performance guided the search), ``why`` (why not), ``kind``,
    ``candidates`` (how many); how they met the pool: ``matches``, ``families``, ``reasons``,
    ``reliability``, ``metric``, ``metric_is_exact``, ``tasks``, ``task_families``, ``many_rows``
    (whether these are large tasks, as the data at hand are); ``similar`` (the past tasks that
    counted most, each with its share of the weight of all); ``advice`` (for each of them a dict:
    ``dataset``, ``weight``, and which candidate was best there: ``settings`` and ``score``);
    ``own_tasks`` (further ones, of one's own searches); ``not_remembered`` (why it could not be
    recorded); ``dummy`` (score of a model that does not look at X, NaN where it is not known),
    ``best`` (score of the best candidate), ``rank`` (its place in the order of proposals),
    ``expected`` (its score as the past suggested it), ``default`` (score of the estimator's own
    settings; where whole pipelines are searched, of the first one tried, which is what the past
    alone would have given), ``ensemble`` (score of the final model where it is a mixture),
    ``members`` (of how many candidates) and ``gain`` (of the final model over ``default``).
    """

    def add_outcome(self, trials, best, expected=None, ensemble=None):
        """Note what the search found: did the knowledge help?

        Parameters
        ----------
        trials : list of Trial
        best : Trial
        expected : ndarray of shape (n_points,) or None, default=None
            What the past suggests of each candidate.
        ensemble : tuple of (float, int) or None, default=None
            Score and number of members of the final model, where it is a mixture.
        """
        proposal = best.proposal
        default = next((t for t in trials if t.proposal.reason == "default"), None)
        if default is None and self.get("whole_pipelines"):
            default = next((t for t in trials if t.status == "ok"), None)
        self["best"], self["rank"] = best.estimate, best.number + 1
        self["expected"] = float(proposal.expected)
        if np.isnan(self["expected"]) and expected is not None and proposal.candidate is not None:
            self["expected"] = float(expected[proposal.candidate])
        self["default"] = np.nan if default is None else default.estimate
        final = self["best"]
        if ensemble is not None:
            final, self["members"] = ensemble
            self["ensemble"] = final
        self["gain"] = final - self["default"]

    def __str__(self):
        lines = []
        if self.get("used"):
            own = self.get("own_tasks", 0)
            lines.append(
                f"{self.get('tasks', 0)} past {self['kind']} tasks"
                + (" of many rows" if self.get("many_rows") else "")
                + (f" and {own} of your own" if own else "")
                + " guided the search."
            )
        else:
            lines.append(f"No past task guided the search: {self.get('why', 'none was asked')}.")
        if self.get("used") and self.get("why"):
            lines.append(f"Not all of the past could be used: {self['why']}.")
        if self.get("matches"):
            found = ", ".join(f"{n} {_KNOWN[kind]}" for kind, n in self["matches"].items() if n)
            lines.append(f"Of {self['candidates']:,} candidates the past knows {found}.")
            lines += [f"  {n} x {reason}" for reason, n in list(self["reasons"].items())[:5]]
        if not self.get("metric_is_exact", True):
            lines.append(f"Their scores are {self['metric']}, the nearest metric known.")
        if self.get("similar"):
            named = ", ".join(f"{name} ({weight:.0%})" for name, weight in self["similar"])
            lines.append(f"The past tasks that counted most: {named}.")
        if "best" in self:
            lines.append(f"The best candidate, {self['best']:.4g}, was number {self['rank']}.")
            if "ensemble" in self:
                lines.append(
                    f"The final model, {self['ensemble']:.4g}, mixes {self['members']} candidates."
                )
            whole = self.get("whole_pipelines")
            first = "The first configuration" if whole else "The default"
            if np.isfinite(self["default"]):
                lines.append(
                    f"{first} gave {self['default']:.4g}: the search gained {self['gain']:.4g}."
                )
            if np.isfinite(self.get("dummy", np.nan)):
                lines.append(f"A dummy that does not look at X gave {self['dummy']:.4g}.")
        if "not_remembered" in self:
            lines.append(f"Not recorded for later searches: {self['not_remembered']}.")
        return "\n".join(map(printable, lines))

    def __repr__(self):
        return str(self)

    def _repr_pretty_(self, printer, cycle):
        printer.text(str(self))

    def _repr_html_(self):
        similar = [
            {
                "past dataset": own["dataset"],
                "share of the weight": f"{own['weight']:.1%}",
                "best there": own["settings"],
                "its score": own["score"],
            }
            for own in self.get("advice", ())
        ]
        told = "<br>".join(map(html.escape, str(self).splitlines()))
        return f"<p>{told}</p>{as_html(similar)}"
