# What would be released: built, checked, installed in an empty environment and tested there.
source .ci/common.sh
environment build python3 build twine check-wheel-contents
python -m build --outdir "$CI_WORK/dist" . > /dev/null
twine check --strict "$CI_WORK"/dist/*
check-wheel-contents "$CI_WORK"/dist/*.whl
size=$(stat --format=%s "$CI_WORK"/dist/*.whl)
echo "wheel: $size bytes"
((size <= 12 * 1024 * 1024))
environment released python3 "$CI_WORK"/dist/*.whl
cd "$CI_WORK/dist"
tar -xzf ./*.tar.gz
cd sk_metalearn-*/
mv sk_metalearn not_the_one_to_test
python -c 'import sk_metalearn; sk_metalearn.show_versions()'
sk-metalearn kb info
python examples/quickstart.py
pip install --quiet "$(echo "$CI_WORK"/dist/*.whl)[test]"
pytest -n auto tests/test_*.py tests/spaces tests/tables tests/inspection
