"""Reasons of a verdict: English text that keeps what it was made of.

A reason is stored, hashed, sent and read by machines as it is. Whoever shows it to a
person may have it said in their language, by the template and the values it came from.
"""

#: What a value may be, besides another reason.
_PLAIN = (str, int, float)


def _lt(template):
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
    _lt("developer"),
    _lt("qa tester"),
    _lt("release manager"),
    _lt("sre"),
    _lt("pending"),
    _lt("in progress"),
    _lt("failed"),
    _lt("recovery drill"),
    _lt("backup restore drill"),
    _lt("failover drill"),
    _lt("rollback drill"),
    _lt("build log"),
    _lt("check status"),
    _lt("test result"),
    _lt("coverage report"),
    _lt("acceptance criteria"),
    _lt("defect register"),
    _lt("uat summary"),
    _lt("approval record"),
    _lt("rollback plan"),
    _lt("release notes"),
    _lt("health check"),
    _lt("monitoring baseline"),
    _lt("fallback timer"),
    _lt("restore drill"),
    _lt("incident report"),
    _lt("sbom"),
    _lt("vulnerability scan"),
    _lt("provenance"),
    _lt("reference"),
)
