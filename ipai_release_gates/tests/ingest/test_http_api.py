"""The HTTP API by real HTTP: its routes, who gets in, and what is refused how."""

import gzip
import json
import re
from datetime import timedelta

from odoo.tests import tagged

from ...ingest import transport
from ..common import sha
from ..http import API, GREEN, NDJSON, XML
from .api import HttpApiCase


@tagged("post_install", "-at_install")
class TestHttpApi(HttpApiCase):
    # --- what the routes do -----------------------------------------------------------

    def test_one_event_is_answered_by_itself_with_its_own_status(self):
        event = self.lint()
        answer = self.post("/events", event)
        self.assertEqual(answer.status_code, 200)
        said = answer.json()
        self.assertEqual((said["status"], said["http_status"]), ("accepted", 200))
        self.assertEqual(self.post("/events", event).json()["status"], "duplicate")
        wrong = {**event, "payload": {**event["payload"], "status": "fail"}}
        answer = self.post("/events", wrong)
        self.assertEqual(answer.status_code, 409)
        self.assertEqual(answer.json()["detail"]["code"], "idempotency_conflict")
        log = self.env["ipai.ingest.log"].browse(said["ingest_id"])
        self.assertEqual((log.status, log.user_id), ("accepted", self.ci))

    def test_a_list_is_answered_in_order_and_one_bad_event_costs_no_other(self):
        events = [self.lint(), self.lint(status="green"), "no event", self.lint()]
        answer = self.post("/events", events)
        self.assertEqual(answer.status_code, 207)
        self.assertEqual(
            [said["http_status"] for said in answer.json()], [200, 400, 400, 200]
        )
        answer = self.post("/events", [self.lint(), self.lint()])
        self.assertEqual(answer.status_code, 200)

    def test_a_bad_line_costs_only_itself_and_is_kept_in_the_log(self):
        lines = [
            json.dumps(self.lint()),
            '{"schema_version": "v1.0", ',
            "",
            '{"a": 1, "a": 2}',
            '{"a": NaN}',
            "[" * 100_000,
            json.dumps(self.lint()) + "\r",
        ]
        body = "\n".join(lines).encode() + b'\n"\xff"\n'
        answer = self.post("/events", body, mimetype=NDJSON)
        self.assertEqual(answer.status_code, 207)
        said = answer.json()
        self.assertEqual(
            [(one["http_status"], one["detail"].get("code")) for one in said],
            [(200, None)] + [(400, "not_json")] * 4 + [(200, None), (400, "not_json")],
        )
        self.assertIn("line 1 column", said[1]["detail"]["message"])
        self.assertIn("'a' is there twice", said[2]["detail"]["message"])
        self.assertIn("nested too deep", said[4]["detail"]["message"])
        self.assertIn("UTF-8", said[6]["detail"]["message"])
        log = self.env["ipai.ingest.log"].browse(said[1]["ingest_id"])
        self.assertEqual((log.status, log.code), ("rejected", "not_json"))
        self.assertIn("schema_version", log.payload)

    def test_a_release_is_opened_once_judged_and_moved(self):
        values = {
            "project": self.project.name,
            "name": "opened over http",
            "source_ref": sha("opened over http"),
            "environment_target": "production",
            "authors": ["dev@example.com"],
        }
        opened = self.post("/releases", values)
        self.assertEqual(opened.status_code, 201, opened.text)
        again = self.post("/releases", values)
        self.assertEqual(again.status_code, 200)
        uuid = opened.json()["uuid"]
        self.assertEqual(again.json(), {**opened.json(), "created": False})

        verdict = self.get(f"/releases/{uuid}/verdict?target=staging")
        self.assertEqual(verdict.status_code, 200)
        self.assertEqual([g["code"] for g in verdict.json()["gates"]], ["G1", "G2"])
        self.assertFalse(verdict.json()["eligible"])
        self.assertEqual(
            self.get(f"/releases/{uuid}/verdict").json()["target"], "production"
        )

        stage = {"stage": "qa_validation"}
        refused = self.post(f"/releases/{uuid}/moves", stage, "dev")
        self.assertEqual(refused.status_code, 409)
        self.assertFalse(refused.json()["moved"])
        self.assertTrue(refused.json()["reasons"])
        self.pass_g1(self.env["ipai.release"].browse(opened.json()["id"]))
        moved = self.post(f"/releases/{uuid}/moves", stage, "dev")
        self.assertEqual(moved.status_code, 200, moved.text)
        self.assertEqual(moved.json()["stage"], "qa_validation")

    def test_what_cannot_be_opened_judged_or_moved_names_the_field(self):
        values = {"project": "acme/shop", "name": "x", "source_ref": "main"}
        answer = self.post("/releases", values)
        self.assertRefused(answer, 400, "invalid_field", "source_ref")
        answer = self.post("/releases", {**values, "name": "a\0b"})
        self.assertRefused(answer, 400, "invalid_field", "name")
        good = {
            **values,
            "source_ref": sha("x"),
            "environment_target": "dev",
            "authors": ["dev@example.com"],
        }
        answer = self.post("/releases", {**good, "project": "acme/nowhere"})
        self.assertRefused(answer, 400, "invalid_field", "project")
        answer = self.post("/releases", good, "sre")
        self.assertRefused(answer, 403, "forbidden")
        answer = self.post("/releases", [good])
        self.assertRefused(answer, 400, "invalid_field", "body")

        unknown = "/releases/00000000-0000-4000-8000-000000000000"
        for path in (unknown, "/releases/nonsense", f"/releases/{self.release.id}"):
            answer = self.get(f"{path}/verdict")
            self.assertRefused(answer, 404, "unknown_release", "release")
            answer = self.post(f"{path}/moves", {"stage": "closed"})
            self.assertRefused(answer, 404, "unknown_release", "release")
        path = f"/releases/{self.release.uuid}"
        answer = self.get(f"{path}/verdict?target=moon")
        self.assertRefused(answer, 400, "invalid_field", "target")
        answer = self.get(f"{path}/verdict?tagret=staging")
        self.assertRefused(answer, 400, "invalid_field", "tagret")
        answer = self.get(f"{path}/verdict?target=dev&target=dev")
        self.assertRefused(answer, 400, "invalid_field", "target")
        answer = self.post(f"{path}/moves", {"stage": "moon"})
        self.assertRefused(answer, 400, "invalid_field", "stage")
        answer = self.post(f"{path}/moves", {"stage": ["closed"]})
        self.assertRefused(answer, 400, "invalid_field", "stage")
        answer = self.post(f"{path}/moves", {"stage": "closed", "force": True})
        self.assertRefused(answer, 400, "invalid_field", "force")
        answer = self.post(f"{path}/moves", {})
        self.assertRefused(answer, 400, "missing_field", "stage")

    # --- who gets in ------------------------------------------------------------------

    def test_without_a_key_nobody_gets_in(self):
        for header in (
            None,
            "",
            "Bearer",
            "Bearer  ",
            "Basic Y2k6Y2k=",
            f"Token {self.keys['ci']}",
            f"Bearer {self.keys['ci']} {self.keys['ci']}",
        ):
            answer = self.post("/events", self.lint(), None, Authorization=header)
            self.assertRefused(answer, 401, "unauthorized")
            self.assertIn("Bearer", answer.headers["WWW-Authenticate"])
        answer = self.get(f"/releases/{self.release.uuid}/verdict", None)
        self.assertRefused(answer, 401, "unauthorized")

    def test_a_session_alone_authenticates_nobody_however_it_dresses_up(self):
        self.authenticate("ci", "ci")
        browser = {
            "Sec_Fetch_Dest": "document",
            "Sec_Fetch_Mode": "navigate",
            "Sec_Fetch_Site": "same-origin",
            "Sec_Fetch_User": "?1",
        }
        for headers in ({}, browser):
            answer = self.get(f"/releases/{self.release.uuid}/verdict", None, **headers)
            self.assertRefused(answer, 401, "unauthorized")
            answer = self.post("/events", self.lint(), None, **headers)
            self.assertRefused(answer, 401, "unauthorized")

    def test_a_key_acts_as_its_user_whoever_else_is_logged_in(self):
        self.authenticate("rm", "rm")
        answer = self.post("/events", self.lint(), "ci")
        self.assertEqual(answer.status_code, 200, answer.text)
        log = self.env["ipai.ingest.log"].browse(answer.json()["ingest_id"])
        self.assertEqual(log.user_id, self.ci)
        self.assertNotIn("Set-Cookie", answer.headers)

    def test_no_answer_opens_a_session(self):
        self.opener.cookies.clear()
        self.assertNotIn("Set-Cookie", self.post("/events", self.lint()).headers)
        self.assertNotIn("Set-Cookie", self.get("/nowhere").headers)

    def test_an_expired_foreign_or_wrongly_scoped_key_is_as_good_as_none(self):
        now = self.env.cr.now()
        self.keys["late"] = self.api_key(self.ci, expires=now - timedelta(hours=1))
        self.keys["scoped"] = self.api_key(self.ci, scope="ipai.other")
        self.keys["nobody's"] = "0" * 40
        self.keys["strange"] = "ключ".encode().decode("latin-1")
        self.keys["long"] = "a" * 1000
        gone = self.new_user("gone", "group_ci_service")
        self.keys["gone"] = self.api_key(gone)
        gone.active = False
        for login in ("late", "scoped", "nobody's", "strange", "long", "gone"):
            with self.subTest(key=login):
                answer = self.post("/events", self.lint(), login)
                self.assertRefused(answer, 401, "unauthorized")

    def test_a_key_without_a_role_may_nothing(self):
        self.keys["portal"] = self.api_key(self.new_user("p", "base.group_portal"))
        self.keys["plain"] = self.api_key(self.new_user("plain"))
        for login in ("portal", "plain"):
            answer = self.post("/events", self.lint(), login)
            self.assertRefused(answer, 403, "forbidden")
            answer = self.post("/releases", {}, login)
            self.assertRefused(answer, 403, "forbidden")
            answer = self.get(f"/releases/{self.release.uuid}/verdict", login)
            self.assertRefused(answer, 403, "forbidden")

    def test_a_key_has_the_rights_of_its_user_and_no_more(self):
        answer = self.post("/events", self.lint(), "auditor")
        self.assertRefused_event(answer, 403, "forbidden")
        self.project.member_ids = False
        answer = self.get(f"/releases/{self.release.uuid}/verdict", "dev")
        self.assertRefused(answer, 404, "unknown_release", "release")

    # --- what is described ------------------------------------------------------------

    def test_each_route_is_described_and_nothing_else(self):
        answer = self.get("/openapi.json", None)
        self.assertEqual(answer.status_code, 200)
        paths = answer.json()["paths"]
        described = {
            (path, method.upper()) for path, item in paths.items() for method in item
        }
        routed = {
            (re.sub(r"<(?:[^:>]+:)?(\w+)>", r"{\1}", rule.rule), method)
            for rule in self.env["ir.http"].routing_map().iter_rules()
            if rule.rule.startswith(API)
            for method in rule.methods - {"HEAD", "OPTIONS"}
        }
        self.assertEqual(routed, described)

    def test_each_status_that_is_described_can_be_met_and_no_other(self):
        release, missing = self.release.uuid, "00000000-0000-4000-8000-000000000000"
        verdict, moves = f"/releases/{release}/verdict", f"/releases/{release}/moves"
        good = {
            "project": self.project.name,
            "name": "statuses",
            "source_ref": sha("statuses"),
            "environment_target": "dev",
            "authors": ["dev@example.com"],
        }
        event, stage = self.lint(), {"stage": "qa_validation"}
        waits = {"project": self.project.name, "source_ref": sha("nobody's")}
        payload = {**event["payload"], "source_ref": waits["source_ref"]}
        big = " " * transport.MAX_LIST_BYTES + "{}"
        self.keys["plain"] = self.api_key(self.new_user("plain"))
        passed = self.open_release("statuses of a move")
        source = self.env["ipai.webhook.source"].create(
            {"project_id": self.project.id, "provider": "github", "user_id": self.ci.id}
        )
        shown = source.with_user(self.governance).action_new_secret()["context"]
        self.secret = shown["default_secret"]
        hook = f"/webhooks/github?source={source.uuid}"
        self.pass_g1(passed)
        common = {
            401: {"login": None},
            403: {"login": "plain"},
        }
        with_body = {**common, 413: {"body": big}, 415: {"mimetype": "text/plain"}}
        report = {"body": GREEN, "mimetype": XML}
        requests = {
            ("post", "/events", "/events"): {
                **with_body,
                200: {"body": event},
                202: {
                    "body": self.ci_event("check_result", payload, None, **waits),
                },
                207: {"body": [event, {}]},
                400: {"body": {}},
                409: {"body": {**event, "gate_code": "G1"}},
                422: {"body": {"schema_version": "v9"}},
            },
            ("post", "/releases", "/releases"): {
                **with_body,
                201: {"body": good},
                200: {"body": good},
                400: {"body": {}},
            },
            ("get", "/releases/{uuid}/verdict", verdict): {
                **common,
                200: {},
                400: {"path": f"{verdict}?target=moon"},
                404: {"path": f"/releases/{missing}/verdict"},
            },
            ("post", "/releases/{uuid}/moves", moves): {
                **with_body,
                200: {"path": f"/releases/{passed.uuid}/moves"},
                400: {"body": {}},
                404: {"path": f"/releases/{missing}/moves"},
                409: {},
            },
            ("post", "/reports", self.report_path()): {
                **with_body,
                200: report,
                # Not from a person, in the name of another system.
                207: {**report, "login": "dev"},
                400: {**report, "body": "{}"},
                403: {**report, "login": "plain"},
                413: {**report, "body": big},
            },
            ("post", "/webhooks/{provider}", hook): {
                413: {"body": " " * transport.MAX_DELIVERY_BYTES + "{}"},
                415: {"mimetype": "text/plain"},
                200: {"body": {"zen": 1}, **self.signed({"zen": 1})},
                202: {"body": [], **self.signed([])},
                400: {"body": {}, **self.signed({}), "X_GitHub_Event": None},
                401: {"body": {}},
                404: {"path": "/webhooks/bitbucket", "body": {}},
            },
            ("get", "/openapi.json", "/openapi.json"): {
                200: {"login": None},
                400: {"path": "/openapi.json?a=b"},
            },
        }
        paths = self.get("/openapi.json").json()["paths"]
        described, met = {}, {}
        for (method, template, path), cases in requests.items():
            described[template] = set(paths[API + template][method]["responses"])
            met[template] = set()
            for status, case in cases.items():
                body = {} if method == "get" else {"body": stage}
                options = {"path": path, "login": "dev", **body, **case}
                if template in ("/events", "/reports"):
                    options["login"] = case.get("login", "ci")
                with self.subTest(route=template, status=status):
                    answer = self.call(method.upper(), **options)
                    self.assertEqual(answer.status_code, status, answer.text[:500])
                met[template].add(str(status))
            if template not in ("/openapi.json", "/webhooks/{provider}"):
                met[template].add(str(self.status_without_requests_left(path)))
            met[template].add(str(self.status_of_our_fault(method, path)))
        self.assertEqual(met, described)
        self.assertEqual({f"{API}{path}" for path in described}, set(paths))

    # --- what is refused, and in which shape ------------------------------------------

    def test_unknown_paths_and_methods_are_refused_in_json(self):
        for path in ("", "/", "/nowhere", "/events/1", "/releases/1", "/%00"):
            self.assertRefused(self.get(path), 404, "not_found")
            self.assertRefused(self.get(path, None), 404, "not_found")
        for method, path, allowed in (
            ("GET", "/events", "POST"),
            ("DELETE", "/events", "POST"),
            ("OPTIONS", "/events", "POST"),
            ("PUT", "/releases", "POST"),
            ("POST", "/releases/x/verdict", "GET, HEAD"),
            ("TRACE", "/openapi.json", "GET, HEAD"),
        ):
            with self.subTest(method=method, path=path):
                answer = self.call(method, path, None)
                self.assertRefused(answer, 405, "method_not_allowed")
                self.assertEqual(answer.headers["Allow"], allowed)

    def test_only_json_in_utf_8_as_it_is_gets_in(self):
        body = json.dumps(self.lint())
        for mimetype in (
            "text/plain",
            "text/json",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/json; charset=latin-1",
            "",
            None,
        ):
            with self.subTest(mimetype=mimetype):
                answer = self.call(
                    "POST", "/events", body, Content_Type=mimetype, login="ci"
                )
                self.assertRefused(answer, 415, "unsupported_media_type")
        answer = self.post("/releases", "{}", mimetype=NDJSON)
        self.assertRefused(answer, 415, "unsupported_media_type")
        bomb = gzip.compress(b" " * 50_000_000 + b"{}")
        for coding in ("gzip", "deflate", "br", "gzip, identity"):
            answer = self.post("/events", bomb, Content_Encoding=coding)
            self.assertRefused(answer, 415, "unsupported_media_type")
        good = self.post("/events", body, mimetype="Application/JSON; charset=UTF-8")
        self.assertEqual(good.status_code, 200, good.text)

    def test_what_is_no_json_is_refused_and_says_where(self):
        for body in (
            b"",
            b"{",
            b"\x00",
            b"\xff\xfe{\x00}\x00",
            b"\xef\xbb\xbf{}",
            b'{"a": "\xff"}',
            b"[" * 1_000_000,
            b'{"a":' * 100_000,
            b'{"a": Infinity}',
            b'{"a": 1, "a": 1}',
            b'{"a": ' + b"1" * 10_000 + b"}",
            b"schema_version=v1.0",
        ):
            with self.subTest(body=body[:30]):
                self.assertRefused(self.post("/events", body), 400, "not_json")
                self.assertRefused(self.post("/releases", body), 400, "not_json")
        detail = self.post("/events", b'{"a": 1,}').json()["detail"]
        self.assertIn("line 1 column", detail["message"])

    def test_json_that_postgresql_cannot_hold_is_refused_and_kept(self):
        for body in (
            b'{"idempotency_key": "a\\u0000b"}',
            b'{"idempotency_key": "\\ud800", "event_type": "\\udfff"}',
            b'{"release_id": 99999999999999999999999}',
            b'{"payload": {"a": 1e400}}',
            b"null",
            b"7",
        ):
            with self.subTest(body=body):
                answer = self.post("/events", body)
                self.assertEqual(answer.status_code, 400, answer.text)
                self.assertTrue(answer.json()["ingest_id"])

    def test_a_list_has_1_to_1000_events(self):
        for body, mimetype in (
            ("[]", "application/json"),
            ("", NDJSON),
            ("\n\n", NDJSON),
            (json.dumps([{}] * 1001), "application/json"),
            ("{}\n" * 1001, NDJSON),
        ):
            answer = self.post("/events", body, mimetype=mimetype)
            self.assertRefused(answer, 400, "invalid_field", "events")
