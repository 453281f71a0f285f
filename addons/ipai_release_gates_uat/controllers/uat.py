import logging
import re

from odoo.exceptions import UserError
from odoo.http import Controller, request, route

_TOKEN = re.compile(r"(/ipai/uat/)[^/?#\s\"]+")


class _WithoutToken(logging.Filter):
    """Removes the token of a link from the server's log of requests.

    With the token, a reader of the log could answer in the customer's name.
    """

    def filter(self, record):
        if isinstance(record.args, tuple):
            record.args = tuple(
                _TOKEN.sub(r"\1***", arg) if isinstance(arg, str) else arg
                for arg in record.args
            )
        return True


# Once, also when this module is imported again.
_log_of_requests = logging.getLogger("werkzeug")
if not any(type(f).__name__ == "_WithoutToken" for f in _log_of_requests.filters):
    _log_of_requests.addFilter(_WithoutToken())


class Uat(Controller):
    """The page of a customer's UAT link; the token in it is the only right needed."""

    @route(
        "/ipai/uat/<string:token>",
        type="http",
        auth="public",
        methods=["GET", "POST"],
        website=True,  # a page of the portal: with its layout and its languages
        sitemap=False,
    )
    def uat(self, token, **form):
        """Show the criteria, or take the answers.

        :param token: as the link has it
        :param form: ``result_<id>``, ``comment_<id>``, ``name``, ``comment``
        :returns: the page; 404 for a link that never was
        """
        invitation = request.env["ipai.uat.invitation"]._of_token(token)
        if not invitation:
            return self._page({"invitation": None}, 404)
        invitation = invitation.with_context(lang=request.env.lang)
        # Uploaded files are no answers.
        form = {name: value for name, value in form.items() if isinstance(value, str)}
        values, status = {"error": None, "form": form, "thanks": False}, 200
        if request.httprequest.method == "POST":
            try:
                # All or nothing: the page that shows the error commits too.
                with request.env.cr.savepoint():
                    invitation._answer(
                        self._results(invitation, form),
                        form.get("name"),
                        form.get("comment"),
                    )
                values["thanks"] = True
            except UserError as error:
                values["error"], status = str(error), 422
        values["refusal"] = invitation._refusal()
        return self._page({**values, "invitation": invitation, "token": token}, status)

    def _results(self, invitation, form):
        return {
            criterion.id: (
                form.get(f"result_{criterion.id}"),
                form.get(f"comment_{criterion.id}"),
            )
            for criterion in invitation.criterion_ids
        }

    def _page(self, values, status):
        response = request.render(
            "ipai_release_gates_uat.uat_page", values, status=status
        )
        # The address is a secret: no other site, cache or search index gets it.
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Robots-Tag"] = "noindex"
        # No other page may show this one in a frame and have visitors sign it.
        response.headers["X-Frame-Options"] = "DENY"
        return response
