"""``screenshots``: the pictures of the guides, taken of the running app.

A copy of the demo database is served for as long as that takes. Language, time zone and
sizes are fixed and nothing moves; dates are those of the day, as the demo data is.

``screenshots [NAME …]`` takes all pictures, or some. ``screenshots --check`` only looks
whether pictures and guides fit together, as ``make lint`` does; with ``--strict`` a
picture whose sources have changed since fails as well.
"""

import base64
import contextlib
import io
import json
import shutil

from . import databases, odoo, pictures, postgres
from .say import Stop, say, slow
from .server import Server

#: Nothing moves, and no cursor blinks.
_STILL = """
    // Nor does a form that is left ask whether it may be.
    const leave = (ev) => ev.stopImmediatePropagation();
    window.addEventListener("beforeunload", leave, true);
    const still = () => document.head.insertAdjacentHTML("beforeend", `<style>
        *, *::before, *::after {
            animation: none !important; transition: none !important;
            scroll-behavior: auto !important; caret-color: transparent !important;
        }
    </style>`);
    document.readyState === "loading"
        ? document.addEventListener("DOMContentLoaded", still) : still();
"""
#: Resolves when fonts and images are there and the frame after is drawn.
_DRAWN = """Promise.all([
    document.fonts.ready,
    ...[...document.images].map((image) => image.decode().catch(() => {})),
]).then(() => new Promise((resolve) =>
    requestAnimationFrame(() => requestAnimationFrame(() => resolve(true)))))"""
_CRITERIA = """\
An order above 10,000 EUR waits for a second approval
Whoever asked does not approve
The supplier sees nothing before both have approved"""


