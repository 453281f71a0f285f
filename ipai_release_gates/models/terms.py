"""Terms that plain rooms mark for translation, in the language of a reader."""

from odoo.tools.translate import code_translations


def translate(env, term, module):
    """A term that an addon's code marks with ``_lt``, in the language of a reader.

    :param env: environment, whose language counts
    :param term: English text
    :param module: technical name of the addon that translates it
    :returns: the term itself where there is no translation
    """
    known = code_translations.get_python_translations(module, env.lang or "en_US")
    return known.get(term) or term
