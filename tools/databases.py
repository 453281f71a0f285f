"""Databases: templates, each built from one before, and copies of them.

``base``   Odoo with what the core depends on
``core``   base, and the core
``<name>`` core, and the addon of that name with what it depends on
``all``    core, and every addon that ``make run`` installs
``demo``   all, and the demo data of each addon
``web``    one of the above with the bundles of the web client, for browser tests

A template carries a key, the hash of all it was made of, as its comment in the
database. It is built under another name and renamed when it is complete, so one that
exists is always whole. Copies are made by PostgreSQL itself, with the files of the
attachments linked beside them.

Runs inside the virtualenv (psycopg2).
"""

import contextlib
import hashlib
import itertools
import os
import re
import shutil
import time
from functools import cache, partial

from . import addons, odoo, venv
from .locks import setting_up
from .paths import ADDON_NAME, DATA, LOGS, PREFIX, ROOT
from .say import Stop, slow

#: Read by a running server from the folder of an addon: the bundles are made of it.
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


def kinds():
    """The kinds of templates, by name."""
    return ["base", "core", "all", "demo", *(each.name for each in addons.every())]


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
    """Drop a database, also a connected one, and the files of its attachments."""
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


def _digest(*parts):
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def base_key():
    """What the template ``base`` is made of."""
    lists = (ROOT / venv.ADDONS_LIST).read_text()
    return _digest(odoo.identity(), lists, *sorted(addons.core().depends))


def _is_below(name, folders):
    return any(f"/{folder}/" in f"/{name}" for folder in folders)


def _digest_of_files(addon, wanted):
    parts = []
    for path in sorted(addon.folder.rglob("*")):
        name = path.relative_to(addon.folder).as_posix()
        if path.is_file() and wanted(name):
            parts += [name, hashlib.sha256(path.read_bytes()).hexdigest()]
    return _digest(addon.name, *parts)


def _stored(addon):
    """A digest of what Odoo takes from an addon into a database.

    It is all but what the server and the tests read from the folder each time.
    """
    unread = (*BUNDLED, *UNUSED, STORE_PAGE)
    return _digest_of_files(
        addon,
        lambda name: not _is_below(name, unread) or name == f"{STORE_PAGE}/icon.png",
    )


def _bundled(addon):
    """A digest of what the bundles of the web client take from an addon."""
    return _digest_of_files(addon, lambda name: _is_below(name, BUNDLED))


def installed(kind):
    """The addons of this repository in the template of a kind, lowest first.

    :param kind: ``base``, ``core``, ``all``, ``demo`` or the name of an addon
    """
    if kind == "base":
        return []
    if kind in ("all", "demo"):
        return addons.shipped()
    addon = addons.core() if kind == "core" else addons.named(kind)
    return [*addons.stands_on(addon), addon]


@cache
def key(kind, bundles=False):
    """What the template of a kind is made of.

    :param bundles: whether the bundles of the web client are in it
    """
    requirements = (ROOT / "requirements.txt").read_text()
    made_of = installed(kind)
    parts = [base_key()]
    if made_of:
        parts += [requirements, *(_stored(addon) for addon in made_of)]
    if bundles:
        parts += ["bundles", *(_bundled(addon) for addon in made_of)]
    return _digest(*parts)


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
    missing = _missing(database, modules)
    if missing:
        raise Stop(f"Odoo did not install {', '.join(missing)}: {log} says why.")


def _install_base(database):
    depends = addons.core().depends
    _install("Installing Odoo's base in a template database", database, depends)


def _install_kind(kind, database):
    names = _missing(database, [addon.name for addon in installed(kind)])
    _install(f"Installing {', '.join(names)} in a template database", database, names)


def _load_demo(database):
    names = [addon.name for addon in installed("demo")]
    odoo.script("Loading the demo data", database, "load_demo", *names)


def _make_bundles(database):
    odoo.script("Making the bundles of the web client", database, "make_bundles")


def template(kind, bundles=False):
    """The name of a template database, built first if it is missing or out of date.

    :param kind: see :func:`installed`
    :param bundles: whether the bundles of the web client are in it
    """
    with setting_up():
        return _template(kind, bundles)


def _source(kind):
    """The kind of template that one starts from, or nothing."""
    if kind == "base":
        return None
    if kind == "demo":
        return "all"
    names = [addon.name for addon in installed(kind)]
    return "base" if kind == "core" or ADDON_NAME not in names else "core"


def _template(kind, bundles=False):
    if kind == ADDON_NAME or (kind == "all" and len(installed(kind)) == 1):
        kind = "core"
    name = f"{PREFIX}_{kind}" + ("_web" if bundles else "")
    if key_of(name) == key(kind, bundles):
        return name
    if bundles:
        return _build(name, key(kind, bundles), _template(kind), _make_bundles)
    source = _source(kind)
    source = source and _template(source)
    fill = {"base": _install_base, "demo": _load_demo}.get(kind)
    return _build(name, key(kind), source, fill or partial(_install_kind, kind))


def _missing(database, names):
    """Which addons are not installed in a database."""
    with cursor(database) as cr:
        cr.execute(
            "SELECT name FROM ir_module_module"
            " WHERE name = ANY(%s) AND state = 'installed'",
            [names],
        )
        found = {name for (name,) in cr.fetchall()}
    return [name for name in names if name not in found]


def up_to_date(name):
    """Have a lasting database with all addons and their demo data, as the source is.

    A new one is a copy of the template ``demo``; one made from an older source is
    upgraded and keeps its data. An addon that it lacks is installed.
    """
    if not exists(name):
        with setting_up():
            source = _template("demo")
            with slow(f"Making the database {name}"):
                temp = temporary_name()
                copy(source, temp)
                set_key(temp, key("demo"))
                _rename(temp, name)
    elif key_of(name) != key("demo"):
        if key_of(name) is None:
            raise Stop(
                f"The database {name} was not made by make run and is left alone: "
                "choose another, make run DB=other."
            )
        wanted = [addon.name for addon in installed("demo")]
        new = _missing(name, wanted)
        old = [each for each in wanted if each not in new]
        odoo.upgrade(f"Upgrading the addons in the database {name}", name, old, new)
        set_key(name, key("demo"))


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
