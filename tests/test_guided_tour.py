"""The guided tour, as a newcomer takes it on the demo data: by hand, led by a pointer."""

import json

import pytest

from tests.browser import Browser

_POINTED = "document.querySelector('.o_tour_pointer:not(.o_tour_pointer_hidden)')"
_MIDDLE = """(([selector, text]) => {
    const el = [...document.querySelectorAll(selector)]
        .find((each) => each.innerText.includes(text));
    const {x, y, width, height} = el.getBoundingClientRect();
    return [x + width / 2, y + Math.min(height / 2, 60)];
})(%s)"""
#: What is clicked after the drag, in the order of the tour.
_CLICKED = (
    (".ipai_refusal .ipai_condition_text", "No successful"),
    (".ipai_refusal footer button", "Open release"),
    (".ipai_gate_panel[data-gate=G1] .ipai_condition_text", "Unmet"),
    (".ipai_gate_panel[data-gate=G1] [data-condition=build_log] button", "Record"),
    (".modal .btn-close", ""),
    (".o_back_button, .breadcrumb-item:not(.active) a", ""),
)


@pytest.fixture
def browser():
    """A browser at the size of a desk."""
    with Browser() as opened:
        yield opened


class Newcomer:
    """Somebody with a mouse."""

    def __init__(self, browser):
        self.browser = browser

    def place(self, selector, text=""):
        """Where an element is that one can see."""
        self.browser.see(selector, text, 55)
        return self.browser.run(_MIDDLE % json.dumps([selector, text]))

    def mouse(self, what, place):
        self.browser.call(
            "Input.dispatchMouseEvent",
            type=what,
            x=place[0],
            y=place[1],
            button="left",
            buttons=0 if what == "mouseReleased" else 1,
            clickCount=1,
        )

    def click(self, selector, text=""):
        place = self.place(selector, text)
        self.mouse("mousePressed", place)
        self.mouse("mouseReleased", place)

    def drag(self, card, column):
        start = self.place(".o_kanban_record", card)
        end = self.place(".o_kanban_group", column)
        self.mouse("mousePressed", start)
        for step in range(1, 13):
            self.mouse(
                "mouseMoved",
                [a + (b - a) * step / 12 for a, b in zip(start, end, strict=True)],
            )
            self.browser.run("new Promise(requestAnimationFrame)")
        self.mouse("mouseReleased", end)

    def is_at(self, step):
        """Wait until the tour points at the step with this number."""
        pointed = f"localStorage.getItem('current_tour.index') === '{step}'"
        try:
            self.browser.wait(f"{_POINTED} && {pointed}", 55)
        except RuntimeError:  # the page it waited on was left
            self.browser.wait(f"{_POINTED} && {pointed}", 55)


def test_the_menu_starts_a_tour_that_leads_by_a_refusal_to_the_next_step(site, browser):
    browser.login(site.url, site.database, "dev")
    browser.open(f"{site.url}/odoo/releases")
    newcomer = Newcomer(browser)
    newcomer.click("[data-menu-xmlid='ipai_release_gates.menu_releases']")
    newcomer.click("[data-menu-xmlid='ipai_release_gates.menu_guided_tour']")
    newcomer.is_at(0)
    newcomer.drag("2026.12.0", "QA Validation")
    # Taking hold and letting go are two steps.
    for number, (selector, text) in enumerate(_CLICKED, 2):
        newcomer.is_at(number)
        newcomer.click(selector, text)
    browser.wait("localStorage.getItem('current_tour') === null", 55)
    browser.see(".o_kanban_group", "2026.12.0", 55)
    assert not browser.problems
