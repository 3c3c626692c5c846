from text2lip.text.timing import Segment, share_times


def test_words_without_length_share_the_time_of_the_word_beside_them():
    words = [Segment("it", 0.0, 0.4), Segment("is", 2.0, 2.0), Segment("very", 2.0, 3.0)]
    assert share_times(words) == [Segment("it", 0.0, 0.2), Segment("is", 0.2, 0.4), Segment("very", 2.0, 3.0)]
    assert share_times(words[1:]) == [Segment("is", 2.0, 2 + 2 / 6), Segment("very", 2 + 2 / 6, 3.0)]
    assert share_times([words[0], words[2]]) == [words[0], words[2]]
    assert share_times([words[1]]) == [words[1]] and share_times([]) == []
