"""What a newcomer does first on the demo data: the guided tour, and the tutorial."""

import json
import os
import re
import subprocess

import pytest
from browser import Browser

from tools.paths import ROOT

_POINTED = "document.querySelector('.o_tour_pointer:not(.o_tour_pointer_hidden)')"
_MIDDLE = """(([selector, text]) => {
    const el = [...document.querySelectorAll(selector)]
        .find((each) => each.innerText.includes(text));
    const {x, y, width, height} = el.getBoundingClientRect();
    return [x + width / 2, y + Math.min(height / 2, 60)];
})(%s)"""
#: What is clicked after the drag, with the number of the step that points at it; no
#: pointer points into a dialog.
_CLICKED = (
    (None, ".ipai_refusal footer button", "Open the release"),
    (3, ".ipai_gate_panel[data-gate=G1] .ipai_condition_text", "Unmet"),
    (4, ".ipai_gate_panel[data-gate=G1] [data-condition=build_log] button", "Record"),
    (None, ".modal .btn-close", ""),
    (6, ".o_back_button, .breadcrumb-item:not(.active) a", ""),
)


@pytest.fixture(scope="module")
def own_site(start_site):
    """A server whose demo data nobody else has touched."""
    return start_site()


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


def test_the_menu_starts_a_tour_that_leads_by_a_refusal_to_the_next_step(
    own_site, browser
):
    browser.login(own_site.url, own_site.database, "dev")
    browser.open(f"{own_site.url}/odoo/releases")
    newcomer = Newcomer(browser)
    newcomer.click("[data-menu-xmlid='ipai_release_gates.menu_releases']")
    newcomer.click("[data-menu-xmlid='ipai_release_gates.menu_guided_tour']")
    newcomer.is_at(0)
    newcomer.drag("2026.12.0", "QA Validation")
    for number, selector, text in _CLICKED:
        if number:
            newcomer.is_at(number)
        newcomer.click(selector, text)
    browser.wait("localStorage.getItem('current_tour') === null", 55)
    browser.see(".o_kanban_group", "2026.12.0", 55)
    assert not browser.problems


def test_the_tutorial_sends_what_the_server_takes_and_says_what_comes_of_it(
    own_site, tmp_path
):
    text = (ROOT / "docs/guide/tutorial.md").read_text()
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    [build] = [block for block in blocks if "build_complete" in block]
    [push] = [block for block in blocks if '"revision"' in block]

    def sent(block):
        said = subprocess.run(
            ["bash", "-c", block.replace("http://localhost:8069", own_site.url)],
            env={**os.environ, "KEY": own_site.api_key("ci")},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        return json.loads(said.stdout)

    def moved(name, stage, login="dev"):
        release = {"project": "acme/odoo", "name": name}
        answer = own_site.rpc(login).execute_kw(
            "ipai.control.plane", "request_move", [release, stage]
        )
        return answer["moved"]

    assert not moved("2026.12.0", "qa_validation")
    assert sent(build)["status"] == "accepted"
    assert sent(build)["status"] == "duplicate"
    without = build.replace('    "status": "pass",\n', "").replace(
        "/tutorial", "/tutorial-2"
    )
    refused = sent(without)
    assert refused["http_status"] == 400
    assert refused["detail"]["field"] == "payload.status"
    assert moved("2026.12.0", "qa_validation")
    assert not moved("2026.11.1", "staging_acceptance", "rm")
    assert sent(push)["detail"]["stage"] == "build"
