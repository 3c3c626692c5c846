import numpy as np
import pytest

from text2lip.text import feeling_marks as module
from text2lip.text.feeling_marks import feeling_marks, guessed_feeling, read_feeling, style_feeling, unknown_tags
from text2lip.text.normalize import normalize_text
from text2lip.text.ssml import parse_ssml


@pytest.mark.parametrize(
    "written, feeling",
    [
        ("happy", {"happy": 1}),
        ("Happy 0.6, surprised 0.4", {"happy": 0.6, "surprised": 0.4}),
        ({"sad": 2, "angry": 0}, {"sad": 2}),
        ({"sad": np.float32(0.5)}, {"sad": 0.5}),
        ("happy 0,5, sad 1,2", {"happy": 0.5, "sad": 1.2}),
        ("neutral", {}),
        (None, {}),
    ],
)
def test_feelings_as_they_are_written(written, feeling):
    assert read_feeling(written) == feeling


@pytest.mark.parametrize(
    "written, message",
    [
        ("jolly", "'jolly'; choose of neutral, happy"),
        ({"happy": 3}, "happy of strength 3; wants one from 0 to 2"),
        ({"happy": True}, "strength True"),
        ("happy -1", "happy of strength -1.0; wants one from 0 to 2"),
        ("hapy", "'hapy'; did you mean 'happy'?"),
        (5, "got int"),
    ],
)
def test_feelings_that_are_none(written, message):
    with pytest.raises(ValueError, match=message):
        read_feeling(written)


def test_tags_hold_until_the_next_and_are_not_spoken():
    text = "Well. [happy 0.5] I came. [neutral] I *saw* it."
    happy, neutral, emphasis = feeling_marks(text)
    assert text[happy.start : happy.end].strip() == "I came." and happy.feeling == {"happy": 0.5}
    assert neutral.feeling == {} and text[emphasis.start : emphasis.end] == "saw" and emphasis.feeling is None
    assert normalize_text(text) == "Well. I came. I saw it."
    assert normalize_text("[sic] and [happy birthday]") == "[sic] and [happy birthday]"


@pytest.mark.parametrize("tag, strength", [("[happy 3]", "3.0"), ("[happy -0.5]", "-0.5")])
def test_a_strength_out_of_range_names_its_tag(tag, strength):
    message = rf"prompt: \{tag[:-1]}\]: happy of strength {strength}; wants one from 0 to 2"
    with pytest.raises(ValueError, match=message):
        feeling_marks(f"Well. {tag} I came.")


def test_bracketed_words_that_are_no_feelings_are_told():
    (told,) = unknown_tags("[hapy] Hi. [happy] There. [hapy] Again.")
    assert told == "[hapy] is no feeling and is spoken; did you mean [happy]?"
    (told,) = unknown_tags("He [laughs] and [sad 0,5] goes.")
    assert told.startswith("[laughs] is no feeling and is spoken; there are [neutral], [happy], [sad]")
    assert unknown_tags("[hapy 0.5] Hi.")
    assert not unknown_tags("See [here](x.org), a[index], [1], [happy birthday], - [x] done, [[hElO]].")


@pytest.mark.parametrize("tag", ["[very happy]", "[a little sad]", "[happy and surprised]"])
def test_tags_of_several_words_that_would_be_spoken_are_told(tag):
    (told,) = unknown_tags(f"{tag} Hi. {tag} There.")
    assert told.startswith(f"{tag} is no tag and is spoken; a number says how much")


def test_other_words_in_brackets_are_not_told():
    assert not unknown_tags(
        "[happy birthday] [happy, surprised] [sad happy] [and so on] a[very happy] [very sad](x.org)"
    )


def test_emoji_are_of_their_sentence():
    (mark,) = feeling_marks("I lost. 😢")
    assert mark.sentence and mark.feeling == {"sad": 1}


def test_ssml_has_azures_styles():
    xml = (
        '<speak xmlns:mstts="https://www.w3.org/2001/mstts">Über &amp; <mstts:express-as style="cheerful" '
        'styledegree="1.5">great <emphasis>news</emphasis></mstts:express-as> here.</speak>'
    )
    happy, emphasis = feeling_marks(xml, ssml=True)
    assert happy.feeling == {"happy": 1.5} and xml[happy.start : happy.end].startswith("<mstts:express-as")
    assert xml[emphasis.start : emphasis.end] == "<emphasis>news"
    assert [piece.text for piece in parse_ssml(xml)] == ["Über and great news here."]
    assert style_feeling({"style": "customerservice"}) == {}


@pytest.mark.parametrize("attributes", ["", 'style="sad" styledegree="3"'])
def test_ssml_that_azure_refuses_too(attributes):
    with pytest.raises(ValueError, match="express-as"):
        parse_ssml(f'<speak xmlns:m="m"><m:express-as {attributes}>No.</m:express-as></speak>')


def test_whether_vader_is_installed(monkeypatch):
    for there in ({"vaderSentiment"}, set()):
        monkeypatch.setattr(module, "find_spec", lambda name, there=there: name in there or None)
        assert module.vader_is_installed() == bool(there)


def test_vader_guesses_and_knows_neutral():
    pytest.importorskip("vaderSentiment")
    assert guessed_feeling("I love this wonderful day!")["happy"] > 0.5
    assert guessed_feeling("He died, and it was terrible.")["sad"] > 0.5
    assert guessed_feeling("The table is in the kitchen.") == {}
