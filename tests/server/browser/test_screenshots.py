"""Pictures and guides fit together, and a change of a screen is reported."""

import json
import shutil

import pytest

from tools import pictures, screenshots
from tools.say import Stop


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """The guides, the page of the store and what the pictures show, to be changed."""
    for name, folder in (
        ("ADDON", pictures.ADDON),
        ("GUIDE", pictures.GUIDE),
    ):
        shutil.copytree(folder, tmp_path / name)
        monkeypatch.setattr(pictures, name, tmp_path / name)
    images = tmp_path / "GUIDE/images"
    monkeypatch.setattr(pictures, "IMAGES", images)
    monkeypatch.setattr(pictures, "RECORD", images / "taken.json")
    monkeypatch.setattr(pictures, "STORE", tmp_path / "ADDON/static/description")
    folders = [tmp_path / "ADDON", *pictures.FOLDERS[1:]]
    monkeypatch.setattr(pictures, "FOLDERS", folders)
    return tmp_path


def problems():
    return "\n".join(pictures.problems())


def test_guides_store_page_and_pictures_fit():
    assert problems() == ""


def test_a_picture_that_nothing_takes_is_a_problem(copy):
    page = copy / "GUIDE/auditor.md"
    page.write_text(page.read_text() + "\n![More](images/more.png)\n")
    assert problems() == (
        "docs/guide/auditor.md: nothing takes images/more.png; see tools/pictures.py"
    )


def test_a_picture_that_no_page_shows_is_a_problem(copy):
    page = copy / "GUIDE/auditor.md"
    page.write_text(page.read_text().replace("images/ledger.png", "ledger"))
    assert problems().startswith("docs/guide: no page shows images/ledger.png")


def test_a_picture_that_is_missing_or_too_much_is_a_problem(copy):
    images = copy / "GUIDE/images"
    (images / "ledger.png").rename(images / "other.png")
    said = problems()
    assert "docs/guide/images/ledger.png is missing" in said
    assert "docs/guide/images/other.png is taken no more" in said


def test_the_pictures_may_not_grow_without_end(copy):
    (copy / "GUIDE/images/ledger.png").write_bytes(bytes(pictures.MOST))
    assert "at most 2500000 are allowed" in problems()


def test_the_page_of_the_store_has_the_pictures_of_the_guides(copy):
    store = copy / "ADDON/static/description"
    (store / "board.png").write_bytes(b"")
    page = store / "index.html"
    page.write_text(page.read_text().replace('src="gates.png"', 'src="gate.png"'))
    said = problems()
    assert "static/description/board.png is not that of the guides" in said
    assert "index.html: nothing takes gate.png for it" in said
    assert "index.html does not show gates.png" in said


def test_a_change_of_a_screen_tells_which_pictures_show_it(copy, capsys):
    everything = [picture.name for picture in pictures.PICTURES]
    pictures.record(pictures.PICTURES)
    assert pictures.check(strict=True)
    capsys.readouterr()
    file = copy / "ADDON/wizards/decide_views.xml"
    file.write_text(file.read_text().replace("What I verified", "Verified"))
    assert [name for name in everything if outdated(name)] == ["decide"]
    assert pictures.check(), "it may be a change that nobody sees"
    capsys.readouterr()
    assert not pictures.check(strict=True)
    assert "changed since: decide" in capsys.readouterr().out


def outdated(name):
    [picture] = [each for each in pictures.PICTURES if each.name == name]
    return pictures.outdated(picture)


def test_each_picture_names_sources_there_are():
    for picture in pictures.PICTURES:
        for pattern in picture.shows:
            found = [path for each in pictures.FOLDERS for path in each.glob(pattern)]
            assert found, (picture.name, pattern)


def test_the_record_forgets_pictures_that_are_taken_no_more(copy):
    pictures.RECORD.write_text(json.dumps({"former": "0"}))
    pictures.record(pictures.PICTURES[:1])
    assert list(json.loads(pictures.RECORD.read_text())) == ["board"]


def test_a_picture_there_is_not_is_refused_by_name():
    with pytest.raises(Stop, match="There is no picture bord; there are board, "):
        screenshots.screenshots(["bord"])
