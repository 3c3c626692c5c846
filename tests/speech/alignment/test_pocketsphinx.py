from types import SimpleNamespace

from text2lip.speech.alignment.pocketsphinx import _cuts


def test_a_long_recording_is_cut_between_words_not_between_fillers():
    """The decoder may say silence, noise and silence in one pause of a minute."""
    spans = [("text2lip.a", 9), ("<sil>", 2_500), ("[NOISE]", 2_500), ("<sil>", 2_500), ("text2lip.b", 9)]
    spans += [("<sil>", 2_500), ("[NOISE]", 2_500), ("text2lip.c", 9), ("<sil>", 2_500), ("<sil>", 2_500)]
    segments, frame = [], 0
    for word, length in spans:
        segments.append(SimpleNamespace(word=word, start_frame=frame, end_frame=frame + length - 1))
        frame += length
    cuts = _cuts(SimpleNamespace(seg=lambda: iter(segments)))
    assert [words for words, _ in cuts] == [1, 2, 3] and cuts[-1][1] == frame
