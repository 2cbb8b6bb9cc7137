"""Tasks and episodes: what meta-learners learn from, and how few-shot learning is measured."""

from typing import NamedTuple

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_X_y

_KINDS = ("classification", "regression")


class Episodes(NamedTuple):
    """A batch of few-shot problems; targets are one-hot (classification) or one column."""

    X_support: np.ndarray  # (n_episodes, n_support, n_features)
    Y_support: np.ndarray  # (n_episodes, n_support, n_outputs)
    X_query: np.ndarray  # (n_episodes, n_query, n_features)
    Y_query: np.ndarray  # (n_episodes, n_query, n_outputs)


def one_hot(labels, n_classes):
    """Encode integers 0..n_classes-1 as unit vectors."""
    return np.eye(n_classes, dtype=np.float32)[labels]


class TaskSet:
    """Checked tasks of one kind and width, from which episodes are drawn.

    Parameters
    ----------
    tasks : sequence of (X, y)
        Each X of shape (n_samples, n_features), all of the same width.
    kind : {"classification", "regression"}
        Kind of the tasks.
    n_shots : int or (int, int)
        Support examples of an episode: of each class (classification) or in all (regression); a
        pair gives the range from which the number is drawn anew for each batch.
    n_query : int
        Query examples, counted likewise.
    n_way : int or None
        Classes of an episode.
    checked : bool
        Whether the tasks come from another task set.
    """

    def __init__(self, tasks, kind, n_shots, n_query, n_way=None, checked=False):
        self.kind, self.n_query, self.n_way = kind, n_query, n_way
        self.n_shots = (n_shots, n_shots) if np.isscalar(n_shots) else tuple(n_shots)
        if len(self.n_shots) != 2 or not 1 <= self.n_shots[0] <= self.n_shots[1]:
            raise ValueError(
                "n_shots must be a positive integer or a pair (lowest, highest) of such, "
                f"got {n_shots!r}."
            )
        self.tasks = tasks
        if not checked:
            self.tasks = [_check_task(task, i, kind) for i, task in enumerate(tasks)]
        if not self.tasks:
            raise ValueError("No tasks: pass a sequence of (X, y) pairs, one for each task.")
        self.n_features = self.tasks[0][0].shape[1]
        for i, (X, _) in enumerate(self.tasks):
            if X.shape[1] != self.n_features:
                raise ValueError(
                    f"Tasks of different widths: task 0 has {self.n_features} features and task "
                    f"{i} has {X.shape[1]}. Bring all tasks to the same columns first."
                )
        if kind == "classification":
            self.rows = [self._rows_of_classes(y, i) for i, (_, y) in enumerate(self.tasks)]
            self.n_outputs = min(n_way, max(map(len, self.rows)))
        else:
            short = [i for i, (X, _) in enumerate(self.tasks) if len(X) <= self.n_shots[0]]
            if short:
                raise ValueError(
                    f"Task {short[0]} has {len(self.tasks[short[0]][0])} samples; n_shots="
                    f"{n_shots} needs at least {self.n_shots[0] + 1} (one is left for the query)."
                )
            self.n_outputs = 1

    def _rows_of_classes(self, y, index):
        """Rows of each class that is large enough for a support and a query."""
        rows = [np.flatnonzero(y == label) for label in np.unique(y)]
        large = [r for r in rows if len(r) > self.n_shots[0]]
        if len(large) < 2:
            raise ValueError(
                f"Task {index} has {len(rows)} class(es), {len(large)} of them with more than "
                f"n_shots={self.n_shots[0]} samples; at least 2 such classes are needed."
            )
        return large

    def split(self, fraction, rng):
        """Hold out whole tasks, or whole classes of the only task, for validation."""
        if len(self.tasks) > 1:
            order = rng.permutation(len(self.tasks))
            n_held = min(max(1, round(fraction * len(order))), len(order) - 1)
            held, kept = [
                [self.tasks[i] for i in part] for part in (order[:n_held], order[n_held:])
            ]
        else:
            X, y = self.tasks[0]
            labels = rng.permutation(np.unique(y)) if self.kind == "classification" else []
            n_held = max(2, round(fraction * len(labels)))
            if len(labels) - n_held < 2:
                raise ValueError(
                    "One task is not enough to hold out validation tasks: pass more tasks, "
                    "`validation_tasks`, or a classification task of at least 4 classes."
                )
            is_held = np.isin(y, labels[:n_held])
            held, kept = [(X[is_held], y[is_held])], [(X[~is_held], y[~is_held])]
        return self._like(kept), self._like(held)

    def _like(self, tasks):
        return TaskSet(tasks, self.kind, self.n_shots, self.n_query, self.n_way, checked=True)

    def scaling(self):
        """Mean and scale of the columns and of the target over all tasks."""
        X = np.concatenate([X for X, _ in self.tasks])
        scaling = _mean_and_scale(X, "x")
        if self.kind == "regression":
            scaling |= _mean_and_scale(np.concatenate([y for _, y in self.tasks])[:, None], "y")
        return scaling

    def scaled(self, scaling):
        """Return the tasks with columns and target standardised."""
        if not scaling:
            return self
        tasks = []
        for X, y in self.tasks:
            if self.kind == "regression":
                y = (y - scaling["y_mean"][0]) / scaling["y_scale"][0]
            tasks.append(((X - scaling["x_mean"]) / scaling["x_scale"], y))
        return self._like(tasks)

    def sample(self, rng, n_episodes):
        """Draw a batch of episodes, all of the same shape."""
        chosen = rng.randint(len(self.tasks), size=n_episodes)
        n_shots = rng.randint(self.n_shots[0], self.n_shots[1] + 1)
        draw = self._draw_classes if self.kind == "classification" else self._draw_rows
        episodes = draw(rng, chosen, n_shots)
        return Episodes(
            *(np.stack(part).astype(np.float32) for part in zip(*episodes, strict=True))
        )

    def _draw_rows(self, rng, chosen, n_shots):
        n_shots = min(n_shots, min(len(self.tasks[i][0]) for i in chosen) - 1)
        for i in chosen:
            X, y = self.tasks[i]
            support, query = _split_rows(rng, np.arange(len(X)), n_shots, self.n_query)
            yield X[support], y[support, None], X[query], y[query, None]

    def _draw_classes(self, rng, chosen, n_shots):
        n_way = min([self.n_way, *(len(self.rows[i]) for i in chosen)])
        n_shots = min(n_shots, min(len(rows) for i in chosen for rows in self.rows[i]) - 1)
        for i in chosen:
            X = self.tasks[i][0]
            classes = rng.permutation(len(self.rows[i]))[:n_way]
            pairs = [_split_rows(rng, self.rows[i][c], n_shots, self.n_query) for c in classes]
            support = np.concatenate([pair[0] for pair in pairs])
            query = np.concatenate([pair[1] for pair in pairs])
            shuffled = rng.permutation(len(support))
            yield (
                X[support[shuffled]],
                one_hot(np.repeat(np.arange(n_way), n_shots)[shuffled], n_way),
                X[query],
                one_hot(np.repeat(np.arange(n_way), self.n_query), n_way),
            )


