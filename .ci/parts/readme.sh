# The README's test command in a fresh environment.
source .ci/common.sh
command=$(grep -o 'pip install "\.\[test\]" && .*' README.md | head -n 1)
echo "$command"
environment tests python3
eval "$command"
