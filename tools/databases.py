"""Databases: templates, each built from one before, and copies of them.

``base``  Odoo with what the addon depends on
``addon`` base, and the addon
``demo``  addon, and the addon's demo data
``web``   addon, and the bundles of the web client, for browser tests

A template carries a key, the hash of all it was made of, as its comment in the
database. It is built under another name and renamed when it is complete, so one that
exists is always whole. Copies are made by PostgreSQL itself, with the files of the
attachments linked beside them.

Runs inside the virtualenv (psycopg2).
"""

import ast
import contextlib
import hashlib
import itertools
import os
import re
import shutil
import time
from functools import cache

from . import odoo, venv
from .locks import setting_up
from .paths import ADDON, ADDON_NAME, DATA, LOGS, PREFIX, ROOT
from .say import Stop, slow

#: Read by a running server from the addon's folder: the bundles are made of it.
BUNDLED = ("static/src", "static/tests", "static/lib")
#: Neither stored in a database nor in its bundles.
UNUSED = ("tests", "readme", "__pycache__")
#: Read from the folder too, but for the icon, which the menu has in the database.
STORE_PAGE = "static/description"
_numbers = itertools.count(1)
#: How often dropping a database is tried, half a second apart.
_DROP_TRIES = 60


@contextlib.contextmanager
def cursor(database="postgres"):
    """A cursor in autocommit on a database of the server that the environment names."""
    import psycopg2

    try:
        connection = psycopg2.connect(dbname=database)
    except psycopg2.OperationalError as error:
        raise Stop(
            f"PostgreSQL does not answer ({str(error).strip().splitlines()[0]}): "
            "check the PG* variables, or unset them to use the embedded server."
        ) from None
    connection.autocommit = True
    try:
        yield connection.cursor()
    finally:
        connection.close()


def exists(name):
    """Whether the server has a database of this name."""
    with cursor() as cr:
        cr.execute("SELECT FROM pg_database WHERE datname = %s", [name])
        return bool(cr.rowcount)


def key_of(name):
    """The key that the database carries, or nothing."""
    with cursor() as cr:
        cr.execute(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database"
            " WHERE datname = %s",
            [name],
        )
        row = cr.fetchone()
    return row and row[0]


def set_key(name, key):
    """Have the database carry a key."""
    with cursor() as cr:
        cr.execute(f'COMMENT ON DATABASE "{name}" IS %s', [key])


def _filestore(name):
    return DATA / "filestore" / name


def drop(name):
    """Drop a database, whoever is connected, with the files of its attachments."""
    import psycopg2.errors

    with cursor() as cr:
        for tries_left in reversed(range(_DROP_TRIES)):
            try:
                cr.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
                break
            except psycopg2.errors.InsufficientPrivilege:
                # Autovacuum works there as the superuser, whom nobody else may end.
                if not tries_left:
                    raise
                time.sleep(0.5)
    shutil.rmtree(_filestore(name), ignore_errors=True)


def copy(template, name):
    """Make a database as a copy of another, to which nobody may be connected."""
    drop(name)
    with cursor() as cr:
        cr.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    if _filestore(template).exists():
        # The files are named by their content and never change: a link is as good as a
        # copy.
        shutil.copytree(_filestore(template), _filestore(name), copy_function=os.link)


def _rename(name, new):
    drop(new)
    if _filestore(name).exists():
        _filestore(name).rename(_filestore(new))
    with cursor() as cr:
        cr.execute(f'ALTER DATABASE "{name}" RENAME TO "{new}"')


def temporary_name():
    """A name of our own for a database that ends with this process."""
    return f"{PREFIX}_{os.getpid()}_{next(_numbers)}"


@contextlib.contextmanager
def temporary(template):
    """A copy of a template for the length of the block."""
    name = temporary_name()
    copy(template, name)
    try:
        yield name
    finally:
        drop(name)


def _ended(name):
    """Whether a temporary name is that of a process which runs no more."""
    found = re.search(rf"{PREFIX}_(\d+)_", name)
    return bool(found) and not os.path.exists(f"/proc/{found[1]}")


def drop_left_over():
    """Drop what ended processes left: their logs and, if killed, their databases."""
    with cursor() as cr:
        cr.execute("SELECT datname FROM pg_database")
        names = [name for (name,) in cr.fetchall()]
    for name in filter(_ended, names):
        drop(name)
    for log in LOGS.glob(f"*{PREFIX}_*.log"):
        if _ended(log.name):
            log.unlink(missing_ok=True)


def manifest():
    """The addon's manifest."""
    try:
        return ast.literal_eval((ADDON / "__manifest__.py").read_text())
    except FileNotFoundError:
        raise Stop(f"There is no addon in {ADDON}: is the clone complete?") from None


