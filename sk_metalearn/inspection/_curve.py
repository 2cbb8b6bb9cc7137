"""The course of a search as SVG, without a drawing library."""

import html

import numpy as np

from ..search import show_number

__all__ = ["curve_svg"]

_WIDTH, _HEIGHT = 860, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 16, 14, 44
_COLORS = ("#1f77b4", "#ff7f0e", "#2ca02c", "#9467bd", "#8c564b", "#e377c2", "#17becf")
_CHANCE = "#999"


def curve_svg(display, baseline=np.nan):
    """Draw the scores of a search in the order tried, and the best so far.

    Parameters
    ----------
    display : SearchHistoryDisplay
    baseline : float, default=nan
        Score of a dummy; drawn as a line where it is known and in reach.

    Returns
    -------
    str
        An ``svg`` element; hovering over a mark tells the candidate.
    """
    scores = np.asarray(display.scores, dtype=float)
    guessed = np.full(len(scores), np.nan)
    if display.estimates is not None:
        guessed = np.asarray(display.estimates, dtype=float)
    heights = np.where(np.isnan(scores), guessed, scores)
    known = np.isfinite(heights)
    if not known.any():
        return "<p>No candidate has a score.</p>"
    low, high = _reach(heights[known], baseline)
    n = len(heights)

    def x_of(number):
        return _LEFT + (number - 0.5) / n * (_WIDTH - _LEFT - _RIGHT)

    def y_of(score):
        # What lies below the axis is drawn on it; its title says the score.
        return _TOP + min(1.0, (high - score) / (high - low)) * (_HEIGHT - _TOP - _BOTTOM)

    parts = [*_axes(low, high, n, x_of, y_of, display.metric)]
    if low <= baseline <= high:
        y = y_of(baseline)
        parts.append(_line(_LEFT, y, _WIDTH - _RIGHT, y, "#999", "4 4"))
        parts.append(_text(_WIDTH - _RIGHT, y - 5, "a dummy", "end", "#777"))
    chance = display.random_order
    told = np.flatnonzero(np.isfinite(chance))
    places = " ".join(f"{x_of(i + 1):.1f},{y_of(chance[i]):.1f}" for i in told)
    parts.append(f'<polyline points="{places}" fill="none" stroke="{_CHANCE}"/>')
    best = np.fmax.accumulate(scores)
    steps, last = [], None
    for number, value in enumerate(best, 1):
        if np.isfinite(value):
            x, y = x_of(number), y_of(value)
            steps.append(f"M{x:.1f} {y:.1f}" if last is None else f"H{x:.1f}V{y:.1f}")
            last = value
    if steps:
        path = "".join([*steps, f"H{_WIDTH - _RIGHT}"])
        parts.append(f'<path d="{path}" fill="none" stroke="#222" stroke-width="2"/>')
    kinds = display.kinds
    names = list(dict.fromkeys(kinds[i] for i in np.flatnonzero(known)))
    for i in np.flatnonzero(known):
        color = _COLORS[names.index(kinds[i]) % len(_COLORS)]
        hollow = np.isnan(scores[i])
        title = f"{i + 1}: {show_number(heights[i])}, {display.reasons[i]}"
        title += " (stopped early)" if hollow else ""
        parts.append(
            f'<circle cx="{x_of(i + 1):.1f}" cy="{y_of(heights[i]):.1f}" r="4.5" '
            f'fill="{"#fff" if hollow else color}" stroke="{color}" stroke-width="1.5">'
            f"<title>{html.escape(title)}</title></circle>"
        )
    legend = [("#222", "best so far")]
    legend += [(_CHANCE, "same candidates in random order")] * bool(len(told))
    legend += [(_COLORS[k % len(_COLORS)], name) for k, name in enumerate(names)]
    words = "".join(
        f'<span><b style="color:{color}">&#9679;</b> {html.escape(name)}</span>'
        for color, name in legend
    )
    if np.isfinite(guessed).any():
        words += "<span>&#9675; stopped early, score expected</span>"
    return (
        '<div class="scroll">'
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="course of the search">'
        f'{"".join(parts)}</svg></div><p class="legend">{words}</p>'
    )


def _reach(heights, baseline):
    """Lowest and highest score to draw; what lies far below the others has no room."""
    high, middle = float(heights.max()), float(np.median(heights))
    low = max(float(heights.min()), middle - 4 * (high - middle))
    if high - 3 * (high - low) <= baseline < low:
        low = baseline
    margin = 0.06 * (high - low) or max(0.01, 0.01 * abs(high))
    return low - margin, high + margin


def _axes(low, high, n, x_of, y_of, metric):
    for value in np.linspace(low, high, 6)[:-1] + (high - low) / 10:
        y = y_of(value)
        yield _line(_LEFT, y, _WIDTH - _RIGHT, y, "#e4e4e4")
        yield _text(_LEFT - 8, y + 4, show_number(value), "end")
    bottom = _HEIGHT - _BOTTOM
    yield _line(_LEFT, bottom, _WIDTH - _RIGHT, bottom, "#888")
    for number in sorted({int(own) for own in np.linspace(1, n, min(n, 10))}):
        yield _text(x_of(number), bottom + 17, str(number), "middle")
    yield _text(
        (_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 8, "candidates in the order tried", "middle"
    )
    yield (
        f'<text transform="translate(14 {(_TOP + bottom) / 2:.0f}) rotate(-90)" '
        f'text-anchor="middle">{html.escape(str(metric))}</text>'
    )


def _line(x1, y1, x2, y2, color, dashes=""):
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {ends} stroke="{color}"{dashed}/>'


def _text(x, y, text, anchor, color="#444"):
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{color}"'
    return f"<text {place}>{html.escape(text)}</text>"
