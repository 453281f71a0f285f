from odoo.http import Controller, request, route

from ..ingest import answers, transport
from .dispatcher import ROOT, TYPE, answer_json, read_body, read_query

_HEADERS = {
    "github": ("X-GitHub-Event", ("X-GitHub-Delivery",)),
    # GitLab keeps the first through its own retries, and has it since 17.4.
    "gitlab": ("X-Gitlab-Event", ("Idempotency-Key", "X-Gitlab-Event-UUID")),
}


class Webhooks(Controller):
    """Where code hosts deliver. Their signature is all that lets them in."""

    @route(
        f"{ROOT}/webhooks/<any(github, gitlab):provider>",
        methods=["POST"],
        type=TYPE,
        auth="none",
        save_session=False,
    )
    def deliver(self, provider):
        """Take a delivery of the source that the address names."""
        body, _mimetype = read_body(transport.JSON, limit=transport.MAX_DELIVERY_BYTES)
        headers = request.httprequest.headers
        address = read_query(source="")["source"]
        sources = request.env["ipai.webhook.source"]
        source = sources._genuine(provider, address, body, headers)
        if not source:
            raise transport.TransportError(
                "unauthorized", "The address or the signature is not good."
            )
        # From here on as the service that the source records as; system writes use
        # sudo.
        request.update_env(user=source.user_id.id, context={})
        source = source.with_env(request.env(su=True))
        event, ids = _HEADERS[provider]
        delivery = next(filter(None, map(headers.get, ids)), None)
        answer = source._receive(headers.get(event), delivery, body)
        return answer_json(answer, answers.delivery_status(answer))