def _digest(*parts):
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def base_key():
    """What the template ``base`` is made of."""
    addons = (ROOT / venv.ADDONS_LIST).read_text()
    return _digest(odoo.identity(), addons, *sorted(manifest()["depends"]))


def _is_below(name, folders):
    return any(f"/{folder}/" in f"/{name}" for folder in folders)


def _digest_of_files(wanted):
    parts = []
    for path in sorted(ADDON.rglob("*")):
        name = path.relative_to(ADDON).as_posix()
        if path.is_file() and wanted(name):
            parts += [name, hashlib.sha256(path.read_bytes()).hexdigest()]
    return _digest(*parts)


@cache
def addon_key():
    """What the templates ``addon`` and ``demo`` are made of.

    All of the addon but what the server and the tests read from its folder each time.
    """
    unread = (*BUNDLED, *UNUSED, STORE_PAGE)
    files = _digest_of_files(
        lambda name: not _is_below(name, unread) or name == f"{STORE_PAGE}/icon.png"
    )
    return _digest(base_key(), (ROOT / "requirements.txt").read_text(), files)


@cache
def web_key():
    """What the template ``web`` is made of."""
    return _digest(addon_key(), _digest_of_files(lambda name: _is_below(name, BUNDLED)))


def _build(name, key, source, fill):
    temp = temporary_name()
    try:
        if source:
            copy(source, temp)
        else:
            with cursor() as cr:
                cr.execute(
                    f'CREATE DATABASE "{temp}" TEMPLATE template0'
                    " ENCODING 'UTF8' LC_COLLATE 'C'"
                )
        fill(temp)
        set_key(temp, key)
        _rename(temp, name)
    except BaseException:
        drop(temp)
        raise
    return name


def _install(what, database, modules):
    log = odoo.install(what, database, modules)
    # Odoo only warns about a module that it cannot find or install, and ends well.
    with cursor(database) as cr:
        cr.execute(
            "SELECT name FROM ir_module_module"
            " WHERE name = ANY(%s) AND state = 'installed'",
            [modules],
        )
        missing = set(modules) - {row[0] for row in cr.fetchall()}
    if missing:
        raise Stop(f"Odoo did not install {', '.join(missing)}: {log} says why.")


def _install_base(database):
    _install(
        "Installing Odoo's base in a template database", database, manifest()["depends"]
    )


def _install_addon(database):
    _install(f"Installing {ADDON_NAME} in a template database", database, [ADDON_NAME])


def _load_demo(database):
    odoo.script("Loading the demo data", database, "load_demo", ADDON_NAME)


def _make_bundles(database):
    odoo.script("Making the bundles of the web client", database, "make_bundles")


#: name → its key, the template it starts from, what is done to it
STEPS = {
    "base": (base_key, None, _install_base),
    "addon": (addon_key, "base", _install_addon),
    "demo": (addon_key, "addon", _load_demo),
    "web": (web_key, "addon", _make_bundles),
}


def template(kind):
    """The name of a template database, built first if it is missing or out of date."""
    with setting_up():
        return _template(kind)


def _template(kind):
    key, source, fill = STEPS[kind]
    name = f"{PREFIX}_{kind}"
    if key_of(name) != key():
        source = source and _template(source)
        _build(name, key(), source, fill)
    return name


def up_to_date(name):
    """Have a lasting database with the addon and its demo data, as the source is now.

    A new one is a copy of the template ``demo``; one made from an older source is
    upgraded and keeps its data.
    """
    if not exists(name):
        with setting_up():
            source = _template("demo")
            with slow(f"Making the database {name}"):
                temp = temporary_name()
                copy(source, temp)
                set_key(temp, addon_key())
                _rename(temp, name)
    elif key_of(name) != addon_key():
        if key_of(name) is None:
            raise Stop(
                f"The database {name} was not made by make run and is left alone: "
                "choose another, make run DB=other."
            )
        odoo.upgrade(
            f"Upgrading {ADDON_NAME} in the database {name}", name, [ADDON_NAME]
        )
        set_key(name, addon_key())


def set_address(name, url):
    """Have links to the server of a database, and what PDFs are made of, lead there.

    Odoo learns its address when an administrator logs in, which may be never.
    """
    with cursor(name) as cr:
        cr.execute(
            "UPDATE ir_config_parameter SET value = %s WHERE key = 'web.base.url'",
            [url],
        )


def drop_all():
    """Drop every database that this clone made: each has its folder of attachments."""
    for folder in (DATA / "filestore").iterdir():
        drop(folder.name)
