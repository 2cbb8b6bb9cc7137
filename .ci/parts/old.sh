# The oldest and the middle scikit-learn.
source .ci/common.sh
for version in 1.7 1.8; do
    (
        environment "sklearn-$version" python3 ".[test]" "scikit-learn==$version.*"
        contract
    )
done
