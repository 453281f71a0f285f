"""What the attacks share: callers over every interface, and the state they leave."""

import http.cookiejar
import json
import re
import urllib.error
import urllib.parse
import urllib.request
import xmlrpc.client
from contextlib import contextmanager

import events
import pytest
import tables
from outside import HttpError, Rpc

PLANE = "ipai.control.plane"
STAGES = tuple(tables.STAGES)
#: Models whose records nobody changes, each with a change that is tried.
GUARDED = {
    "ipai.release.gate": {"status": "passed"},
    "ipai.check": {"status": "pass"},
    "ipai.evidence": {"url": "https://example.com/other"},
    "ipai.approval": {"decision": "approved"},
    "ipai.revision": {"author_emails": ["qa@example.com"]},
    "ipai.ledger.entry": {"body": "{}"},
    "ipai.ingest.log": {"status": "accepted"},
    "ipai.deployment": {"g4_status": "passed"},
    "ipai.incident": {"resolved_at": "2020-01-01 00:00:00"},
    "ipai.incident.entry": {"text": "Nothing happened"},
    "ipai.environment.control": {"status": "pass"},
    "ipai.environment.event": {"event_type": "backup_complete"},
    "ipai.recovery.drill": {"outcome": "success"},
    "ipai.recovery.drill.criterion": {"met": True},
}
#: What a caller may put into a context in vain.
CONTEXTS = (
    {"ipai_engine": True, "ipai_fact_batch": {"drafts": []}},
    {"_force_unlink": True, "module": "ipai_release_gates", "uid": 1, "su": True},
    {"install_mode": True, "install_module": "ipai_release_gates", "import_file": True},
    {"tracking_disable": True, "mail_notrack": True, "mail_create_nolog": True},
    {"active_test": False, "lang": "en_US", "tz": "Pacific/Kiritimati"},
    {"default_status": "promoted", "default_stage_id": 5, "default_is_open": False},
)
#: What the interfaces raise when they refuse.
REFUSED = (xmlrpc.client.Fault, HttpError)
#: Refusals leave a trace, which is no change of what was recorded.
_TRACES = "('move_refused', 'signoff_refused', 'deployment_refused')"
_TABLES = {
    "ipai_release": "true",
    "ipai_revision": "true",
    "ipai_release_gate": "true",
    "ipai_check": "true",
    "ipai_evidence": "true",
    "ipai_approval": "true",
    "ipai_exception": "true",
    "ipai_deployment": "true",
    "ipai_incident": "true",
    "ipai_incident_entry": "true",
    "ipai_environment_control": "true",
    "ipai_environment_event": "true",
    "ipai_recovery_drill": "true",
    "ipai_recovery_drill_criterion": "true",
    "ipai_uat_invitation": "true",
    "ipai_uat_criterion": "true",
    "ipai_ledger_entry": f"kind NOT IN {_TRACES}",
    "ipai_ledger_head": "true",
    "ipai_ingest_log": "status IN ('accepted', 'pending')",
    "ipai_gate": "true",
    "ipai_gate_requirement": "true",
    "ipai_release_stage": "true",
    "ipai_persona": "true",
    "ipai_project": "true",
    "ipai_environment": "true",
    "ipai_evidence_type": "true",
    "ipai_author_alias": "true",
    "ipai_freeze_window": "true",
    "ipai_webhook_source": "true",
    "ipai_outbound_host": "true",
    "ipai_webhook_endpoint": "true",
    "ipai_github_app": "true",
    "ipai_github_repository": "true",
    "ipai_github_environment": "true",
    "ipai_github_protection": "true",
    "ir_attachment": "res_model = 'ipai.evidence'",
}
# Changed by every refusal that is recorded, and by reading.
_IGNORED = ["fact_version", "ledger_sequence", "ledger_hash", "write_date", "write_uid"]


class Web:
    """A person at the web client: one session, and the calls it makes.

    :param login: of the person; the password is the login
    """

    def __init__(self, site, login):
        self.site = site
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(cookies)
        self.uid = self.json(
            "/web/session/authenticate",
            db=site.database,
            login=login,
            password=login,
        )["uid"]

    def json(self, path, **params):
        """Call a JSON-RPC route.

        :raises HttpError: with the error as its body
        """
        request = urllib.request.Request(
            self.site.url + path,
            json.dumps({"jsonrpc": "2.0", "method": "call", "params": params}).encode(),
            {"Content-Type": "application/json"},
        )
        answer = json.loads(self.open(request))
        if "error" in answer:
            error = answer["error"]
            raise HttpError(200, {**error, "message": error["data"]["message"]})
        return answer["result"]

    def open(self, request):
        """The body of an answer.

        :raises HttpError: for every answer that is not 200
        """
        try:
            with self._opener.open(request) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError as error:
            raise HttpError(error.code, {"message": error.reason}) from None

    def post(self, path, **form):
        """Post a form with the token that a page of the session carries."""
        page = self.open(f"{self.site.url}/odoo")
        form["csrf_token"] = re.search(r'csrf_token: "([^"]+)"', page)[1]
        data, boundary = [], "--a-boundary"
        for name, value in form.items():
            file = '; filename="file.txt"' if name == "ufile" else ""
            data += [
                f"--{boundary}",
                f'Content-Disposition: form-data; name="{name}"{file}',
                "",
                str(value),
            ]
        data += [f"--{boundary}--", ""]
        request = urllib.request.Request(
            self.site.url + path,
            "\r\n".join(data).encode(),
            {"Content-Type": f"multipart/form-data; boundary={boundary}"},
        )
        return self.open(request)

    def call(self, model, method, ids=None, /, **kwargs):
        """Call a method as the web client does."""
        return self.json(
            f"/web/dataset/call_kw/{model}/{method}",
            model=model,
            method=method,
            args=[] if ids is None else [ids],
            kwargs=kwargs,
        )


