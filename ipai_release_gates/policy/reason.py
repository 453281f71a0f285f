"""Reasons of a verdict: English text that keeps what it was made of.

A reason is stored, hashed, sent and read by machines as it is. Whoever shows it to a
person may have it said in their language, by the template and the values it came from.
"""

#: What a value may be, besides another reason.
_PLAIN = (str, int, float)


def _(template):
    """Mark a template, or a word, for translation; it stays as it is."""
    return template


class Reason(str):
    """A sentence, or a part of one.

    :param str template: English, with ``%(name)s`` for each value
    :param values: text, numbers or reasons, by name; one whose name begins with a
        capital begins with a capital itself
    :ivar template: the template
    :ivar values: dict of the values by name
    """

    def __new__(cls, template, /, **values):
        self = super().__new__(cls, _filled(template, values, str))
        self.template = template
        self.values = values
        return self

    def __getnewargs_ex__(self):
        return (self.template,), self.values

    def said(self, translate):
        """The sentence in another language.

        :param translate: function from a template or word to its translation, or to
            itself where there is none
        :returns: text; the English one where a translation cannot be filled in
        """

        def spoken(value):
            return value.said(translate) if isinstance(value, Reason) else str(value)

        try:
            return _filled(translate(self.template), self.values, spoken)
        except (KeyError, TypeError, ValueError):
            return str(self)

    def as_data(self):
        """What it was made of, ready for JSON: ``[template, {name: value}]``."""
        return [
            self.template,
            {
                name: value.as_data() if isinstance(value, Reason) else value
                for name, value in self.values.items()
            },
        ]

    @classmethod
    def of_data(cls, data):
        """The reason that :meth:`as_data` described.

        :raises ValueError: when that describes none
        """
        try:
            template, values = data
            return cls(
                template,
                **{
                    name: cls.of_data(value) if isinstance(value, list) else value
                    for name, value in values.items()
                },
            )
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError("This describes no reason.") from error

    @classmethod
    def of_words(cls, words):
        """A code as words, ``rollback_plan`` as *rollback plan*; see ``WORDS``."""
        return cls(words.replace("_", " ").replace("%", "%%"))

    @classmethod
    def joined(cls, separator, parts):
        """Several reasons, or texts, as one."""
        values = {f"part_{number}": part for number, part in enumerate(parts)}
        return cls(separator.join(f"%({name})s" for name in values), **values)


def _filled(template, values, spoken):
    said = {}
    for name, value in values.items():
        if not isinstance(value, _PLAIN):
            raise TypeError(f"{name} is {type(value).__name__}, which no sentence has")
        text = spoken(value)
        said[name] = text[:1].upper() + text[1:] if name[0].isupper() else text
    return template % said


#: Words that codes stand for, as far as the addon brings them: personas, statuses of
#: gates, drills and types of evidence. Of others, nobody knows a translation.
WORDS = (
    _("developer"),
    _("qa tester"),
    _("release manager"),
    _("sre"),
    _("pending"),
    _("in progress"),
    _("failed"),
    _("recovery drill"),
    _("backup restore drill"),
    _("failover drill"),
    _("rollback drill"),
    _("build log"),
    _("check status"),
    _("test result"),
    _("coverage report"),
    _("acceptance criteria"),
    _("defect register"),
    _("uat summary"),
    _("approval record"),
    _("rollback plan"),
    _("release notes"),
    _("health check"),
    _("monitoring baseline"),
    _("fallback timer"),
    _("restore drill"),
    _("incident report"),
    _("sbom"),
    _("vulnerability scan"),
    _("provenance"),
    _("reference"),
)
