"""The addon's own screens by axe-core's rules.

On desk and phone, and in light and dark colours: Community has the dark ones by an
addon of the OCA.

Only what the addon draws itself is judged. What Odoo draws around it, such as the
navigation bar, the search bar, the columns of a board and the chatter, is Odoo's, and
so are its widgets wherever they stand: see ``ODOOS``.
"""

import itertools
import json
import re
from dataclasses import dataclass

import events
import pytest
from browser import Browser
from outside import Site

from tools import databases, odoo, samples

#: A desk and a phone.
WIDTHS = (1440, 360)
#: What makes a finding a failure; axe-core also knows minor and moderate.
FAILING = ("serious", "critical")
#: Odoo's own widgets within the parts of the addon. They are the same in every app, and
#: no addon can mend their names, roles and colours for itself.
ODOOS = (
    # On a card: priority, activities and owner.
    ".o_field_priority",
    ".o_field_kanban_activity",
    ".o_field_many2one_avatar_user",
    # On a form: labels, the box of smart buttons, tabs, coloured badges, selections.
    ".o_form_label",
    ".o-form-buttonbox",
    ".o_notebook_headers",
    ".o_field_badge",
    ".o_field_selection",
)

#: For the names of releases.
_NUMBERS = itertools.count(1)

_SCAN = """axe.run(
    {include: %s, exclude: %s.filter((each) => document.querySelector(each))},
    {resultTypes: ["violations"]}
).then(({violations, passes}) => ({
    passed: passes.length,
    found: violations.flatMap(({id, impact, help, nodes}) =>
        nodes.map((node) => ({
            id,
            impact: node.impact || impact,
            text: `${id} at ${node.target.join(" ")}: ${help}\\n` +
                `    ${node.html}\\n    ${node.failureSummary}`,
        }))
    ),
}))"""

#: Colours of an element that fades in are not those that stay.
_STILL = """Promise.allSettled(
    document.getAnimations()
        .filter((each) => Number.isFinite(each.effect.getComputedTiming().endTime))
        .map((each) => each.finished)
).then(() => 0)"""


@pytest.fixture(scope="module")
def browser():
    with Browser() as browser:
        yield browser


@pytest.fixture(params=WIDTHS)
def width(request, browser):
    browser.resize(request.param)
    return request.param


@pytest.fixture(scope="module")
def dark_site(start_site):
    """A server where the release manager chose dark colours."""
    with databases.temporary(databases.template("demo", bundles=True)) as database:
        odoo.install("Bringing dark colours", database, ["web_dark_mode"])
        site = start_site(database)
        rm = site.rpc("rm")
        rm.execute_kw("res.users", "write", [[rm.uid], {"dark_mode": True}])
        yield site
        site.server.stop()


@pytest.fixture(scope="module", params=["light", "dark"])
def scheme(request):
    """The colours, and the server that has them."""
    name = "site" if request.param == "light" else "dark_site"
    return request.param, request.getfixturevalue(name)


def open_release(site):
    """A release in its first stage, which has something of everything to show."""
    opened = events.open_release(site.rpc("ci"), f"Accessible {next(_NUMBERS)}")
    events.ingest(site.rpc("ci"), events.build(opened, lint="fail"))
    return opened


@dataclass
class Desk:
    """The release manager at a browser, and a release to look at."""

    site: Site
    browser: Browser
    release: dict

    def open(self, path, shown):
        """Open a page of Odoo's and wait until it shows something."""
        self.browser.open(f"{self.site.url}/odoo/{path}")
        self.browser.see(shown)

    def open_form(self):
        self.open(f"releases/{self.release['id']}", ".ipai_gate_panel")

    def move(self):
        """Ask for the move to the next stage as the button of the form does."""
        self.browser.run(
            "void odoo.__WOWL_DEBUG__.root.env.services.orm.call("
            f"'ipai.release', 'action_advance', [[{self.release['id']}]])"
        )


@pytest.fixture(scope="module")
def rm(scheme, browser):
    """The release manager, who sees the colours that were chosen."""
    colours, site = scheme
    browser.login(site.url, site.database, "rm")
    desk = Desk(site, browser, open_release(site))
    desk.open("releases", ".ipai_release_board")
    ground = browser.run("getComputedStyle(document.body).backgroundColor")
    red = int(re.search(r"\d+", ground)[0])
    assert (red < 128) == (colours == "dark"), ground
    return desk


def scan(browser, *parts):
    """What axe-core finds in these parts of the page, each of which must be there.

    :param parts: selectors
    :raises AssertionError: naming rule, selector and help of each serious finding
    """
    for part in parts:
        browser.see(part)
    browser.run(_STILL)
    browser.run(samples.axe() + ";0")
    result = browser.run(_SCAN % (json.dumps(parts), json.dumps(ODOOS)))
    assert result["passed"], "no rule looked at anything"
    texts = [each["text"] for each in result["found"] if each["impact"] in FAILING]
    assert not texts, "\n".join(texts)


def test_the_board(rm, width):
    rm.open("releases", ".ipai_release_board .ipai_gate_mark")
    scan(rm.browser, ".ipai_release_board .o_kanban_record")


def test_the_form_with_every_gate_unfolded(rm, width):
    rm.open_form()
    unfold = "document.querySelectorAll('.ipai_gate_panel').forEach((el) => {%s})"
    rm.browser.run(unfold % "el.open = true;")
    scan(rm.browser, ".o_form_sheet")


def test_the_control_room(rm, width):
    rm.open("control-room", "[data-panel] .ipai_room_figure")
    scan(rm.browser, ".ipai_room")


def test_the_refusal_of_a_move(rm, width):
    rm.open_form()
    rm.move()
    scan(rm.browser, ".ipai_refusal")


def test_the_page_of_a_customers_uat(browser, site, width):
    release = open_release(site)
    qa = site.rpc("qa")
    partner = site.rpc("admin").execute_kw(
        "res.partner", "create", [{"name": "Carla", "email": "carla@example.com"}]
    )
    values = {
        "release_id": release["id"],
        "partner_id": partner,
        "criteria": "An order is invoiced once\nThe invoice has the right tax",
        "by_hand": True,
    }
    wizard = qa.execute_kw("ipai.uat.wizard", "create", [values])
    shown = qa.execute_kw("ipai.uat.wizard", "action_ask", [[wizard]])
    link = shown["context"]["uat_link"]
    browser.open(f"{site.url}/ipai/uat/{link.rpartition('/')[2]}")
    scan(browser, "#wrap")