class Callers:
    """People at the interfaces: ``callers(interface, login)`` is a function to call.

    The function takes ``model``, ``method``, ``ids`` and named arguments. XML-RPC is
    used with an API key, whose hash costs a hundredth of a password's.
    """

    def __init__(self, site):
        self.site, self._callers = site, {}

    def __call__(self, interface, login):
        key = (interface, login)
        if key not in self._callers:
            self._callers[key] = getattr(self, f"_{interface}")(login)
        return self._callers[key]

    def _xml_rpc(self, login):
        rpc = Rpc(self.site, login, self.site.api_key(login))

        def call(model, method, ids=None, /, **kwargs):
            return rpc.execute_kw(model, method, [] if ids is None else [ids], kwargs)

        return call

    def _json_2(self, login):
        rpc = self._callers.get(login) or Rpc(self.site, login)
        self._callers[login] = rpc

        def call(model, method, ids=None, /, **kwargs):
            named = {} if ids is None else {"ids": ids}
            return rpc.json2(model, method, **named, **kwargs)

        return call

    def _web(self, login):
        web = Web(self.site, login)

        def call(model, method, ids=None, /, **kwargs):
            return web.call(model, method, ids, **kwargs)

        call.web = web
        return call


class People:
    """Makes users beyond those of the demo data."""

    def __init__(self, callers):
        self._callers, self._admin = callers, callers("json_2", "admin")

    def __call__(self, login, *groups, **values):
        with self._callers.site.connect() as connection:
            names = [f"group_{group}" for group in groups]
            ids = Database(connection).rows(
                "SELECT res_id FROM ir_model_data WHERE name = ANY(%s)"
                " AND (module = 'ipai_release_gates' OR name = 'group_user')",
                [*names, "group_user"],
            )
        vals = {
            "name": login,
            "login": login,
            "password": login,
            "email": f"{login}@example.com",
            "group_ids": [[6, 0, [id_ for (id_,) in ids]]],
            **values,
        }
        context = {"no_reset_password": True}
        (uid,) = self._admin("res.users", "create", vals_list=[vals], context=context)
        call = self._callers("web", login)
        call.uid = uid
        return call


class Database:
    """Reads what is there, past every right."""

    def __init__(self, connection):
        connection.autocommit = True
        self._connection = connection

    def rows(self, query, *values):
        """The rows of a query."""
        with self._connection.cursor() as cursor:
            cursor.execute(query, values)
            return cursor.fetchall()

    def value(self, query, *values):
        """The first value of the first row."""
        return self.rows(query, *values)[0][0]

    def id(self, table, **columns):
        """The id of the one row with these values."""
        where = " AND ".join(f"{name} = %s" for name in columns)
        return self.value(f"SELECT id FROM {table} WHERE {where}", *columns.values())

    def state(self):
        """A digest of every row that an attack must not change, by table."""
        return {
            table: self.rows(
                f"SELECT count(*), md5(string_agg((to_jsonb(t) - %s)::text, '|'"
                f" ORDER BY id)) FROM {table} t WHERE {where}",
                _IGNORED,
            )
            for table, where in _TABLES.items()
        }

    @contextmanager
    def unchanged(self):
        """Assert that nothing was recorded, moved or removed meanwhile."""
        before = self.state()
        yield
        after = self.state()
        changed = [table for table in before if before[table] != after[table]]
        assert changed == [], changed


def some_id(database, model):
    """The id of a record of a model that has some."""
    return database.value(f"SELECT min(id) FROM {model.replace('.', '_')}")


def open_release(call, name, authors=("dev@example.com",), **more):
    """Open a release; the answer of the façade."""
    values = {
        "project": events.PROJECT,
        "name": name,
        "source_ref": events.commit(),
        "environment_target": "production",
        "authors": list(authors),
        **more,
    }
    return call(PLANE, "open_release", values=values)


def ingest(call, *sent):
    """Send events; the answers."""
    return call(PLANE, "ingest", events=list(sent))


def refused(call, /, *arguments, **named):
    """Call, assert that it is refused, and return the refusal as text.

    A call that fails because it was made wrongly shows nothing, so it is no refusal.
    """
    with pytest.raises(REFUSED) as caught:
        answer = call(*arguments, **named)
        pytest.fail(f"{arguments} {named} was answered with {answer!r:.300}")
    error = caught.value
    if isinstance(error, HttpError):
        body = error.body
        kind = body.get("name") or body.get("data", {}).get("name") or ""
        text = str(body.get("message"))
    else:
        kind, text = "", error.faultString
    wrong = kind.startswith(("builtins.", "werkzeug.")) or "TypeError: " in text
    assert not wrong, f"{arguments} {named} is no attack: {kind} {text}"
    return text


def load_in_vain(call, model, method, **named):
    """Call an import, which answers with the problems instead of raising them."""
    try:
        answer = call(model, method, **named)
    except REFUSED:
        return
    assert not answer["ids"] and answer["messages"]
