"""The canonical form of a ledger entry's body."""

import datetime
import decimal
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ledger import canonical_json

text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | text,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4)
    ),
    max_leaves=15,
)


def test_keys_are_sorted_nothing_is_spaced_and_letters_are_utf8():
    value = {"b": [1, True, None], "a": {"z": "é\n", "B": -(2**70)}, "ä": ()}
    assert (
        canonical_json(value)
        == (
            '{"a":{"B":-1180591620717411303424,"z":"é\\n"},"b":[1,true,null],"ä":[]}'
        ).encode()
    )


@given(values)
def test_the_bytes_load_back_to_the_value_they_were_made_of(value):
    assert json.loads(canonical_json(value)) == value


@given(st.dictionaries(text, values, max_size=6), st.randoms())
def test_the_order_of_keys_does_not_matter(value, random):
    keys = list(value)
    random.shuffle(keys)
    assert canonical_json({key: value[key] for key in keys}) == canonical_json(value)


@given(values, values)
def test_two_values_share_their_bytes_only_if_they_are_equal(one, other):
    # repr tells True from 1, which == does not
    same = repr(json.loads(canonical_json(one))) == repr(
        json.loads(canonical_json(other))
    )
    assert (canonical_json(one) == canonical_json(other)) >= same


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (1.0, "value"),
        ({"a": [0, {"b": 2.5}]}, r"value\.a\[1\]\.b"),
        ([float("nan")], r"value\[0\]"),
        ({"at": datetime.datetime(2026, 1, 31)}, r"value\.at"),
        ({"n": decimal.Decimal(1)}, r"value\.n"),
        ({"x": b"bytes"}, r"value\.x"),
        ({"x": {1, 2}}, r"value\.x"),
        ({"x": {1: "a"}}, r"value\.x: the key 1"),
    ],
)
def test_what_has_no_one_form_is_refused_by_path(value, path):
    with pytest.raises(TypeError, match=path):
        canonical_json(value)


@pytest.mark.parametrize("value", ["a\x00", "\ud800", {"\x00": 1}, {"k\udfff": 1}])
def test_text_that_cannot_be_stored_is_refused(value):
    with pytest.raises(ValueError, match="NUL|surrogate"):
        canonical_json([value])


def test_depth_is_bounded():
    value = []
    for _level in range(5000):
        value = [value]
    with pytest.raises(ValueError, match="nested"):
        canonical_json(value)
