def pytest_configure(config):
    # scikit-learn's own tests carry this mark.
    config.addinivalue_line("markers", "thread_unsafe: not for several threads at once")
