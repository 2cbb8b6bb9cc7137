# What is long and rarely breaks.
source .ci/common.sh
environment slow python3 ".[test]"
pytest -n auto -m slow --durations=10
