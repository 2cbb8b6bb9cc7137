from hypothesis import settings


def pytest_addoption(parser):
    parser.addoption("--tables", type=int, default=100, help="tables drawn for each law")


def pytest_configure(config):
    settings.register_profile("tables", max_examples=config.getoption("--tables", 100))
    settings.load_profile("tables")
