"""Chromium, driven through its DevTools protocol."""

import base64
import json
import shutil
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import websocket

from tools import chromium, proc

_SWITCHES = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--disable-dev-shm-usage",
    "--remote-debugging-address=127.0.0.1",
    "--remote-debugging-port=0",
    # Its websocket server takes no one who names an origin but those listed.
    "--remote-allow-origins=*",
)

#: Resolves with the milliseconds since the epoch when a condition came to hold.
_WHEN = """new Promise((resolve, reject) => {
    const holds = () => %(condition)s;
    if (holds()) { return resolve(Date.now()); }
    const observer = new MutationObserver(() => {
        if (!holds()) { return; }
        clearTimeout(timer);
        observer.disconnect();
        resolve(Date.now());
    });
    observer.observe(document, {
        subtree: true, childList: true, attributes: true, characterData: true,
    });
    const timer = setTimeout(() => {
        observer.disconnect();
        const shown = document.body.innerText.slice(0, 2000);
        reject(new Error(%(what)s + ", but: " + shown));
    }, %(seconds)s * 1000);
})"""


class Browser:
    """A Chromium with a profile of its own and one page, as a context manager."""

    def __init__(self, width=1366, height=900):
        self.size = width, height
        self.problems = []
        self._profile = self._process = self._socket = None
        self._numbers = 0

    def __enter__(self):
        chromium.ensure()
        executable = next(filter(None, map(shutil.which, chromium.NAMES)))
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        size = ",".join(map(str, self.size))
        self._process = proc.start(
            [
                executable,
                *_SWITCHES,
                f"--window-size={size}",
                f"--user-data-dir={self._profile.name}",
                "about:blank",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            self._attach()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc_info):
        with suppress(Exception):
            self._socket.close()
        proc.end(self._process)
        self._profile.cleanup()

    def _attach(self, seconds=30):
        """Connect to the one page there is."""
        written = Path(self._profile.name) / "DevToolsActivePort"
        deadline = time.monotonic() + seconds
        # The browser says by a file that it listens; nothing else tells.
        while not (written.exists() and written.read_text().count("\n")):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("Chromium does not start")
            time.sleep(0.05)
        port, path = written.read_text().split()
        self._socket = websocket.create_connection(
            f"ws://127.0.0.1:{port}{path}", timeout=60
        )
        self._session = None
        targets = self.call("Target.getTargets")["targetInfos"]
        page = next(target for target in targets if target["type"] == "page")
        attached = self.call(
            "Target.attachToTarget", targetId=page["targetId"], flatten=True
        )
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method, /, **params):
        """Call a method of the protocol; what happens meanwhile is noted."""
        self._numbers += 1
        number = self._numbers
        message = {"id": number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        self._socket.send(json.dumps(message))
        while True:
            answer = json.loads(self._socket.recv())
            if answer.get("id") == number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self._note(answer)

    def _note(self, event):
        params = event.get("params", {})
        if event.get("method") == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            self.problems.append(
                details.get("exception", {}).get("description") or details["text"]
            )
        elif params.get("type") in ("error", "warning") and "args" in params:
            said = [each.get("value", "") for each in params["args"]]
            self.problems.append(" ".join(map(str, said)))

    def run(self, script):
        """The value of a JavaScript expression, of a promise what it resolves with."""
        result = self.call(
            "Runtime.evaluate",
            expression=script,
            awaitPromise=True,
            returnByValue=True,
            userGesture=True,
        )
        if "exceptionDetails" in result:
            details = result["exceptionDetails"]
            raise AssertionError(details["exception"].get("description", details))
        return result["result"].get("value")

    def wait(self, condition, seconds=30):
        """Wait until an expression is true.

        :returns: when that was, in seconds since the epoch
        """
        what = json.dumps(f"Never true: {condition}")
        script = _WHEN % {"condition": condition, "what": what, "seconds": seconds}
        return self.run(script) / 1000

    def see(self, selector, text="", seconds=30):
        """Wait until an element is there whose text has some words.

        :returns: when that was, in seconds since the epoch
        """
        condition = (
            f"[...document.querySelectorAll({json.dumps(selector)})]"
            f".some((el) => el.innerText.includes({json.dumps(text)}))"
        )
        return self.wait(condition, seconds)

    def resize(self, width, height=900):
        """Give the page another size, as narrow as no window can be."""
        size = {"width": width, "height": height}
        self.call(
            "Emulation.setDeviceMetricsOverride",
            **size,
            deviceScaleFactor=1,
            mobile=False,
        )

    def open(self, url):
        """Go to an address and wait until its document is there."""
        self.call("Page.navigate", url=url)
        # The former document may still answer.
        while self.run("location.href") == "about:blank":
            time.sleep(0.02)
        # Of a page that changes no more only its event tells.
        self.run(
            "document.readyState === 'complete' || "
            "new Promise((done) => addEventListener('load', () => done(true)))"
        )

    def login(self, url, database, login):
        """Log in as a demo user, whose password is the login."""
        # Not the login page: it opens the browser's own database when it starts, and
        # left half-way it can keep the next page waiting for that for ever.
        self.open(f"{url}/web/health")
        params = {"db": database, "login": login, "password": login}
        uid = self.run(
            f"""fetch("/web/session/authenticate", {{
                method: "POST",
                headers: {{"Content-Type": "application/json"}},
                body: JSON.stringify({{params: {json.dumps(params)}}}),
            }}).then((answer) => answer.json()).then(({{result}}) => result?.uid)"""
        )
        if not uid:
            raise PermissionError(f"{login} cannot log in")

    def click(self, selector):
        """Click the first element a selector finds."""
        self.wait(f"document.querySelector({json.dumps(selector)})")
        self.run(f"document.querySelector({json.dumps(selector)}).click()")

    def press(self, key, **more):
        """Press a key on the element that has the focus."""
        codes = {"Tab": 9, "Enter": 13, " ": 32, "Escape": 27, "ArrowDown": 40}
        text = {"Enter": "\r", " ": " "}.get(key, "")
        params = {
            "key": key,
            "code": "Space" if key == " " else key,
            "windowsVirtualKeyCode": codes[key],
            **more,
        }
        self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **params)
        self.call("Input.dispatchKeyEvent", type="keyUp", **params)

    def type(self, text):
        """Type into the element that has the focus."""
        self.call("Input.insertText", text=text)

    def picture(self, path):
        """Write what is on screen to a PNG file."""
        data = self.call("Page.captureScreenshot", format="png")["data"]
        Path(path).write_bytes(base64.b64decode(data))
