from odoo.http import Controller, request, route

from ..errors import Rejected
from ..ingest import answers, transport
from .dispatcher import ROOT, TYPE, answer_json, not_found, read_body, read_query


class Webhooks(Controller):
    """Deliveries of code hosts, authenticated by their signature alone."""

    @route(
        f"{ROOT}/webhooks/<string:provider>",
        methods=["POST"],
        type=TYPE,
        auth="none",
        save_session=False,
    )
    def deliver(self, provider):
        """Take a delivery of the source that the address names."""
        sources = request.env["ipai.webhook.source"]
        host = sources._providers_by_code().get(provider)
        if not host:
            raise not_found()
        body, _mimetype = read_body(transport.JSON, limit=transport.MAX_DELIVERY_BYTES)
        headers = request.httprequest.headers
        address = read_query(source="")["source"]
        source = sources._genuine(host, address, body, headers)
        if not source:
            raise Rejected("unauthorized", "The address or the signature is not good.")
        # From here on as the service that the source records as; system writes use
        # sudo.
        request.update_env(user=source.user_id.id, context={})
        source = source.with_env(request.env(su=True))
        ids = map(headers.get, host.delivery_headers)
        delivery = next(filter(None, ids), None)
        answer = source._receive(headers.get(host.event_header), delivery, body)
        return answer_json(answer, answers.delivery_status(answer))
