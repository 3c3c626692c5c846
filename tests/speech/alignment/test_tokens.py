from text2lip.speech.alignment.tokens import phones_from_tokens


def test_tokens_of_neural_voices():
    tokens = [
        ("^", 0.1),
        ("ˈ", 0.02),
        ("h", 0.08),
        ("a", 0.1),
        ("ː", 0.1),
        (" ", 0.06),
        ("ˌ", 0.01),
        ("o", 0.2),
        (".", 0.3),
    ]
    phones = phones_from_tokens(tokens)
    assert [phone.label for phone in phones] == ["", "ˈh", "aː", "ˌo", ""]
    assert [round(phone.end, 2) for phone in phones] == [0.1, 0.2, 0.4, 0.67, 0.97]
