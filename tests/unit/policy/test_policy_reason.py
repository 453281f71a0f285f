"""Reasons are English text everywhere, and can be said in another language."""

import copy
import json
import pickle

import polib
import pytest
from policy import Reason
from policy.reason import WORDS

from conftest import ADDON

FRENCH = {
    "No %(what)s for %(gate)s": "Aucune %(what)s pour %(gate)s",
    "rollback plan": "plan de retour",
    "%(What)s recorded": "%(What)s enregistré",
}


def in_french(template, module):
    return FRENCH.get(template, template)


def missing():
    what = Reason.of_words("rollback_plan")
    return Reason("No %(what)s for %(gate)s", what=what, gate="G3")


def test_a_reason_is_its_english_text():
    reason = missing()
    assert reason == "No rollback plan for G3"
    assert json.dumps(reason) == '"No rollback plan for G3"'
    assert hash(reason) == hash("No rollback plan for G3")


def test_it_is_said_in_another_language_with_the_words_in_it():
    assert missing().said(in_french) == "Aucune plan de retour pour G3"


def test_a_value_whose_name_is_capital_begins_with_a_capital_in_any_language():
    recorded = Reason("%(What)s recorded", What=Reason.of_words("rollback_plan"))
    assert recorded == "Rollback plan recorded"
    assert recorded.said(in_french) == "Plan de retour enregistré"


def test_several_are_joined_and_each_is_said():
    both = Reason.joined("; ", [missing(), "as typed: 100 %"])
    assert both == "No rollback plan for G3; as typed: 100 %"
    assert both.said(in_french) == "Aucune plan de retour pour G3; as typed: 100 %"


@pytest.mark.parametrize("broken", ["%(other)s", "%(what)d", "%(what", "%s %s"])
def test_a_translation_that_cannot_be_filled_in_leaves_the_english(broken):
    assert missing().said(lambda template, module: broken) == "No rollback plan for G3"


@pytest.mark.parametrize("word", ["50%_coverage", "%s", "%(x)s"])
def test_a_code_may_hold_any_character(word):
    assert Reason.of_words(word) == word.replace("_", " ")


def test_it_can_be_kept_as_data_and_comes_back():
    reason = Reason.joined(", ", [missing(), Reason("%(n)s left", n=2), "text"])
    kept = json.loads(json.dumps(reason.as_data()))
    again = Reason.of_data(kept)
    assert again == reason
    assert again.said(in_french) == reason.said(in_french)


@pytest.mark.parametrize(
    "data",
    [None, 5, "text", [], ["%(a)s"], ["%(a)s", {}], ["%(a)s", []], ["x", {"a": None}]],
)
def test_what_is_no_reason_is_not_taken_for_one(data):
    with pytest.raises(ValueError):
        Reason.of_data(data)


@pytest.mark.parametrize("twin", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_copy_is_a_reason_as_well(twin):
    reason = missing()
    other = twin(reason)
    other = pickle.loads(other) if twin is pickle.dumps else other
    assert other == reason and other.said(in_french) == reason.said(in_french)


def test_every_word_is_there_to_be_translated():
    template = polib.pofile(str(ADDON / "i18n" / "ipai_release_gates.pot"))
    known = {entry.msgid for entry in template}
    assert set(WORDS) <= known
    assert len(set(WORDS)) == len(WORDS)
