"""What opening the board costs against Odoo's own board of tasks, in one run.

Fills the database that is named (a throw-away copy, see README.md) with as many open
releases as open tasks, in as many stages, then opens both boards in turn:

* ``requests``: what the web client asked the server for when it opened the board, taken
  down there and asked again over HTTP, one after the other;
* ``browser``: from the click to the last card drawn, in Chromium, which has the views
  but no data.
"""

import json
import os
import statistics
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOGIN = "bench"


def main():
    """Fill the database, serve it, and print one line per measurement."""
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    import board_data

    from tools.server import Server

    database = sys.argv[1]
    rounds = int(os.environ.get("ROUNDS", "15"))
    project = board_data.fill(database, LOGIN)
    with Server(database, arguments=["--max-cron-threads=0"]) as server:
        measure(server, database, project, rounds)


def measure(server, database, project, rounds):
    """Open both boards in turn and print how long it took."""
    desk = make_desk()
    with desk(width=1440) as browser:
        browser.login(server.url, database, LOGIN)
        browser.open(f"{server.url}/odoo/discuss")
        browser.see(".o_action_manager > *")
        boards = {
            "board": ("releases", ".ipai_release_board", {}),
            "floor": ("tasks", ".o_kanban_project_tasks", {"active_id": project}),
        }
        # The first opening asks for everything; later ones have the views.
        asked, cards = {}, {}
        for name, board in boards.items():
            browser.requests.clear()
            browser.open_board(*board)
            # What is asked for behind the drawn board opens nothing.
            asked[name] = list(browser.requests)
            cards[name] = browser.settled(board[1])
            said = ", ".join(request.what for request in asked[name])
            print(f"{name}: {cards[name]} cards; asks for {said}")
        print(f"{'what':<34}{'ms':>9}{'floor ms':>10}{'ratio':>7}")
        answered = replay(server, database, asked, rounds)
        line("requests", *(map(sum, answered[name]) for name in boards))
        for name in boards:
            times = zip(*answered[name], strict=True)
            for request, seconds in zip(asked[name], times, strict=True):
                line(f"  {name}: {request.what}", seconds)
        opened = {name: [] for name in boards}
        for _round in range(rounds):
            for name, board in boards.items():
                opened[name].append(browser.open_board(*board, cards[name]))
                browser.settled(board[1])
        line("browser", *opened.values())


def make_desk():
    """The class of a browser that takes down what it asks the server for."""
    from browser import Browser

    class Desk(Browser):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.requests = []

        def _attach(self, *args):
            super()._attach(*args)
            self.call("Network.enable", maxPostDataSize=1_000_000)

        def _note(self, event):
            super()._note(event)
            if event.get("method") == "Network.requestWillBeSent":
                request = event["params"]["request"]
                path = request["url"].partition("://")[2].partition("/")[2]
                mail = "/discuss." in path  # asked whenever it likes
                if path.startswith(("web/dataset/", "web/action/")) and not mail:
                    self.requests.append(Request(path, request["postData"]))

        def open_board(self, action, selector, context, cards=1):
            """Open a board with no data cached; seconds until its cards are drawn."""
            return self.run(
                f"""(async () => {{
                const env = odoo.__WOWL_DEBUG__.root.env;
                env.bus.trigger("CLEAR-CACHES");
                const begun = performance.now();
                await env.services.action.doAction({json.dumps(action)}, {{
                    clearBreadcrumbs: true,
                    additionalContext: {json.dumps(context)},
                }});
                const drawn = () =>
                    document.querySelectorAll("{selector} .o_kanban_record[data-id]")
                        .length >= {cards};
                while (!drawn()) {{
                    if (performance.now() - begun > 60000) {{
                        throw new Error("Not drawn: " + document.body.innerText);
                    }}
                    await new Promise((resolve) => requestAnimationFrame(resolve));
                }}
                // Until it is painted, too.
                await new Promise((resolve) => requestAnimationFrame(
                    () => requestAnimationFrame(resolve)));
                return (performance.now() - begun) / 1000;
            }})()"""
            )

        def settled(self, selector):
            """How many cards a board has once nothing more is asked for."""
            time.sleep(2)
            return self.run(
                f"document.querySelectorAll('{selector} .o_kanban_record[data-id]')"
                ".length"
            )

    return Desk


class Request:
    """One request of the web client."""

    def __init__(self, path, body):
        self.path, self.body = path, json.loads(body)
        self.what = "/".join(path.split("/")[-2:])


def replay(server, database, asked, rounds):
    """Seconds of each request of each board, opened in turn."""
    import requests

    session = requests.Session()
    params = {"db": database, "login": LOGIN, "password": LOGIN}
    session.post(
        f"{server.url}/web/session/authenticate", json={"params": params}
    ).raise_for_status()
    answered = {name: [] for name in asked}
    for number in range(rounds + 1):
        for name, wanted in asked.items():
            took = []
            for request in wanted:
                begun = time.perf_counter()
                answer = session.post(f"{server.url}/{request.path}", json=request.body)
                took.append(time.perf_counter() - begun)
                assert "error" not in answer.json(), answer.text
            if number:  # the first warms caches
                answered[name].append(took)
    return answered


def line(what, ours, floor=None):
    ours = list(ours)
    text = f"{what:<34}{statistics.median(ours) * 1000:>9.1f}"
    if floor is not None:
        floor = list(floor)
        ratio = statistics.median(o / f for o, f in zip(ours, floor, strict=True))
        text += f"{statistics.median(floor) * 1000:>10.1f}{ratio:>7.2f}"
    print(text)


if __name__ == "__main__":
    main()
