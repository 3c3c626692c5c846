import gzip

import pytest

from text2lip.data.alignments import ALIGNMENT_COLUMNS, phone_timeline, read_alignments


ROWS = [
    ("s1", "bbaf2n", 0, 10000, "sil"),
    ("s1", "bbaf2n", 10000, 15000, "bin"),
    ("s1", "bbaf2n", 15000, 20000, "blue"),
    ("s1", "bbaf2n", 20000, 22500, "sp"),
    ("s1", "bbaf2n", 22500, 25000, "at"),
    ("s1", "bbaf2n", 25000, 30000, "f"),
    ("s1", "bbaf2n", 30000, 35000, "two"),
    ("s1", "bbaf2n", 35000, 45000, "now"),
    ("s1", "bbaf2n", 45000, 75000, "sil"),
    ("s2", "bbaf2n", 0, 25000, "bin"),
]


def write(path, rows, columns=ALIGNMENT_COLUMNS):
    with gzip.open(path, "wt") as file:
        file.writelines("\t".join(map(str, row)) + "\n" for row in [columns, *rows])
    return path


def test_words_and_pauses_in_seconds(tmp_path):
    first, second = read_alignments(write(tmp_path / "a.tsv.gz", ROWS))
    assert (first.speaker, first.code, second.speaker) == ("s1", "bbaf2n", "s2")
    assert [word.label for word in first.words] == ["bin", "blue", "at", "f", "two", "now"]
    assert first.words[0].start == 0.4 and first.length == pytest.approx(1.4)
    assert [s.end - s.start for s in first.segments if not s.label][1:-1] == [pytest.approx(0.1)]


def test_phones_fill_their_words(tmp_path):
    sentence = read_alignments(write(tmp_path / "a.tsv.gz", ROWS))[0]
    timeline = phone_timeline(sentence, lead=0.1, tail=0.2)
    assert timeline.duration == pytest.approx(0.1 + 1.4 + 0.2)
    spoken = "".join(phone.label.strip("ˈˌ") or " " for phone in timeline.phones)
    assert spoken == " bɪnbluː atɛftuːnaʊ "  # the pause stays, and two is no "to"
    starts = {round(phone.start, 6) for phone in timeline.phones}
    for word, real in zip(timeline.words, sentence.words):
        assert word.label == real.label and word.end - word.start == pytest.approx(real.end - real.start)
        assert round(word.start, 6) in starts


def test_bad_tables_are_refused(tmp_path):
    with pytest.raises(ValueError, match="no file"):
        read_alignments(tmp_path / "missing.tsv.gz")
    with pytest.raises(ValueError, match="columns"):
        read_alignments(write(tmp_path / "b.tsv.gz", [], ["a", "b"]))
    with pytest.raises(ValueError, match="s3/bbaf2n"):
        read_alignments(write(tmp_path / "c.tsv.gz", [*ROWS, ("s3", "bbaf2n", 0, 10, "sil")]))
