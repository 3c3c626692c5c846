import hashlib
import json
import random

import numpy as np
import pytest

from text2lip.text.visemes import (
    FEATURES,
    PHONE_INVENTORY,
    get_viseme_set,
    letter_features,
    nearest_letter,
    resolve_transparent,
    sequence_features,
    split_phone,
)


CHART = (
    "pbtdʈɖcɟkɡqɢʔmɱnɳɲŋɴʙrʀⱱɾɽɸβfvθðszʃʒʂʐçʝxɣχʁħʕhɦɬɮʋɹɻjɰlɭʎʟʘǀǃǂǁɓɗʄɠʛʍwɥʜʢʡɕʑɺɧiyɨʉɯuɪʏʊeøɘɵɤoəɛœɜɞʌɔæɐaɶɑɒɚɝɫᵻᵿ"
)
LEAKS = {
    "t[": "t", "s.": "s", "k`": "k", "tS": "tʃ", "dZ": "dʒ", "A": "ɑ", "X": "χ", "K": "ɬ", "N": "ŋ", "?": "ʔ",
    'u"': "u", "r#": "r", "s^": "s", "a+": "a", "a::": "a", "g": "ɡ", "ε": "ɛ", "Φ": "ɸ", "ʦ": "ts", "sə-": "sə",
}  # fmt: skip


def letters(phone):
    return "".join(letter for letter, _ in split_phone(phone))


def feature(letter, name):
    return letter_features(letter)[FEATURES.index(name)]


def test_inventory_order_is_frozen():
    # weights of every network and of the articulatory model index it: append, never reorder
    digest = hashlib.sha256("|".join(PHONE_INVENTORY[:118]).encode()).hexdigest()
    assert digest.startswith("c3d1e02f1d78f06f")
    assert PHONE_INVENTORY[0] == "" and len(set(PHONE_INVENTORY)) == len(PHONE_INVENTORY)


def test_whole_ipa_chart_is_in_the_inventory():
    assert not set(CHART) - set(PHONE_INVENTORY)


@pytest.mark.parametrize(("leak", "ipa"), LEAKS.items())
def test_what_espeak_leaks_is_mapped(leak, ipa):
    assert letters(leak) == ipa


@pytest.mark.parametrize(
    ("phone", "expected"),
    [
        ("aɪ", [("a", 0.6), ("ɪ", 0.4)]),
        ("t͡ʃ", [("t", 0.4), ("ʃ", 0.6)]),
        ("ɑːɹ", [("ɑ", 0.6), ("ɹ", 0.4)]),
        ("ˈiː", [("i", 1.0)]),
        ("kʰ", [("k", 1.0)]),
        ("tɕh", [("t", 0.4), ("ɕ", 0.6)]),
        ("kʷ", [("k", 0.6), ("w", 0.4)]),
        ("onɡ5", [("o", 0.6), ("ŋ", 0.4)]),
        ("aɜ", [("a", 1.0)]),
        ("onɡɜ", [("o", 0.6), ("ŋ", 0.4)]),
        ("ɜ", [("ɜ", 1.0)]),
        ("ə˞", [("ɚ", 1.0)]),
        ("c\u0327", [("ç", 1.0)]),
        ("i̪5", [("ɿ", 1.0)]),
        ("t͡st͡s", [("t", 0.4), ("s", 0.6)]),
        ("o̞o̞", [("o", 1.0)]),
        ("ʲ", [("j", 1.0)]),
        ("", [("", 1.0)]),
        ("5", [("", 1.0)]),
        ("字", [("ə", 1.0)]),
        ("\ud800", [("", 1.0)]),
    ],
)
def test_split_phone(phone, expected):
    assert split_phone(phone) == expected


def test_split_phone_is_total_on_random_unicode():
    rng = random.Random(0)
    for _ in range(3000):
        phone = "".join(chr(rng.randrange(0x110000)) for _ in range(rng.randrange(1, 6)))
        parts = split_phone(phone)
        assert sum(share for _, share in parts) == pytest.approx(1)
        assert all(letter in PHONE_INVENTORY and share > 0 for letter, share in parts)


