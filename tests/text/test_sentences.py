import pytest

from text2lip.text.sentences import in_short, split_clauses, split_sentences


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Hello. world", ["Hello.", "world"]),
        ("Dr. Smith met J. R. Hart at 3.1 p.m. Then?", ["Dr. Smith met J. R. Hart at 3.1 p.m.", "Then?"]),
        ("He said no. Then what?! Yes…", ["He said no.", "Then what?!", "Yes…"]),
        ("你好。我很好！", ["你好。", "我很好！"]),
        ("नमस्ते। हम", ["नमस्ते।", "हम"]),
        ("a, b; c", ["a, b; c"]),
        ("one\n\ntwo", ["one", "two"]),
        (". then", ["then"]),
        ("?!", []),
        ("", []),
    ],
)  # fmt: skip
def test_sentences(text, sentences):
    assert split_sentences(text) == sentences


def test_clauses_tile_the_text():
    text = "One, two — three: four. Five"
    assert [(text[c.start : c.end].strip(), c.mark.strip()) for c in split_clauses(text)] == [
        ("One", ","), ("two", "—"), ("three", ":"), ("four", "."), ("Five", ""),
    ]  # fmt: skip


def test_texts_in_messages_are_cut_between_words():
    assert in_short("One two\n three.") == "One two three."
    assert in_short("One two three.", 9) == "One two…" and in_short("One two three", 7) == "One two…"
    assert in_short("一二三四五", 3) == "一二三…"
