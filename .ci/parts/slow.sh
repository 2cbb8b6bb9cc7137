# What is long and rarely breaks.
source .ci/common.sh
environment tests python3 ".[test]"
pytest -n auto -m slow --durations=10