def test_features_say_what_the_lips_do():
    assert all(feature(x, "closure") == 1 for x in "pbmɓ")
    assert not any(feature(x, "closure") for x in PHONE_INVENTORY if x not in set("pbmɓʘʙɸβ"))
    assert all(feature(x, "labiodental") == 1 for x in "fvɱ")
    assert all(feature(x, "rounding") >= 0.5 for x in "uwyøœoʉɥʏ")
    assert all(feature(x, "rounding") == 0 for x in "iɪeɛaɑæə")
    assert all(feature(front, "tongue") > feature(back, "tongue") + 0.2 for front, back in ("yu", "øo", "iɯ", "œɔ"))
    assert feature("a", "jaw") > feature("ɛ", "jaw") > feature("ɪ", "jaw") > feature("s", "jaw")
    assert feature("θ", "tongue") == 1 and feature("i", "spread") == 1
    table = np.stack([letter_features(x) for x in PHONE_INVENTORY])
    assert table.shape == (118, 6) and table.dtype == np.float32 and table.min() == 0 and table.max() == 1
    with pytest.raises(ValueError, match="split_phone"):
        letter_features("aɪ")


def test_h_borrows_the_mouth_of_the_following_vowel():
    assert resolve_transparent(list("hu")) == list("uu")
    assert resolve_transparent(list("hʔa")) == list("aaa")
    assert resolve_transparent(list("aʔt")) == list("aat")
    assert resolve_transparent(["a", "", "h"]) == ["a", "", "h"]  # nothing to borrow across a pause
    rows = sequence_features(list("hu"))
    assert np.array_equal(rows[0], rows[1])


@pytest.mark.parametrize(("name", "size"), [("oculus", 15), ("azure", 22)])
def test_builtin_sets_are_total(name, size):
    visemes = get_viseme_set(name)
    assert len(visemes) == size
    assert set(visemes.letters) == set(PHONE_INVENTORY)
    assert set(visemes.letters.values()) <= set(range(size))
    assert [letter for letter, i in visemes.letters.items() if i == 0] == [""]


def test_published_tables():
    oculus = get_viseme_set("oculus")
    for label, phones in {
        "PP": "pbm", "FF": "fv", "TH": "θð", "DD": "td", "kk": "kɡ", "CH": "ʃʒ", "SS": "sz", "nn": "nl", "RR": "ɹr",
        "aa": "ɑa", "E": "ɛe", "ih": "ɪi", "oh": "ɒoɔ", "ou": "ʊu",
    }.items():  # fmt: skip
        assert {oculus.labels[i] for i in oculus.letter_ids(phones)} == {label}
    azure = get_viseme_set("azure")
    published = {"pbm": 21, "fv": 18, "ð": 17, "θtdn": 19, "kɡŋ": 20, "sz": 15, "ʃʒ": 16, "l": 14, "ɹ": 13, "h": 12}
    published |= {"æəʌ": 1, "ɑ": 2, "ɔ": 3, "ɛʊ": 4, "ɝ": 5, "jiɪ": 6, "wu": 7, "o": 8}
    for phones, viseme in published.items():
        assert {azure.letters[x] for x in phones} == {viseme}, phones
    assert [azure.phone_id(x) for x in ("aʊ", "ɔɪ", "aɪ", "eɪ")] == [9, 10, 11, None]


def test_user_table_falls_back_by_articulation(tmp_path):
    table = {"": "rest", "p": "MBP", "f": "FV", "a": "open", "i": "wide", "u": "round", "aɪ": "eye"}
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(table), encoding="utf-8")
    for visemes in (get_viseme_set(table), get_viseme_set(path), get_viseme_set(str(path))):
        show = {letter: visemes.labels[i] for letter, i in visemes.letters.items()}
        assert visemes.labels[0] == "rest" == show[""]
        assert {show[x] for x in "pbmɓ"} == {"MBP"} and {show[x] for x in "fvɱ"} == {"FV"}
        assert {show[x] for x in "wyʉ"} == {"round"} and show["ɑ"] == "open" and show["j"] == "wide"
        assert visemes.labels[visemes.phone_id("aɪ")] == "eye"
    reordered = dict(reversed(table.items()))
    assert get_viseme_set(reordered).labels == get_viseme_set(table).labels


def test_a_set_stays_as_it_is():
    visemes = get_viseme_set("azure")
    assert get_viseme_set(visemes) is visemes


def test_user_table_of_diphthongs_alone_is_total():
    assert set(get_viseme_set({"aɪ": "x", "oʊ": "y"}).letters) == set(PHONE_INVENTORY)


@pytest.mark.parametrize("bad", [{}, {"": "rest"}, {"p": 3}, {"p": ""}, {"5": "x"}, "nonsense", "missing.json"])
def test_bad_viseme_sets(bad):
    with pytest.raises(ValueError, match="table|viseme_set"):
        get_viseme_set(bad)


def test_nearest_letter_never_closes_an_open_mouth():
    assert nearest_letter("k", ["p", "i"]) == "i"
    assert nearest_letter("b", ["p", "i"]) == "p"
