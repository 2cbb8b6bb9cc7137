# Another Python, if the machine has one.
source .ci/common.sh
own=$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
for version in 3.13 3.12 3.11; do
    [[ $version == "$own" ]] && continue
    for python in "python$version" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$version".*/bin/python; do
        "$python" -c 'import venv, ensurepip' 2> /dev/null || continue
        environment other "$python" ".[test]"
        contract
        exit
    done
done
echo "skipped: no Python but $own"
