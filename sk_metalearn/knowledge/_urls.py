"""Where a store lies; the password of a database stays in this process and its children."""

import hashlib
import os
from pathlib import Path
from urllib.parse import unquote

from platformdirs import user_data_path

from ..exceptions import KnowledgeError, import_optional
from ._files import is_database
from ._text import printable

__all__ = ["PlaceParameter", "is_store", "read_url", "user_store_url", "without_password"]

_SUFFIXES = (".db", ".sqlite", ".sqlite3")
_PASSWORD = "SK_METALEARN_PASSWORD_"


def user_store_url():
    """Give the URL of the user's own store in the platform's folder for data of programs.

    The folder is made when something is recorded. The environment variable
    ``SK_METALEARN_HOME`` names another one.

    Returns
    -------
    str
        ``sqlite:///`` and the path of the file.
    """
    home = os.environ.get("SK_METALEARN_HOME")
    folder = Path(home).absolute() if home else user_data_path("sk_metalearn", appauthor=False)
    return f"sqlite:///{(folder / 'knowledge.db').as_posix()}"


def is_store(path_or_url):
    """Tell a database (URL, SQLite file, or the name of one) from other files.

    Parameters
    ----------
    path_or_url : path-like or str

    Returns
    -------
    bool
    """
    if "://" in str(path_or_url):
        return True
    path = Path(path_or_url)
    if path.is_file() and path.stat().st_size:
        return is_database(path)
    return path.suffix in _SUFFIXES


def read_url(path_or_url):
    """Read where a store lies.

    Parameters
    ----------
    path_or_url : path-like or str

    Returns
    -------
    url : sqlalchemy.engine.URL
        Without a password; of an SQLite file, with its whole path.
    read_only : bool
        Whether it asks to be read only: ``sqlite:///file:own.db?mode=ro&uri=true``.

    Raises
    ------
    KnowledgeError
        If it names no database that can be a store.
    """
    sql = import_optional("sqlalchemy", "postgres", "A knowledge store")
    text = str(path_or_url)
    if "://" not in text:
        # Not by way of a text: the name of a file may hold any sign.
        path = os.path.abspath(os.fspath(path_or_url))
        return sql.URL.create("sqlite", database=path), False
    try:
        url = sql.make_url(text)
    except (sql.exc.ArgumentError, ValueError) as error:
        # Not shown whole: it may hold a password.
        raise KnowledgeError(
            f"A URL that begins with {printable(text.partition('://')[0])!r} names no database. "
            "Give sqlite:///FILE or postgresql://HOST/NAME."
        ) from error
    backend = url.get_backend_name()
    if backend == "postgresql":
        return keep_password(url), False
    if backend != "sqlite":
        raise KnowledgeError(
            "A knowledge store is sqlite:// or postgresql://; got "
            f"{url.render_as_string(hide_password=True)!r}."
        )
    if url.database in (None, "", ":memory:"):
        return sql.URL.create("sqlite"), False
    name, read_only = url.database, url.query.get("mode") == "ro"
    if name.startswith("file:"):
        name = unquote(name.removeprefix("file:").partition("?")[0])
        name = "/" + name.lstrip("/") if name.startswith("//") else name
    return sql.URL.create("sqlite", database=os.path.abspath(name)), read_only


def without_password(path_or_url):
    """Give the text of a place as it may be shown and kept; this process keeps the password.

    Parameters
    ----------
    path_or_url : path-like or str

    Returns
    -------
    str
        Stores opened by it, here and in processes started from here, find the password again.

    Examples
    --------
    >>> from sk_metalearn.knowledge import without_password
    >>> without_password("own.db")
    'own.db'
    """
    text = str(path_or_url)
    if "://" not in text or ("@" not in text and "password" not in text):
        return text
    sql = import_optional("sqlalchemy", "postgres", "A knowledge store")
    try:
        url = sql.make_url(text)
    except (sql.exc.ArgumentError, ValueError):
        return text.partition("://")[0] + "://***"
    return keep_password(url).render_as_string()


class PlaceParameter:
    """A parameter of an estimator that may be the URL of a store: it never holds the password.

    What the estimator shows of itself and what is saved of it then has none, and it still opens
    the store; see `without_password`.
    """

    def __set_name__(self, owner, name):
        self._name = name

    def __get__(self, instance, owner=None):
        if instance is None:
            return self
        try:
            return vars(instance)[self._name]
        except KeyError:
            raise AttributeError(
                f"{type(instance).__name__!r} object has no attribute {self._name!r}"
            ) from None

    def __set__(self, instance, value):
        if isinstance(value, str):
            shown = without_password(value)
            # A text without a password stays the very object: scikit-learn's clone looks.
            value = value if shown == value else shown
        vars(instance)[self._name] = value

    def __delete__(self, instance):
        del vars(instance)[self._name]


def keep_password(url):
    """Keep the password of a URL where only this process and its children find it.

    Parameters
    ----------
    url : sqlalchemy.engine.URL

    Returns
    -------
    sqlalchemy.engine.URL
        Without it.
    """
    query = dict(url.query)
    password = query.pop("password", None) or url.password
    if password is not None:
        os.environ[_variable(url)] = str(password)
    # `URL.set` takes None for "as it is".
    return type(url).create(
        url.drivername, url.username, None, url.host, url.port, url.database, query
    )


def password_of(url):
    """Give the password kept for a URL, None if there is none: the driver then looks for one."""
    return os.environ.get(_variable(url))


def _variable(url):
    place = f"{url.username}@{url.host}:{url.port}/{url.database}"
    return _PASSWORD + hashlib.sha256(place.encode()).hexdigest()[:16].upper()
