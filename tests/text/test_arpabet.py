from text2lip.text import PHONE_INVENTORY, split_phone
from text2lip.text.arpabet import ARPABET_TO_IPA, CHOICES, to_arpabet


def test_arpabet_is_total():
    for letter in PHONE_INVENTORY[1:]:
        assert to_arpabet(letter) and set(to_arpabet(letter)) <= set(ARPABET_TO_IPA)
    assert to_arpabet("") == ()
    assert to_arpabet("ˈɑːɹ") == ("AA", "R") and to_arpabet("əʊ") == ("OW",) and to_arpabet("tʃ") == ("CH",)
    for symbol, ipa in ARPABET_TO_IPA.items():
        assert to_arpabet(ipa) == (symbol,)
        assert all(letter in PHONE_INVENTORY for letter, _ in split_phone(ipa))


def test_phones_of_other_languages_are_heard_in_more_ways():
    for letter in PHONE_INVENTORY[1:]:
        for choice in range(CHOICES):
            assert to_arpabet(letter, choice) and set(to_arpabet(letter, choice)) <= set(ARPABET_TO_IPA)
    assert [to_arpabet("ʁ", choice) for choice in range(CHOICES)] == [("L",), ("AH",)]
    assert to_arpabet("ɔʁ", 0) == ("AO", "L") and to_arpabet("aɪ", 1) == ("AY",) and to_arpabet("", 0) == ()
