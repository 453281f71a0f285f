"""What the addon raises, beyond Odoo's own exceptions."""

from odoo.exceptions import UserError, ValidationError


class FieldRefused(ValidationError):
    """What a caller of the façade sent cannot be taken.

    :param message: names the field and the way out
    :param field: the field at fault
    :param code: the machine's word for it, of ``ingest.answers.HTTP_STATUS``
    """

    def __init__(self, message, field, code="invalid_field"):
        super().__init__(message)
        self.field = field
        self.code = code


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
