"""Model, preprocessing, hyperparameters and ensemble in one estimator."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from .._compat import CallbackSupportMixin
from ..tables import Labels, Numbers, SeveralLabels, SeveralNumbers
from ._auto_search import AutoSearch
from ._intervals import interval_offsets
from ._several_metrics import split_metrics
from ._threshold import check_threshold

__all__ = ["AutoClassifier", "AutoRegressor"]


def _final_has(name):
    def check(self):
        if hasattr(self, "best_estimator_"):
            # Raises the AttributeError of the final model itself.
            getattr(self.best_estimator_, name)
        return True

    return check


class AutoClassifier(AutoSearch, ClassifierMixin, CallbackSupportMixin, BaseEstimator):
    """Find, configure and combine classifiers for any table.

    Measures the dataset, asks the knowledge base which pipelines did best on similar ones,
    evaluates those that promise most, goes on from what it finds, and combines the best.

    Parameters
    ----------
    n_iter : int or None, default=None
        Number of configurations to evaluate. None: 10, or no limit with a `time_budget`.
    time_budget : float, default=None
        Seconds for all of `fit`, refit included; exceeded by at most 10 % and one second.
        Configurations and refit then run in worker processes that are ended when the time is
        over, and the result depends on the speed of the machine.
    strategy : str or Strategy, default="auto"
        How configurations are proposed, see `sk_metalearn.strategies`.
    knowledge : {"bundled", "user"}, KnowledgeBase, path-like or None, default="bundled"
        What is known of past datasets: the bundled base, the user's own alone, a file or the URL of
        a database. What `remember` recorded stands beside it. None: nothing else. Whatever goes
        wrong with it is reported and costs the search nothing.
    scoring : str, callable, list, tuple, dict or None, default=None
        What to maximise. None: accuracy; of several labels ``"f1_micro"``, as the accuracy of
        whole rows says little where there are many. Several, as a list of names or a dict of names
        to scorers: the first decides, the others stand beside it in ``cv_results_`` and in the
        `leaderboard`.
    cv : int, splitter, iterable or None, default=None
        Folds. None or an int: so many stratified folds of shuffled rows; by default 5, or
        3 where a sample of the rows is searched under a `time_budget`.
    families : list, default=None
        What to choose from: names of model families, ``"all"`` for all of scikit-learn's (the
        default), ``"lightgbm"``, ``"xgboost"`` and ``"catboost"`` (extra ``boosting``), and beside
        them estimators of your own, or pairs of one and distributions of its parameters. An
        estimator of your own is tried early as it is, then with parameters drawn at random, after
        the steps of a linear model (gaps filled, numbers scaled, categories one-hot); a pipeline
        is taken as it is.
    before : transformer, dict of str to transformer, or None, default=None
        Steps of your own before all that is searched: a transformer, or a pipeline of several,
        fitted on the training rows of each fold. It takes X as given and keeps every row; what it
        makes is searched like any other table. A dict has the search choose between several;
        ``"passthrough"`` stands for none.
    columns : dict of column to role, default=None
        What is known of some columns, by name, or position where they have none: ``"number"``,
        ``"category"``, ``"ordered"``, ``"date"``, ``"duration"``, ``"text"`` or ``"ignore"``. What
        it does not name is decided from the values; see `describe_columns`.
    ensemble_size : int, default=12
        Rounds of ensemble selection over the out-of-fold predictions of halves of the best 12
        pipelines; 0 keeps the best single one. So does a callable `scoring` that
        `sklearn.metrics.make_scorer` did not make, as it may look at more than predictions, and a
        target of several outputs.
    final : {"auto", "bag", "latest", "refit"}, default="auto"
        What predicts: the models that were fitted on the folds (``"bag"``), which need no further
        fit but predict some five times slower, or new ones that are fitted on all rows
        (``"refit"``). ``"auto"`` fits new ones. Under a `time_budget` a member is the mean of
        both, or of the models of the folds alone where there is no time. Where a sample was
        searched under a budget, the best ones are fitted on nearly all rows and their weights
        chosen on the rest. ``"latest"``, for folds in order of time, fits on the rows from the
        first of the last fold on.
    threshold : {"tune"} or None, default=None
        ``"tune"``: for two classes and a metric of predicted classes, `predict` gives the second
        class from that probability on which scores best on rows that the members had not seen. It
        is then not always the likelier class that is predicted; probabilities stay as they are.
    racing : bool, default=False
        Stop a configuration after its first folds when it can hardly become the best any more. It
        then cannot join the ensemble.
    max_rows : int, default=10000
        Larger data are searched on a sample of so many rows; the final model sees all. Folds of a
        splitter are drawn on all rows and cut to the sample; an iterable of folds has all rows
        searched. With a `time_budget`, tables of much free text are searched on fewer.
    n_jobs : int, default=None
        Worker processes, or what `joblib.parallel_config` says.
    patience : int, default=None
        Stop after so many configurations in a row that are no better than the best.
    limits : CandidateLimits, default=None
        What one configuration may use: seconds of a fit, memory, seconds to predict, bytes of the
        model. None: no limits.
    checkpoint : path-like, default=None
        File that keeps every result as soon as it is there; `fit` called again goes on from it.
    remember : bool, str or KnowledgeBase, default=False
        Record the finished search for later ones; see `MetaSearchCV`.
    lookahead : int or None, default=2
        A configuration is proposed when the results of all but the last ``lookahead - 1`` before
        it are known. None: as soon as a worker is free; the result then depends on `n_jobs`.
    verbose : int or "bar", default=0
        Above 0 a line is printed per configuration; ``"bar"``: one line that moves.
    random_state : int, RandomState instance or None, default=None
        Seeds folds, models and the strategy.

    Attributes
    ----------
    best_estimator_ : estimator
        The final model: a pipeline, or a `VotingClassifier` of several and of what they learned on
        each fold. A clone of it has learned nothing. Of scikit-learn objects only, but for a first
        step that reads columns which scikit-learn does not, see
        `TableReader`. Where models cannot take the classes as they are (text that reads as
        numbers), the `VotingClassifier` of one or several names them.
        Of several labels a pipeline, whose last step is a `MultiOutputClassifier` where a model
        takes one.
    best_params_ : dict
        The best single configuration, as in ``cv_results_["params"]``.
    best_index_ : int
        Its row; -1 where only the dummy estimator could be fitted.
    best_score_ : float
        Score of the final model on the folds.
    cv_results_ : dict of array
        A row per configuration; the columns of `MetaSearchCV`.
    configurations_ : list of Configuration
        In the order of the rows.
    score_estimate_ : ScoreEstimate or None
        What to expect on new rows: ``score``, ``standard_error``, the same of the best ``single``
        configuration, and ``dummy``. `best_score_` is optimistic, as members were chosen by it;
        here each fold is judged by an ensemble that was chosen on the others. None where there
        was no time for it.
    threshold_ : float or None
        Probability of the second class from which on it is predicted. None: the likelier class is.
    ensemble_ : dict of int to int
        Weight of each member, by row; a single pipeline is one row with weight 1.
    stop_reason_ : str
        Why the search ended, as in `MetaSearchCV`.
    refit_on_ : str
        What `best_estimator_` was fitted on: ``"all rows"``, ``"training rows of each fold"``, or
        what time and memory allowed.
    refit_time_ : float
        Seconds from the last configuration to the final model.
    knowledge_report_ : dict
        What past datasets contributed; prints as text.
    scorer_ : callable
        What was maximised.
    n_splits_ : int
        Number of folds.
    classes_ : ndarray of shape (n_classes,), or list of ndarray
        The classes; of several labels 0 and 1 for each.
    n_features_in_ : int
        Number of columns of X.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, if they are strings.

    References
    ----------
    M. Feurer et al. Efficient and robust automated machine learning. NeurIPS 2015.

    R. Caruana et al. Ensemble selection from libraries of models. ICML 2004.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sk_metalearn import AutoClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> auto = AutoClassifier(n_iter=3, families=["lda", "svm"], random_state=0).fit(X, y)
    >>> auto.predict(X[:2])
    array([0, 0])
    """

    _kind = "classification"
    _default_scoring = "accuracy"
    _several_scoring = "f1_micro"
    _parameter_constraints = {
        **AutoSearch._parameter_constraints,
        "threshold": [StrOptions({"tune"}), None],
    }

    def __init__(
        self,
        *,
        n_iter=None,
        time_budget=None,
        strategy="auto",
        knowledge="bundled",
        scoring=None,
        cv=None,
        families=None,
        before=None,
        columns=None,
        ensemble_size=12,
        final="auto",
        threshold=None,
        racing=False,
        max_rows=10_000,
        n_jobs=None,
        patience=None,
        limits=None,
        checkpoint=None,
        remember=False,
        lookahead=2,
        verbose=0,
        random_state=None,
    ):
        super().__init__(
            n_iter=n_iter,
            time_budget=time_budget,
            strategy=strategy,
            knowledge=knowledge,
            scoring=scoring,
            cv=cv,
            families=families,
            before=before,
            columns=columns,
            ensemble_size=ensemble_size,
            final=final,
            racing=racing,
            max_rows=max_rows,
            n_jobs=n_jobs,
            patience=patience,
            limits=limits,
            checkpoint=checkpoint,
            remember=remember,
            lookahead=lookahead,
            verbose=verbose,
            random_state=random_state,
        )
        self.threshold = threshold

    def _learn_target(self, y, scorer):
        labels = Labels.of(y) if np.ndim(y) == 1 else SeveralLabels(y.shape[1])
        if self.threshold is not None:
            check_threshold(labels.classes, scorer, split_metrics(self.scoring)[0])
        self.classes_ = labels.classes
        return labels

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    @property
    def threshold_(self):
        check_is_fitted(self, "best_estimator_")
        return self._threshold

    def predict_proba(self, X):
        """Predict the probability of each class.

        Parameters
        ----------
        X : array-like, sparse matrix, dataframe, pyarrow.Table or record
            Rows with the columns of fit; see `predict`.

        Returns
        -------
        ndarray of shape (n_samples, n_classes) or (n_samples, n_labels)
            Columns in the order of `classes_`; of several labels the probability that a row has
            each, in the order of the y of fit.
        """
        X = self._ready(X)
        if self._target.n_outputs > 1:
            return self._target.probabilities(self.best_estimator_, X)
        return self.best_estimator_.predict_proba(X)

    def predict_log_proba(self, X):
        """Predict the logarithm of the probability of each class.

        Parameters
        ----------
        X : array-like, sparse matrix, dataframe, pyarrow.Table or record
            Rows with the columns of fit; see `predict`.

        Returns
        -------
        ndarray of shape (n_samples, n_classes) or (n_samples, n_labels)
            Columns as of `predict_proba`.
        """
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    @available_if(_final_has("decision_function"))
    def decision_function(self, X):
        """Give the decision values of the final model, where it has them.

        Parameters
        ----------
        X : array-like, sparse matrix, dataframe, pyarrow.Table or record
            Rows with the columns of fit; see `predict`.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
        """
        X = self._ready(X)
        return self.best_estimator_.decision_function(X)


class AutoRegressor(AutoSearch, RegressorMixin, CallbackSupportMixin, BaseEstimator):
    """Find, configure and combine regressors for any table.

    Measures the dataset, asks the knowledge base which pipelines did best on similar ones,
    evaluates those that promise most, goes on from what it finds, and combines the best.

    Parameters
    ----------
    n_iter : int or None, default=None
        Number of configurations to evaluate. None: 10, or no limit with a `time_budget`.
    time_budget : float, default=None
        Seconds for all of `fit`, refit included; exceeded by at most 10 % and one second.
        Configurations and refit then run in worker processes that are ended when the time is
        over, and the result depends on the speed of the machine.
    strategy : str or Strategy, default="auto"
        How configurations are proposed, see `sk_metalearn.strategies`.
    knowledge : {"bundled", "user"}, KnowledgeBase, path-like or None, default="bundled"
        What is known of past datasets: the bundled base, the user's own alone, a file or the URL of
        a database. What `remember` recorded stands beside it. None: nothing else. Whatever goes
        wrong with it is reported and costs the search nothing.
    scoring : str, callable, list, tuple, dict or None, default=None
        What to maximise. None: R2, of several outputs their mean. Where it is the pinball loss of a
        quantile (`sklearn.metrics.mean_pinball_loss`), histogram gradient boosting minimises that.
        Several, as a list of names or a dict of names to scorers: the first decides, the others
        stand beside it in ``cv_results_`` and in the `leaderboard`.
    cv : int, splitter, iterable or None, default=None
        Folds. None or an int: so many folds of shuffled rows, or of whole groups where `fit` is
        given ``groups``; by default 5, or 3 where a sample of the rows is searched under a
        `time_budget`.
    families : list, default=None
        What to choose from: names of model families, ``"all"`` for all of scikit-learn's (the
        default), ``"lightgbm"``, ``"xgboost"`` and ``"catboost"`` (extra ``boosting``), and beside
        them estimators of your own, or pairs of one and distributions of its parameters. An
        estimator of your own is tried early as it is, then with parameters drawn at random, after
        the steps of a linear model (gaps filled, numbers scaled, categories one-hot); a pipeline
        is taken as it is.
    before : transformer, dict of str to transformer, or None, default=None
        Steps of your own before all that is searched: a transformer, or a pipeline of several,
        fitted on the training rows of each fold. It takes X as given and keeps every row; what it
        makes is searched like any other table. A dict has the search choose between several;
        ``"passthrough"`` stands for none.
    columns : dict of column to role, default=None
        What is known of some columns, by name, or position where they have none: ``"number"``,
        ``"category"``, ``"ordered"``, ``"date"``, ``"duration"``, ``"text"`` or ``"ignore"``. What
        it does not name is decided from the values; see `describe_columns`.
    ensemble_size : int, default=12
        Rounds of ensemble selection over the out-of-fold predictions of halves of the best 12
        pipelines; 0 keeps the best single one. So does a callable `scoring` that
        `sklearn.metrics.make_scorer` did not make, as it may look at more than predictions, and a
        target of several outputs.
    final : {"auto", "bag", "latest", "refit"}, default="auto"
        What predicts: the models that were fitted on the folds (``"bag"``), which need no further
        fit but predict some five times slower, or new ones that are fitted on all rows
        (``"refit"``). ``"auto"`` fits new ones. Under a `time_budget` a member is the mean of
        both, or of the models of the folds alone where there is no time. Where a sample was
        searched under a budget, the best ones are fitted on nearly all rows and their weights
        chosen on the rest. ``"latest"``, for folds in order of time, fits on the rows from the
        first of the last fold on.
    racing : bool, default=False
        Stop a configuration after its first folds when it can hardly become the best any more. It
        then cannot join the ensemble.
    max_rows : int, default=10000
        Larger data are searched on a sample of so many rows; the final model sees all. Folds of a
        splitter are drawn on all rows and cut to the sample; an iterable of folds has all rows
        searched. With a `time_budget`, tables of much free text are searched on fewer.
    n_jobs : int, default=None
        Worker processes, or what `joblib.parallel_config` says.
    patience : int, default=None
        Stop after so many configurations in a row that are no better than the best.
    limits : CandidateLimits, default=None
        What one configuration may use: seconds of a fit, memory, seconds to predict, bytes of the
        model. None: no limits.
    checkpoint : path-like, default=None
        File that keeps every result as soon as it is there; `fit` called again goes on from it.
    remember : bool, str or KnowledgeBase, default=False
        Record the finished search for later ones; see `MetaSearchCV`.
    lookahead : int or None, default=2
        A configuration is proposed when the results of all but the last ``lookahead - 1`` before
        it are known. None: as soon as a worker is free; the result then depends on `n_jobs`.
    verbose : int or "bar", default=0
        Above 0 a line is printed per configuration; ``"bar"``: one line that moves.
    random_state : int, RandomState instance or None, default=None
        Seeds folds, models and the strategy.

    Attributes
    ----------
    best_estimator_ : estimator
        The final model: a pipeline, or a `VotingRegressor` of several and of what they learned on
        each fold. A clone of it has learned nothing. Of scikit-learn objects only, but for a first
        step that reads columns which scikit-learn does not, see
        `TableReader`. Where the metric is not defined for predictions of 0 or less, such as
        Poisson's deviance of counts, a `TransformedTargetRegressor` keeps them above.
        Of several outputs a pipeline, with a `MultiOutputRegressor` around a model that takes one.
    best_params_ : dict
        The best single configuration, as in ``cv_results_["params"]``.
    best_index_ : int
        Its row; -1 where only the dummy estimator could be fitted.
    best_score_ : float
        Score of the final model on the folds.
    cv_results_ : dict of array
        A row per configuration; the columns of `MetaSearchCV`.
    configurations_ : list of Configuration
        In the order of the rows.
    score_estimate_ : ScoreEstimate or None
        What to expect on new rows: ``score``, ``standard_error``, the same of the best ``single``
        configuration, and ``dummy``. `best_score_` is optimistic, as members were chosen by it;
        here each fold is judged by an ensemble that was chosen on the others. None where there
        was no time for it.
    ensemble_ : dict of int to int
        Weight of each member, by row; a single pipeline is one row with weight 1.
    stop_reason_ : str
        Why the search ended, as in `MetaSearchCV`.
    refit_on_ : str
        What `best_estimator_` was fitted on: ``"all rows"``, ``"training rows of each fold"``, or
        what time and memory allowed.
    refit_time_ : float
        Seconds from the last configuration to the final model.
    knowledge_report_ : dict
        What past datasets contributed; prints as text.
    scorer_ : callable
        What was maximised.
    n_splits_ : int
        Number of folds.
    n_features_in_ : int
        Number of columns of X.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, if they are strings.

    References
    ----------
    M. Feurer et al. Efficient and robust automated machine learning. NeurIPS 2015.

    R. Caruana et al. Ensemble selection from libraries of models. ICML 2004.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sk_metalearn import AutoRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> auto = AutoRegressor(n_iter=3, families=["ridge", "svm"], random_state=0).fit(X, y)
    >>> auto.predict(X[:2]).shape
    (2,)
    """

    _kind = "regression"
    _default_scoring = _several_scoring = "r2"

    def _learn_target(self, y, scorer):
        return Numbers.of(y, scorer) if np.ndim(y) == 1 else SeveralNumbers(y.shape[1])

    def predict_interval(self, X, coverage=0.9):
        """Predict between which values a target will be.

        The errors of the final model's members on rows that they had not seen are added to the
        prediction, as in CV+ with intervals of one width. After `refit` they are still those of the
        search: where targets are on another scale since, search again.

        Parameters
        ----------
        X : array-like, sparse matrix, dataframe, pyarrow.Table or record
            Rows with the columns of fit; see `predict`.
        coverage : float, default=0.9
            Share of the targets that the intervals are to hold, between 0 and 1. On rows like those
            of fit; what the width says of a single row is the same for all.

        Returns
        -------
        ndarray of shape (n_samples, 2)
            Lower and upper ends.

        Raises
        ------
        ValueError
            If y had several columns, `coverage` is not between 0 and 1, there are too few rows for
            it, or no predictions on unseen rows were kept: of a single pipeline (``ensemble_size``
            of 0 or 1), or one that was fitted for want of time.

        References
        ----------
        R. F. Barber, E. J. Candes, A. Ramdas and R. J. Tibshirani. Predictive inference with the
        jackknife+. Annals of Statistics 49, 2021.
        """
        predicted = self.predict(X)
        if self._target.n_outputs > 1:
            raise ValueError(
                f"predict_interval is for one output; y has had {self._target.n_outputs}. Fit an "
                "AutoRegressor for each column."
            )
        if not 0 < coverage < 1:
            raise ValueError(f"coverage must be a number between 0 and 1; got {coverage!r}.")
        if self._errors is None:
            raise ValueError(
                "There are no errors on unseen rows to make intervals of: the model is a single "
                "pipeline (ensemble_size below 2), or was fitted for want of time. Give an "
                "ensemble_size of 2 or more, and a larger time_budget."
            )
        low, high = interval_offsets(self._errors, coverage)
        ends = np.column_stack([predicted + low, predicted + high])
        floor = self._target.floor
        return ends if floor is None else np.maximum(ends, floor)