class Camera:
    """The screens that pictures are taken of.

    :param browser: an open :class:`tests.browser.Browser`
    :param server: serves the demo database
    """

    def __init__(self, browser, server):
        self.browser = browser
        self.server = server
        browser.call("Page.addScriptToEvaluateOnNewDocument", source=_STILL)
        browser.call("Emulation.setTimezoneOverride", timezoneId="UTC")
        browser.call("Emulation.setLocaleOverride", locale="en-US")
        browser.call(
            "Emulation.setEmulatedMedia",
            features=[{"name": "prefers-reduced-motion", "value": "reduce"}],
        )

    def take(self, picture):
        """Take a picture as its person; its PNG, with a palette of 256 colours."""
        from PIL import Image

        width, height = picture.size
        self.browser.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        self.login(picture.login)
        self.colour(picture)
        getattr(self, picture.shot)()
        self.browser.wait("!document.querySelector('.o_loading_indicator')")
        self.browser.run("document.activeElement?.blur()")
        self.browser.run(_DRAWN)
        data = self.browser.call("Page.captureScreenshot", format="png")["data"]
        image = Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB")
        result = io.BytesIO()
        # What is left of a palette without dithering compresses best.
        image.quantize(256, dither=Image.Dither.NONE).save(result, "PNG", optimize=True)
        return result.getvalue()

    def login(self, login):
        """Be somebody of the demo data."""
        self.browser.login(self.server.url, self.server.database, login)

    def colour(self, picture):
        """Give a picture's person its colours; the next page has them."""
        [user] = self.call("res.users", "search", [["login", "=", picture.login]])
        self.call("res.users", "write", [user], {"dark_mode": picture.dark})

    def call(self, model, method, *args, **kwargs):
        """Call a method of a model as the user who is logged in."""
        params = {"model": model, "method": method, "args": args, "kwargs": kwargs}
        answer = self.browser.run(
            f"""fetch("/web/dataset/call_kw", {{
                method: "POST",
                headers: {{"Content-Type": "application/json"}},
                body: JSON.stringify({{params: {json.dumps(params)}}}),
            }}).then((answer) => answer.json())"""
        )
        if "error" in answer:
            raise Stop(f"{model}.{method}: {answer['error']['data']['message']}")
        return answer["result"]

    def open(self, path, *seen):
        """Go to an address and wait until something is on screen.

        :param seen: selector and, maybe, a text in it
        """
        self.browser.open(self.server.url + path)
        # The first page has Odoo make its bundles, which takes long on a busy machine.
        for patience in (50, 50, 50):
            try:
                return self.browser.see(*seen, seconds=patience)
            except AssertionError as error:
                reason = str(error)
        raise Stop(f"{path} does not show {' with '.join(seen)}: {reason[:500]}")

    def release(self, name):
        """The id of a release of the demo data."""
        return self.call("ipai.release", "search", [["name", "=", name]])[0]

    # --- the screens ---

    def board(self):
        """All open releases, by stage."""
        self.open("/odoo/releases", ".o_kanban_record", "2026.12.0")

    def refused(self):
        """What a card says that was dragged into a closed gate."""
        self.board()
        self.drag("2026.12.0", "QA Validation")
        self.browser.see(".ipai_refusal .ipai_condition", "build log")

    def drag(self, name, stage):
        """Drag a card to a column, by the mouse."""
        places = """(() => {
            const middle = (el) => {
                const {x, y, width, height} = el.getBoundingClientRect();
                return [x + width / 2, y + Math.min(height / 2, 60)];
            };
            const all = (selector, text) => [...document.querySelectorAll(selector)]
                .find((el) => el.innerText.includes(text));
            return [
                middle(all(".o_kanban_record", %s)),
                middle(all(".o_kanban_group", %s)),
            ];
        })()"""
        start, end = self.browser.run(places % (json.dumps(name), json.dumps(stage)))
        steps = 12
        path = [
            [a + (b - a) * step / steps for a, b in zip(start, end, strict=True)]
            for step in range(steps + 1)
        ]
        self._mouse("mousePressed", path[0])
        for place in path[1:]:
            self._mouse("mouseMoved", place)
            self.browser.run(_DRAWN)
        self._mouse("mouseReleased", path[-1])

    def _mouse(self, what, place):
        self.browser.call(
            "Input.dispatchMouseEvent",
            type=what,
            x=place[0],
            y=place[1],
            button="left",
            buttons=0 if what == "mouseReleased" else 1,
            clickCount=1,
        )

    def gates(self):
        """The gates of a release that waits for the sign-off of QA."""
        self.open(
            f"/odoo/releases/{self.release('2026.11.1')}", ".ipai_gate_panel[open]"
        )
        self.browser.run(
            "document.querySelector('.ipai_gate_panels').scrollIntoView("
            "{block: window.innerWidth < 600 ? 'start' : 'nearest'})"
        )

    def decide(self):
        """The criteria of a gate, with the facts that were recorded for each."""
        self.gates()
        self.browser.click(
            ".ipai_gate_panel[data-gate=G2] [data-condition=qa_signoff] button"
        )
        self.browser.see(".modal .o_data_row", "recorded")

    def exception(self):
        """A request for an exception, as the panel of the failed gate begins it."""
        self.open(f"/odoo/releases/{self.release('2026.11.3')}", "button", "Exception")
        self.browser.click("button[name=action_request_exception]")
        self.browser.see(".modal .o_form_view", "")

    def waiting(self):
        """What needs one now."""
        self.open("/odoo/my-releases", ".o_kanban_record, .o_data_row", "2026")

    def control_room(self):
        """The control room."""
        self.open("/odoo/control-room", ".ipai_room[aria-busy=false] .ipai_room_grid")
        self.browser.wait("document.querySelector('.ipai_room canvas')")

    def inbox(self):
        """What CI sent, with what needs somebody."""
        self.open("/odoo/release-events", ".o_data_row")

    def ledger(self):
        """What the ledger tells of one release."""
        self.open(
            f"/odoo/releases/{self.release('2026.11.2')}", ".nav-link", "Timeline"
        )
        self.browser.click(".nav-link[name=timeline]")
        self.browser.see(".o_notebook .o_data_row")
        self.browser.run("document.querySelector('.o_notebook').scrollIntoView()")

    def governance(self):
        """The coverage of the governance model."""
        self.open("/odoo/release-governance", ".o_data_row, .o_group_header")

    def webhooks(self):
        """An endpoint of a webhook; nothing is sent, as no runner of jobs is up."""
        self.login("admin")
        host = "hooks.example.com"
        if not self.call("ipai.outbound.host", "search", [["name", "=", host]]):
            self.call("ipai.outbound.host", "create", [{"name": host}])
        self.login("governance")
        [endpoint] = self.call(
            "ipai.webhook.endpoint",
            "create",
            [{"name": "Deployments of Acme", "url": f"https://{host}/gates"}],
        )
        self.open(f"/odoo/release-webhooks/{endpoint}", ".o_form_view", "Gate passed")

    def uat(self):
        """The page on which a customer accepts, by the link of an invitation."""
        release = self.release("2026.11.1")
        self.login("admin")
        [customer] = self.call(
            "res.partner",
            "create",
            [{"name": "Cleo Customer", "email": "cleo@example.com"}],
        )
        self.login("qa")
        [wizard] = self.call(
            "ipai.uat.wizard",
            "create",
            [
                {
                    "release_id": release,
                    "partner_id": customer,
                    "criteria": _CRITERIA,
                    "message": "Please try it on staging and tell us what you saw.",
                    "by_hand": True,
                }
            ],
        )
        shown = self.call("ipai.uat.wizard", "action_ask", [wizard])
        path = "/" + shown["context"]["uat_link"].split("/", 3)[3]
        # The customer is nobody to Odoo.
        self.browser.call("Network.clearBrowserCookies")
        self.open(path, "form", "second approval")

    def dossier(self):
        """The dossier of a release, as a page."""
        self.open(
            f"/report/html/ipai_release_gates.dossier/{self.release('2026.10.0')}",
            "body",
            "2026.10.0",
        )


def screenshots(arguments):
    """``screenshots [--check [--strict]] [NAME …]``: take the pictures, or look."""
    if "--check" in arguments:
        return 0 if pictures.check("--strict" in arguments) else 1
    known = {picture.name: picture for picture in pictures.PICTURES}
    unknown = sorted(set(arguments) - known.keys())
    if unknown:
        raise Stop(f"There is no picture {unknown[0]}; there are {', '.join(known)}.")
    wanted = [known[name] for name in arguments] or list(known.values())
    _take(wanted)
    return 0 if pictures.check() else 1


@contextlib.contextmanager
def _with_dark_colours(database):
    """Odoo Community has them by an addon of the OCA."""
    odoo.install("Bringing dark colours", database, ["web_dark_mode"])
    yield


def _take(wanted):
    from tests.kit.browser import Browser

    pictures.IMAGES.mkdir(parents=True, exist_ok=True)
    with (
        postgres.running(),
        databases.temporary(databases.template("demo", bundles=True)) as database,
        _with_dark_colours(database),
        Server(database) as server,
        Browser() as browser,
    ):
        databases.set_address(database, server.url)
        camera = Camera(browser, server)
        for picture in wanted:
            with slow(f"Taking {picture.name}"):
                picture.file.write_bytes(camera.take(picture))
            if picture.store:
                shutil.copyfile(picture.file, pictures.STORE / picture.file.name)
            pictures.record([picture])
    say(f"{len(wanted)} pictures are in {pictures.IMAGES}")
