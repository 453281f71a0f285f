"""The rules of the house: each check finds a planted fault, and only that."""

import pytest

from tools import addons, house, lint

CORE = "ipai_release_gates"
FAULTS = {
    "satellites": (
        {
            f"{CORE}/models/a.py": f'X = "{CORE}.view"\nY = "{CORE}_github"\n',
            f"{CORE}/views/b.xml": f'<x ref="{CORE}_uat.page"/>\n',
            f"{CORE}/static/src/c.js": 'import "@ipai_environment_guard/x";\n',
            f"{CORE}/migrations/19.0.4.0.0/pre-x.py": f'"{CORE}_github"\n',
            f"addons/{CORE}_github/models/d.py": f'"{CORE}_github"\n',
        },
        [f"{CORE}/models/a.py:2", f"{CORE}/views/b.xml:1", f"{CORE}/static/src/c.js:1"],
    ),
    "tests": (
        {
            "tests/unit/a/test_one.py": '"""One."""\n',
            "tests/unit/b/test_one.py": '"""One."""\n',
            "tests/unit/b/test_two.py": "x = 1\n",
            "tests/unit/b/test_six.py": '"""\nSix.\n"""\n',
            "tests/unit/conftest.py": "",
        },
        ["tests/unit/b/test_two.py", "tests/unit/b/test_one.py"],
    ),
    "sudo": (
        {
            f"{CORE}/models/a.py": (
                "a.sudo()\n"
                "b.sudo()  # sudo: everybody reads the settings\n"
                "# sudo: everybody reads the settings\n"
                "c.sudo()\n"
                "d.sudo()  # sudo: too short\n"
                "e.sudo()  # sudo: one two three four five six seven\n"
                "# sudo: everybody reads the settings\n"
                "f(\n    1,\n    g.sudo(),\n)\n"
                "h = (\n    i\n"
                "    # sudo: everybody reads the settings\n    .sudo()\n)\n"
                '"""A docstring that names sudo()."""\nk.sudo(False)\n'
            ),
            f"addons/{CORE}_x/models/b.py": "a.sudo()\n",
            f"{CORE}/tests/test_a.py": "a.sudo()\n",
            "tools/a.py": "a.sudo()\n",
        },
        [
            f"{CORE}/models/a.py:1",
            f"{CORE}/models/a.py:5",
            f"{CORE}/models/a.py:6",
            f"addons/{CORE}_x/models/b.py:1",
        ],
    ),
    "length": (
        {
            f"{CORE}/models/a.py": "\n" * 501,
            f"{CORE}/models/b.py": "\n" * 500,
            f"{CORE}/static/src/c.css": "\n" * 501,
            f"{CORE}/security/d.csv": "\n" * 501,
        },
        [f"{CORE}/models/a.py", f"{CORE}/static/src/c.css"],
    ),
    "words": (
        {
            "tools/a.py": '"""It is\ntold."""\n# Whoever asks\nx = "told, whoever"\n',
            f"{CORE}/views/b.xml": "<a>told</a>\n<!-- judged\nanew -->\n",
            f"{CORE}/static/src/c.js": 'const a = "http://told"; // whatever\n',
            f"{CORE}/static/src/d.scss": "/* the engine */\n",
            "tools/e.py": "# foretold, and an engine\n",
        },
        [
            "tools/a.py:3",
            "tools/a.py:2",
            f"{CORE}/views/b.xml:3",
            f"{CORE}/static/src/c.js:1",
            f"{CORE}/static/src/d.scss:1",
        ],
    ),
}


@pytest.mark.parametrize("name", house.CHECKS)
def test_each_check_finds_the_planted_faults_and_nothing_else(name):
    files, expected = FAULTS[name]
    found = [line.split(": ")[0] for line in house.CHECKS[name](files)]
    assert found == expected


@pytest.mark.parametrize("name", house.CHECKS)
def test_this_repository_breaks_no_rule_where_it_is_in_force(name):
    assert list(house.in_force(name, house.sources())) == []


@pytest.mark.parametrize("name", house.PENDING)
def test_a_check_that_is_pending_somewhere_is_in_force_elsewhere(name):
    files, _expected = FAULTS[name]
    elsewhere = {f"elsewhere/{path}": text for path, text in files.items()}
    if name == "sudo":
        elsewhere = {f"{CORE}/wizards/a.py": files[f"{CORE}/models/a.py"]}
    assert list(house.in_force(name, elsewhere))
    for path in files:
        hidden = {f"{house.PENDING[name][0]}{path.rpartition('/')[2]}": files[path]}
        assert list(house.in_force(name, hidden)) == []


def test_all_sources_are_looked_at_and_make_lint_does_it():
    files = house.sources()
    assert f"{CORE}/__manifest__.py" in files
    assert any(path.endswith(".js") for path in files)
    assert not any("/i18n/" in path or "static/lib" in path for path in files)
    assert house.check in lint.CHECKS


def test_the_rooms_of_the_core_are_found_by_what_they_import():
    rooms = {path.name for path in addons.core().rooms}
    assert {"policy", "ingest", "ledger", "outbound"} <= rooms
    assert not {"models", "controllers", "wizards", "tests", "static"} & rooms
