"""Reasons of a verdict: English text that keeps what it was made of.

A reason is stored, hashed, sent and read by machines as it is. A screen shows it in
the language of its reader, from the template and the values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import Self

#: What a value may be, besides another reason.
_PLAIN = (str, int, float)

#: The addon whose reasons name no addon in their data.
_CORE = "ipai_release_gates"

Translate = Callable[[str, str], str]


def _lt(template: str) -> str:
    """Mark a template, or a word, for translation; it stays as it is."""
    return template


class Reason(str):
    """A sentence, or a part of one.

    :param str template: English, with ``%(name)s`` for each value
    :param values: text, numbers or reasons, by name; one whose name begins with a
        capital begins with a capital itself
    :ivar template: the template
    :ivar values: dict of the values by name
    :cvar module: the addon whose translations have the template. Another addon
        writes its reasons with a subclass of its own, see :meth:`of_addon`
    """

    template: str
    values: dict[str, Any]
    module = _CORE

    @staticmethod
    @lru_cache
    def of_addon(name: str) -> type[Reason]:
        """The class of the reasons that an addon writes.

        :param name: technical name of the addon, whose translations are looked up
        """
        return type("Reason", (Reason,), {"module": name}) if name != _CORE else Reason

    def __new__(cls, template: str, /, **values: Any) -> Self:
        self = super().__new__(cls, _filled(template, values, str))
        self.template = template
        self.values = values
        return self

    def __reduce__(self) -> tuple[Callable[[Any], Reason], tuple[Any]]:
        return Reason.of_data, (self.as_data(),)

    def said(self, translate: Translate) -> str:
        """The sentence in another language.

        :param translate: function from a template or word, and the addon that has it,
            to its translation, or to itself where there is none
        :returns: text; the English one where a translation cannot be filled in
        """

        def text_of(value: Any) -> str:
            return value.said(translate) if isinstance(value, Reason) else str(value)

        try:
            return _filled(translate(self.template, self.module), self.values, text_of)
        except (KeyError, TypeError, ValueError):
            return str(self)

    def as_data(self) -> list[Any]:
        """What it was made of, ready for JSON: ``[template, {name: value}]``.

        The name of the addon follows for a reason that another addon wrote.
        """
        data: list[Any] = [
            self.template,
            {
                name: value.as_data() if isinstance(value, Reason) else value
                for name, value in self.values.items()
            },
        ]
        return data if self.module == _CORE else [*data, self.module]

    @classmethod
    def of_data(cls, data: Any) -> Reason:
        """The reason that :meth:`as_data` described.

        :raises ValueError: when that describes none
        """
        try:
            template, values, module = data if len(data) == 3 else (*data, _CORE)
            return cls.of_addon(str(module))(
                template,
                **{
                    name: cls.of_data(value) if isinstance(value, list) else value
                    for name, value in values.items()
                },
            )
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError("This describes no reason.") from error

    @classmethod
    def of_words(cls, words: str) -> Self:
        """A code as words, ``rollback_plan`` as *rollback plan*; see ``WORDS``."""
        return cls(words.replace("_", " ").replace("%", "%%"))

    @classmethod
    def joined(cls, separator: str, parts: Iterable[str]) -> Self:
        """Several reasons, or texts, as one."""
        values = {f"part_{number}": part for number, part in enumerate(parts)}
        return cls(separator.join(f"%({name})s" for name in values), **values)


def _filled(
    template: str, values: dict[str, Any], text_of: Callable[[Any], str]
) -> str:
    texts = {}
    for name, value in values.items():
        if not isinstance(value, _PLAIN):
            raise TypeError(f"{name} is {type(value).__name__}, which no sentence has")
        text = text_of(value)
        texts[name] = text[:1].upper() + text[1:] if name[0].isupper() else text
    return template % texts


#: Words that codes stand for, as far as this addon brings them: personas, statuses of
#: gates, drills and types of evidence. No other word has a translation.
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
