"""The reasons of a verdict in the language of their reader.

What is stored, sent and written to the ledger stays the English text of
:class:`policy.Reason`, the same for everybody.
"""

from functools import partial

from ...policy import Reason
from ..terms import translate


def said(env, reason):
    """A reason in the language of an environment.

    :param reason: a :class:`policy.Reason`; other text is returned as it is
    """
    if not isinstance(reason, Reason) or not env.lang:
        return str(reason)
    return reason.said(partial(translate, env))


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