def _split_rows(rng, rows, n_shots, n_query):
    """Draw disjoint support and query rows; a short query is drawn with replacement."""
    rows = rng.permutation(rows)
    support, rest = rows[:n_shots], rows[n_shots:]
    return support, rest[:n_query] if len(rest) >= n_query else rng.choice(rest, n_query)


def _mean_and_scale(values, name):
    scale = values.std(axis=0)
    return {
        f"{name}_mean": values.mean(axis=0).astype(np.float32),
        f"{name}_scale": np.where(scale > 0, scale, 1.0).astype(np.float32),
    }


def _check_task(task, index, kind):
    try:
        X, y = task
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"Task {index} is not a pair (X, y): got {type(task).__name__}."
        ) from error
    try:
        X, y = check_X_y(X, y, y_numeric=kind == "regression")
        if kind == "classification":
            check_classification_targets(y)
    except ValueError as error:
        raise ValueError(f"Task {index}: {error}") from error
    return X, y


def sample_episodes(
    tasks, n_episodes, *, kind="classification", n_shots=5, n_query=5, n_way=5, random_state=None
):
    """Draw few-shot problems from tasks.

    Parameters
    ----------
    tasks : sequence of (X, y)
        Tasks of the same width. A classification task of many classes stands for all problems
        that a choice of `n_way` of its classes gives.
    n_episodes : int
        Number of problems.
    kind : {"classification", "regression"}, default="classification"
        Kind of the tasks.
    n_shots : int or (int, int), default=5
        Support examples: of each class (classification) or in all (regression).
    n_query : int, default=5
        Query examples, counted likewise.
    n_way : int, default=5
        Classes of a problem (classification).
    random_state : int, RandomState instance or None, default=None
        Determines the draws.

    Yields
    ------
    X_support, y_support, X_query, y_query : ndarray
        Features of shape (n_samples, n_features) and targets of shape (n_samples,); classes are
        numbered 0..n_way-1 anew in each problem.

    Examples
    --------
    >>> from sk_metalearn.metalearners import make_sine_tasks, sample_episodes
    >>> tasks = make_sine_tasks(3, random_state=0)
    >>> for X_support, y_support, X_query, y_query in sample_episodes(
    ...     tasks, 1, kind="regression", n_shots=5, n_query=10, random_state=0
    ... ):
    ...     print(X_support.shape, y_query.shape)
    (5, 1) (10,)
    """
    if kind not in _KINDS:
        raise ValueError(f"kind must be one of {_KINDS}, got {kind!r}.")
    rng = check_random_state(random_state)
    task_set = TaskSet(tasks, kind, n_shots, n_query, n_way)
    for _ in range(n_episodes):
        X_support, Y_support, X_query, Y_query = (part[0] for part in task_set.sample(rng, 1))
        if kind == "classification":
            yield X_support, Y_support.argmax(1), X_query, Y_query.argmax(1)
        else:
            yield X_support, Y_support[:, 0], X_query, Y_query[:, 0]


