"""The reasons of a verdict in the language of whoever reads them.

What is stored, sent and written to the ledger stays the English text of
:class:`policy.Reason`, the same for everybody.
"""

from odoo.tools.translate import code_translations

from ...policy import Reason

_MODULE = "ipai_release_gates"


def said(env, reason):
    """A reason in the language of an environment.

    :param reason: a :class:`policy.Reason`; other text is returned as it is
    """
    if not isinstance(reason, Reason) or not env.lang:
        return str(reason)
    known = code_translations.get_python_translations(_MODULE, env.lang)
    return reason.said(lambda template: known.get(template) or template)


def said_again(env, text, terms):
    """Stored reasons in the language of an environment.

    :param text: the reasons as they are stored, a line each
    :param terms: what :meth:`policy.Reason.as_data` said of each
    :returns: the text itself where the terms are not those of it
    """
    try:
        reasons = [Reason.of_data(each) for each in terms or ()]
    except ValueError:
        return text
    if "\n".join(reasons) != (text or ""):
        return text
    return "\n".join(said(env, reason) for reason in reasons) or False
