"""The addon's own screens by keyboard alone."""

import json

import events
import pytest
from browser import Browser


@pytest.fixture(scope="module")
def browser():
    with Browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def release(site):
    """A release in its first stage."""
    opened = events.open_release(site.rpc("ci"), "By keyboard")
    events.ingest(site.rpc("ci"), events.build(opened, lint="fail"))
    return opened


@pytest.fixture(scope="module")
def desk(site, browser):
    """The release manager at a browser."""
    browser.login(site.url, site.database, "rm")
    return browser


def open_form(browser, site, release):
    browser.open(f"{site.url}/odoo/releases/{release['id']}")
    browser.see(".ipai_gate_panel")


def tab_to(browser, selector, most=120):
    """Press Tab until an element that a selector finds has the focus."""
    passed = []
    for _press in range(most):
        browser.press("Tab")
        if browser.run(f"document.activeElement.matches({json.dumps(selector)})"):
            return
        passed.append(browser.run("document.activeElement.outerHTML.slice(0, 100)"))
    raise AssertionError(f"{selector} is not reached by Tab, which passes {passed}")


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