def few_shot_scores(learner, episodes, scoring=None):
    """Fit a learner on each support set and score it on the query set.

    Parameters
    ----------
    learner : estimator
        A meta-learner or any other scikit-learn estimator.
    episodes : iterable of (X_support, y_support, X_query, y_query)
        For instance from :func:`sample_episodes`.
    scoring : callable or None, default=None
        ``scoring(y_true, y_pred)``; None uses the `score` method of the learner.

    Returns
    -------
    ndarray of shape (n_episodes,)
        Score of each episode.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from sk_metalearn.metalearners import few_shot_scores, sample_episodes
    >>> episodes = sample_episodes([load_digits(return_X_y=True)], 20, random_state=0)
    >>> few_shot_scores(KNeighborsClassifier(1), episodes).shape
    (20,)
    """
    scores = []
    for X_support, y_support, X_query, y_query in episodes:
        learner.fit(X_support, y_support)
        if scoring is None:
            scores.append(learner.score(X_query, y_query))
        else:
            scores.append(scoring(y_query, learner.predict(X_query)))
    return np.array(scores)


def make_sine_tasks(n_tasks, n_samples=20, random_state=None):
    """Make the sine waves of the MAML paper.

    Each task is a wave ``amplitude * sin(x - phase)`` with its own amplitude in [0.1, 5] and phase
    in [0, pi], seen at points x in [-5, 5].

    Parameters
    ----------
    n_tasks : int
        Number of waves.
    n_samples : int, default=20
        Points of each wave.
    random_state : int, RandomState instance or None, default=None
        Determines the draws.

    Returns
    -------
    list of (X, y)
        X of shape (n_samples, 1) and y of shape (n_samples,).

    References
    ----------
    C. Finn, P. Abbeel and S. Levine (2017). "Model-Agnostic Meta-Learning for Fast Adaptation of
    Deep Networks". ICML.

    Examples
    --------
    >>> from sk_metalearn.metalearners import make_sine_tasks
    >>> X, y = make_sine_tasks(2, n_samples=10, random_state=0)[0]
    >>> X.shape, y.shape
    ((10, 1), (10,))
    """
    rng = check_random_state(random_state)
    amplitude = rng.uniform(0.1, 5.0, (n_tasks, 1))
    phase = rng.uniform(0.0, np.pi, (n_tasks, 1))
    x = rng.uniform(-5.0, 5.0, (n_tasks, n_samples))
    y = amplitude * np.sin(x - phase)
    return [(x_task[:, None], y_task) for x_task, y_task in zip(x, y, strict=True)]


def make_rotated_classes(images, y):
    """Turn images and their quarter-turn rotations into four times as many classes.

    Parameters
    ----------
    images : array-like of shape (n_samples, n_pixels, n_pixels)
        Square images.
    y : array-like of shape (n_samples,)
        Integer labels.

    Returns
    -------
    X : ndarray of shape (4 * n_samples, n_pixels ** 2)
        Flattened images.
    y : ndarray of shape (4 * n_samples,)
        ``4 * label + quarter_turns``.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sk_metalearn.metalearners import make_rotated_classes
    >>> digits = load_digits()
    >>> X, y = make_rotated_classes(digits.images, digits.target)
    >>> X.shape, int(y.max())
    ((7188, 64), 39)
    """
    images, y = np.asarray(images), np.asarray(y)
    X = np.concatenate([np.rot90(images, k, axes=(1, 2)).reshape(len(y), -1) for k in range(4)])
    return X, np.concatenate([4 * y + k for k in range(4)])
