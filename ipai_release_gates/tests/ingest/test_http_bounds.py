"""The bounds of the HTTP API: sizes, requests per minute, conflicts and faults."""

import json
from contextlib import suppress
from unittest.mock import patch

import requests

from odoo.tests import tagged
from odoo.tools import mute_logger

from ...ingest import transport
from ..http import NDJSON
from .api import HttpApiCase


@tagged("post_install", "-at_install")
class TestHttpBounds(HttpApiCase):
    # --- bounds -----------------------------------------------------------------------

    def test_a_body_that_says_it_is_too_large_is_refused_unread(self):
        size = str(transport.MAX_LIST_BYTES + 1)
        status, said = self.raw(b"[", Content_Length=size)
        self.assertEqual((status, said["detail"]["code"]), (413, "too_large"))

    def test_a_body_without_a_length_is_read_to_the_limit_and_no_further(self):
        chunk = b"%x\r\n%s\r\n" % (2**20, b" " * 2**20)
        pieces = [chunk] * (transport.MAX_LIST_BYTES // 2**20 + 1) + [b"0\r\n\r\n"]
        status, said = self.raw(*pieces, Transfer_Encoding="chunked")
        self.assertEqual((status, said["detail"]["code"]), (413, "too_large"))

    def test_a_chunked_body_is_read(self):
        body = json.dumps(self.lint()).encode()
        chunk = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        status, said = self.raw(chunk, Transfer_Encoding="chunked")
        self.assertEqual((status, said["status"]), (200, "accepted"))
        status, said = self.raw(b"nonsense\r\n", Transfer_Encoding="chunked")
        self.assertEqual((status, said["detail"]["code"]), (400, "bad_request"))

    def test_one_event_and_other_bodies_have_smaller_limits(self):
        filler = " " * transport.MAX_EVENT_BYTES
        self.assertRefused(self.post("/events", "{}" + filler), 413, "too_large")
        answer = self.post("/events", "[{}]" + filler)
        self.assertEqual(answer.status_code, 207)
        filler = " " * transport.MAX_BODY_BYTES
        self.assertRefused(self.post("/releases", "{}" + filler), 413, "too_large")
        path = f"/releases/{self.release.uuid}/moves"
        self.assertRefused(self.post(path, "{}" + filler), 413, "too_large")

    def test_a_body_that_would_fill_the_memory_is_refused_unread(self):
        many = transport.MAX_VALUES + 1
        for body, mimetype in (
            (b"[" + b"[]," * (many // 2) + b"[]]", "application/json"),
            (b"{}," * (many // 2) + b"\n{}", NDJSON),
        ):
            answer = self.post("/events", body, mimetype=mimetype)
            self.assertRefused(answer, 413, "too_large")

    def test_a_header_beyond_all_measure_disturbs_nobody(self):
        # Odoo's server drops it before there is a request; a proxy would say 431.
        with suppress(requests.ConnectionError):
            answer = self.post("/events", self.lint(), X_Long="a" * 70_000)
            self.assertEqual(answer.status_code, 431)
        answer = self.post("/events", self.lint(), X_Long="a" * 20_000)
        self.assertEqual(answer.status_code, 200)

    # --- how much a key may send ------------------------------------------------------

    def test_a_key_that_has_no_request_left_is_told_when_it_has(self):
        own = self.limit(3)
        path = f"/releases/{self.release.uuid}/verdict"
        self.assertEqual([self.get(path, own).status_code for _ in range(3)], [200] * 3)
        answer = self.get(path, own)
        self.assertRefused(answer, 429, "rate_limited")
        self.assertIn(int(answer.headers["Retry-After"]), range(15, 21))
        answer = self.post("/events", self.lint(), own)
        self.assertRefused(answer, 429, "rate_limited")
        self.keys["second"] = self.api_key(self.ci)
        self.assertEqual(self.get(path, "second").status_code, 200)
        self.env["ipai.settings"].search([]).requests_per_minute = 0
        self.assertEqual(self.get(path, own).status_code, 200)

    def test_a_request_that_is_tried_again_is_counted_once(self):
        own = self.limit(2)
        with self.failing_once():
            self.assertEqual(self.post("/events", self.lint(), own).status_code, 200)
        self.assertEqual(self.post("/events", self.lint(), own).status_code, 200)
        self.assertEqual(self.post("/events", self.lint(), own).status_code, 429)

    def test_buckets_that_are_full_again_are_removed(self):
        self.env.cr.execute(
            "INSERT INTO ipai_rate_limit VALUES (-1, now() - interval '2 days'),"
            " (-2, now() + interval '1 minute')"
        )
        self.env["ipai.rate.limit"]._remove_full_buckets()
        self.env.cr.execute("SELECT id FROM ipai_rate_limit WHERE id < 0")
        self.assertEqual(self.env.cr.fetchall(), [(-2,)])

    # --- conflicts and our own faults -------------------------------------------------

    def test_a_serialization_failure_is_tried_again_with_the_same_body(self):
        with self.failing_once() as tries:
            answer = self.post("/events", [self.lint(), self.lint()])
        self.assertEqual(answer.status_code, 200, answer.text)
        self.assertEqual(len(tries), 2)
        self.assertEqual(tries[0], tries[1])

    def test_our_own_fault_is_said_without_our_inside(self):
        def fail(*_args):
            raise RuntimeError("secret inside")

        for method, path, body in (
            ("ingest", "/events", {}),
            ("open_release", "/releases", {}),
        ):
            with (
                patch.object(type(self.env["ipai.control.plane"]), method, fail),
                mute_logger("odoo.http"),
            ):
                answer = self.post(path, body)
            self.assertRefused(answer, 500, "internal_error")
            self.assertNotIn("secret", answer.text)
