"""A stand-in for GitHub, and a project connected to it."""

from odoo.addons.ipai_release_gates.tests.common import GateCase, sha
from odoo.addons.queue_job.tests.common import trap_jobs

from .standin import Standin


def connect_github(release):
    """A release's project connected to GitHub, where a job waits for it."""
    app = release.env["ipai.github.app"].create(
        {
            "name": release.project_id.name,
            "client_id": "Iv1.abc",
            "company_id": release.company_id.id,
        }
    )
    release.env["ipai.github.repository"].create(
        {
            "project_id": release.project_id.id,
            "app_id": app.id,
            "installation": "7",
        }
    )
    release._ensure_github_checks()
    return release.env["ipai.github.protection"].system_create(
        [
            {
                "project_id": release.project_id.id,
                "release_id": release.id,
                "delivery": f"delivery-{release.id}",
                "run": "17",
                "environment": "production",
                "source_ref": release.source_ref,
                "callback_url": "https://api.github.com/",
                "installation": "7",
                "requested_at": release.env.cr.now(),
            }
        ]
    )


class ConnectedCase(GateCase):
    """``acme/shop`` with a release, connected to GitHub where a job waits for it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.release = cls.open_release("Connected")
        cls.protection = connect_github(cls.release)
        cls.env["ipai.github.environment"].create(
            {
                "repository_id": cls.env["ipai.github.repository"]._of(cls.project).id,
                "name": "live",
                "target": "production",
            }
        )
        cls.env.flush_all()


class GithubCase(GateCase):
    """A stand-in for GitHub, and ``acme/shop`` connected to it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.standin = cls.enterClassContext(Standin())
        cls.env["ipai.outbound.host"].create(
            {
                "name": "localhost",
                "port": cls.standin.port,
                "is_internal": True,
                "is_plain": True,
            }
        )
        cls.number = cls.standin.install("acme/shop")
        cls.app = cls.env["ipai.github.app"].create(
            {
                "name": "Gates",
                "client_id": cls.standin.client_id,
                "api_url": cls.standin.api_url,
                "private_key_pem": cls.standin.pem,
            }
        )
        cls.repository = cls.env["ipai.github.repository"].create(
            {
                "project_id": cls.project.id,
                "app_id": cls.app.id,
                "installation": str(cls.number),
                "report_as": "none",
            }
        )
        cls.env.cr.flush()

    def setUp(self):
        super().setUp()
        self.standin.calls.clear()
        self.asked = 0

    def request(self, release=None, environment="production", run=None, **payload):
        """A job begins to wait at GitHub, which tells so.

        :param run: run again, instead of a new one
        :returns: the record, and the run
        """
        commit = release.source_ref if release else sha("unknown")
        commit = payload.pop("commit", commit)
        if run:
            told = self.standin.rerun(run)
        else:
            run = self.standin.start("acme/shop", environment, commit, self.number)
            told = self.standin.payload(run)
        self.asked += 1
        answer = self.take({**told, **payload}, f"delivery-{run}-{self.asked}")
        protections = self.env["ipai.github.protection"]
        return protections.browse(answer.get("protection")), run

    def take(self, payload, delivery):
        """What the webhook's controller does with a verified delivery."""
        self.delivered = delivery
        Protection = self.env["ipai.github.protection"].with_user(self.ci)
        with trap_jobs() as trap:
            # Anything with the project of the secret that signed.
            answer = Protection._requested(self.repository, delivery, payload)
            self.env.cr.flush()
            self.enqueued = list(trap.enqueued_jobs)
        return answer

    def answer(self, protection, user=None):
        """Run the job as the user who caused it."""
        with trap_jobs() as trap:
            protection.with_user(user or self.ci)._answer()
            self.enqueued = list(trap.enqueued_jobs)
        self.env.flush_all()

    def jobs_of(self, method):
        """A function that tells which records get jobs for a method while it runs."""

        def run(act):
            with trap_jobs() as trap:
                act()
                self.env.cr.flush()
                found = [
                    j.recordset for j in trap.enqueued_jobs if j.method_name == method
                ]
            return found

        return run

    def paths(self):
        """What the stand-in was asked, without tokens."""
        return [
            (call.method, call.path, call.status)
            for call in self.standin.calls
            if "access_tokens" not in call.path
        ]

    def ready(self, *gates):
        release = self.open_release()
        self.pass_gates(release, *(gates or ("G1", "G2", "G3")))
        return release
