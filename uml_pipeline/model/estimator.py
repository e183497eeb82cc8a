"""What scikit-learn asks of a classifier that is trained already."""

from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from sklearn.utils import Tags


class Trained:
    """A classifier that `sklearn` takes, though it need not be installed: metrics and scorers, `FrozenEstimator` and
    what calibrates it. Whatever copies an estimator to train it keeps this one as it is.
    """

    def fit(self, X: Any = None, y: Any = None) -> Self:
        """Nothing: it is trained."""
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_clone__(self) -> Self:
        return self

    def __sklearn_tags__(self) -> "Tags":
        from sklearn.utils import ClassifierTags, Tags, TargetTags

        return Tags(
            estimator_type="classifier",
            target_tags=TargetTags(required=False),
            classifier_tags=ClassifierTags(),
        )
