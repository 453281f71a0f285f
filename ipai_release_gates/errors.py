"""What the addon raises, beyond Odoo's own exceptions."""

from functools import wraps

from odoo.exceptions import UserError, ValidationError

from .ingest.errors import Rejected


class CallRejected(ValidationError):
    """A refusal of the contract as Odoo's RPC carries it.

    :param Rejected rejected: what is wrong with the call
    """

    def __init__(self, rejected):
        super().__init__(rejected.message)
        self.rejected = rejected


def rejects_calls(method):
    """Have a public method of the façade refuse a call in the way of Odoo's RPC.

    The method raises :class:`Rejected`; its callers get a :class:`CallRejected`.
    """

    @wraps(method)
    def call(self, *args, **kwargs):
        try:
            return method(self, *args, **kwargs)
        except Rejected as rejected:
            raise CallRejected(rejected) from rejected

    return call


class GateRefused(UserError):
    """A stage move was refused.

    The message lists every unmet condition for readers of a log or an RPC fault.
    ``context`` carries the same as data: the web client receives it with the error and
    shows it as a checklist with the next step.

    :param message: the refusal in words
    :param refusal: JSON-ready structure, see ``ipai.release._refusal_data``
    """

    def __init__(self, message, refusal):
        super().__init__(message)
        self.context = {"refusal": refusal}


class OutboundRefused(UserError):
    """A call to another server was refused here: trying again changes nothing.

    The message names the way out.
    """


class OutboundFailed(Exception):
    """A call to another server did not get through: it may the next time.

    The message says what happened; it holds nothing of what was sent.
    """
