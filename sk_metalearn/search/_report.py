"""What a search reports of the knowledge it used, and whether that helped."""

import numpy as np

__all__ = ["SearchReport"]


class SearchReport(dict):
    """What past tasks contributed to a search; a dict that prints as text.

    Keys: ``used`` (whether past performance guided the search), ``why`` (why not), ``kind``,
    ``candidates`` (how many); how they met the pool: ``matches``, ``families``, ``reasons``,
    ``reliability``, ``metric``, ``metric_is_exact``, ``tasks``, ``task_families``; ``neighbors``
    (the nearest past tasks); ``own_tasks`` (remembered ones of one's own); ``default`` and
    ``best`` (scores of the estimator's default, where it was tried, and of the best found),
    ``gain`` (their difference), ``expected`` (what was expected of the best one), ``rank`` (its
    place in the order of proposals).
    """

    def add_outcome(self, trials, best):
        """Note what the search found: did the knowledge help?

        Parameters
        ----------
        trials : list of Trial
        best : Trial
        """
        default = next((t for t in trials if t.proposal.reason == "default"), None)
        self["best"] = best.estimate
        self["rank"] = best.number + 1
        self["expected"] = float(best.proposal.expected)
        self["default"] = np.nan if default is None else default.estimate
        self["gain"] = self["best"] - self["default"]

    def __str__(self):
        lines = []
        if self.get("used"):
            own = self.get("own_tasks", 0)
            lines.append(
                f"{self.get('tasks', 0)} past {self['kind']} tasks"
                + (f" and {own} of your own" if own else "")
                + " guided the search."
            )
        else:
            lines.append(f"No past task guided the search: {self.get('why', 'none was asked')}.")
        if self.get("matches"):
            found = ", ".join(f"{n} {kind}" for kind, n in self["matches"].items() if n)
            lines.append(f"Candidates and the pool: {found}.")
            lines += [f"  {n} x {reason}" for reason, n in list(self["reasons"].items())[:5]]
        if not self.get("metric_is_exact", True):
            lines.append(f"Their scores are {self['metric']}, the nearest metric known.")
        if self.get("neighbors"):
            lines.append(f"Nearest past tasks: {', '.join(self['neighbors'])}.")
        if "best" in self:
            lines.append(f"The best candidate, {self['best']:.4g}, was number {self['rank']}.")
            if np.isfinite(self["default"]):
                lines.append(
                    f"The default gave {self['default']:.4g}: the search gained {self['gain']:.4g}."
                )
            if np.isfinite(self["expected"]):
                lines.append(f"Expected of the best one was {self['expected']:.4g}.")
        return "\n".join(lines)

    def __repr__(self):
        return f"<SearchReport: {str(self).splitlines()[0]}>"
