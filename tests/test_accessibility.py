"""The addon's own screens by axe-core's rules, on desk and phone, and by keyboard.

Only what the addon draws itself is judged. What Odoo draws around it, such as the
navigation bar, the search bar, the columns of a board and the chatter, is Odoo's, and
so are its widgets wherever they stand: see ``ODOOS``.
"""

import json

import events
import pytest
from browser import Browser

from tools import samples

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
def release(site):
    """A release in its first stage, which has something of everything to show."""
    opened = events.open_release(site.rpc("ci"), "Accessible")
    events.ingest(site.rpc("ci"), events.build(opened, lint="fail"))
    return opened


@pytest.fixture(scope="module")
def rm(site, browser):
    """The browser, with the release manager at it."""
    browser.login(site.url, site.database, "rm")
    return browser


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


def open_form(browser, site, release):
    browser.open(f"{site.url}/odoo/releases/{release['id']}")
    browser.see(".ipai_gate_panel")


def test_the_board(rm, site, release, width):
    rm.open(f"{site.url}/odoo/releases")
    rm.see(".ipai_release_board .ipai_gate_mark")
    scan(rm, ".ipai_release_board .o_kanban_record")


def test_the_form_with_every_gate_unfolded(rm, site, release, width):
    open_form(rm, site, release)
    unfold = "document.querySelectorAll('.ipai_gate_panel').forEach((el) => {%s})"
    rm.run(unfold % "el.open = true;")
    scan(rm, ".o_form_sheet")


def test_the_control_room(rm, site, release, width):
    rm.open(f"{site.url}/odoo/control-room")
    rm.see("[data-panel] .ipai_room_figure")
    scan(rm, ".ipai_room")


def test_the_refusal_of_a_move(rm, site, release, width):
    open_form(rm, site, release)
    rm.run(
        "void odoo.__WOWL_DEBUG__.root.env.services.orm.call("
        f"'ipai.release', 'action_advance', [[{release['id']}]])"
    )
    scan(rm, ".ipai_refusal")


def test_the_page_of_a_customers_uat(browser, site, release, width):
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


# --- by keyboard ----------------------------------------------------------------------


def tab_to(browser, selector, most=120):
    """Press Tab until an element that a selector finds has the focus."""
    passed = []
    for _press in range(most):
        browser.press("Tab")
        if browser.run(f"document.activeElement.matches({json.dumps(selector)})"):
            return
        passed.append(browser.run("document.activeElement.outerHTML.slice(0, 100)"))
    raise AssertionError(f"{selector} is not reached by Tab, which passes {passed}")


@pytest.fixture
def desk(rm):
    rm.resize(1440)
    return rm


def test_a_card_is_reached_from_the_search_by_keys_and_opened_by_enter(
    desk, site, release
):
    desk.open(f"{site.url}/odoo/releases")
    desk.see(".ipai_release_board .ipai_gate_mark")
    desk.wait("document.activeElement.matches('.o_searchview_input')")
    desk.press("ArrowDown")
    desk.wait("document.activeElement.matches('.ipai_release_board .o_kanban_record')")
    name = desk.run("document.activeElement.querySelector('.fw-bold').innerText")
    desk.press("Enter")
    desk.see(".o_form_view .ipai_gate_panel")
    desk.see(".o_breadcrumb", name)


def test_a_condition_of_a_gate_is_taken_on_by_keyboard(desk, site, release):
    open_form(desk, site, release)
    tab_to(desk, "[data-gate=G2] > summary")
    is_open = "document.activeElement.parentElement.open"
    was_open = desk.run(is_open)
    for expected in (not was_open, was_open):
        desk.press("Enter")
        desk.wait(f"{is_open} === {json.dumps(expected)}")
    tab_to(desk, "[data-gate=G2] .ipai_condition_actions .btn-secondary")
    desk.press("Enter")
    desk.see(".modal .o_form_view")


def test_a_release_moves_without_a_mouse_and_the_refusal_has_the_focus(desk, site):
    release = events.open_release(site.rpc("ci"), "Moved by keyboard")
    open_form(desk, site, release)
    tab_to(desk, ".o_statusbar_buttons [name=action_advance]")
    desk.press("Enter")
    desk.see(".ipai_refusal .ipai_condition")
    desk.wait("document.activeElement.closest('.modal')")
    desk.press("Escape")
    desk.wait("!document.querySelector('.ipai_refusal')")
    events.ingest(site.rpc("ci"), events.build(release))
    desk.see(".o_statusbar_buttons .btn-primary", "Advance")
    tab_to(desk, ".o_statusbar_buttons [name=action_advance]")
    desk.press("Enter")
    desk.see(".o_statusbar_status .o_arrow_button_current", "QA Validation")
