import pytest


def pytest_configure(config):
    # scikit-learn's own tests carry this mark.
    config.addinivalue_line("markers", "thread_unsafe: not for several threads at once")


def pytest_collection_modifyitems(items):
    for item in items:
        for name, reason in getattr(item.module, "NOT_OURS", {}).items():
            own = item.name if "[" in name else item.originalname
            if own == f"test_search_{name}":
                item.add_marker(pytest.mark.skip(reason=reason))
