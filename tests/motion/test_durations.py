import numpy as np
import pytest

from text2lip.motion.durations import PHONE_RANGE, predict_seconds, predict_timeline
from text2lip.text import plain_pieces


@pytest.fixture(scope="module")
def predict(pipe):
    return lambda *args, **kwargs: predict_timeline(pipe.viseme_encoder, pipe.tokenizer, *args, **kwargs)


def lengths(timeline, spoken=True):
    return [phone.end - phone.start for phone in timeline.phones if bool(phone.label) == spoken]


def test_phones_and_words_of_a_text(pipe, predict):
    timeline = predict("Good morning, and welcome.", "en-us", lead=0.2, tail=0.36)
    nominal = pipe.tokenizer.timeline("Good morning, and welcome.", "en-us")
    assert [phone.label for phone in timeline.phones] == [phone.label for phone in nominal.phones]
    assert [word.label for word in timeline.words] == ["Good", "morning,", "and", "welcome."]
    edges = {phone.start for phone in timeline.phones} | {timeline.duration}
    assert all(word.start in edges and word.end in edges for word in timeline.words)
    silences = lengths(timeline, spoken=False)
    assert silences == [pytest.approx(0.2), pytest.approx(0.15), pytest.approx(0.36)]
    assert lengths(timeline) != pytest.approx(lengths(nominal), rel=0.02)  # it isn't the table


def test_rate_and_breaks(predict):
    text = "Good morning to you"
    once, twice = predict(text), predict(text, speaking_rate=2.0)
    np.testing.assert_allclose(lengths(twice), np.array(lengths(once)) / 2, rtol=1e-6)
    marked = predict(f'<speak><break time="1s"/>{text}<break time="700ms"/></speak>', speaking_rate=2.0)
    assert lengths(marked, spoken=False) == [pytest.approx(1.1), pytest.approx(0.9)]
    slow = predict(f'<speak><prosody rate="50%">{text}</prosody></speak>')
    np.testing.assert_allclose(lengths(slow), 2 * np.array(lengths(once)), rtol=1e-6)
    assert predict('<speak><break time="2s"/></speak>').duration == 2
    assert predict(plain_pieces(text)) == once
    with pytest.raises(ValueError, match="nothing to say"):
        predict("…")


def test_only_the_phones_count_not_their_times(pipe):
    nominal = pipe.tokenizer.timeline("The quick brown fox.", "en-us")
    stretched = [(p.label, 3 * p.start, 3 * p.end) for p in nominal.phones]
    other = type(nominal).from_phones(stretched)
    ours = (predict_seconds(pipe.viseme_encoder, pipe.tokenizer, timeline) for timeline in (nominal, other))
    np.testing.assert_allclose(*ours, rtol=1e-5)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en-us", "Mmm. Strengths! A, I, 1234567890; antidisestablishmentarianism, no, no."),
        ("de", "Der Geschwindigkeitsmesser zeigte hundertzwanzig, doch niemand sprach darüber."),
        ("hi", "कल शाम हम लोग नदी के किनारे बहुत देर तक टहलते रहे।"),
        ("ja", "きのうのよる、ともだちとうみのそばをながいあいだあるきました。"),
        ("fi", "Huomenna aamulla lähdemme järvelle kalastamaan. " * 20),
    ],
)
def test_open_text_stays_sensible(predict, language, text):
    timeline = predict(text, language)
    spoken = lengths(timeline)
    assert min(spoken) > PHONE_RANGE[0] and max(spoken) < PHONE_RANGE[1]  # without being cut
    assert 0.05 < np.mean(spoken) < 0.15
    assert np.mean(spoken[: len(spoken) // 2]) == pytest.approx(np.mean(spoken[len(spoken) // 2 :]), rel=0.35)
