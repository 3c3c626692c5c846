"""Who is followed: known from a few looks, looked at now and then, found among others."""

from types import SimpleNamespace

import numpy as np
import pytest

from text2lip.faces import person as module
from text2lip.faces.person import CHECKED, VIEWS, Person, stretches
from text2lip.faces.topology import canonical_mesh


IMAGE = np.zeros((8, 8, 3), np.uint8)


@pytest.fixture
def looks(monkeypatch):
    """Faces are numbers: their own vectors, and how far they are turned; counts how many are encoded."""
    seen = SimpleNamespace(turn=0.0, encoded=0)

    def encode(chips):
        seen.encoded += len(chips)
        return np.float32([[chip, 0] for chip in chips])

    monkeypatch.setattr(module, "face_chip", lambda image, points: points)
    monkeypatch.setattr(module, "turn_of", lambda points: seen.turn)
    monkeypatch.setattr(module, "encode", encode)
    return seen


@pytest.mark.parametrize("change", [3, CHECKED, CHECKED + 5])
def test_the_frame_at_which_the_face_becomes_another_ones_is_found(looks, change):
    person = Person()
    person.begin(100)
    for when in range(2 * CHECKED + 1):
        since = person.left(when, IMAGE, 0.1 if when < change else 1.0)
        if since is not None:
            break
    assert since == change and when - change < CHECKED and looks.encoded < 16
    assert person.others[: when - change] == list(range(100 + change, 100 + when))


def test_a_head_turned_away_is_not_judged(looks):
    person = Person()
    person.left(0, IMAGE, 0.0)
    looks.turn = 0.8
    assert all(person.left(number, IMAGE, 1.0) is None for number in range(1, 40))
    looks.turn = 0.1
    assert person.left(40, IMAGE, 0.0) is None and looks.encoded == 2


def test_only_the_first_shot_teaches_how_the_person_looks(looks):
    person = Person()
    for number in range(200):
        person.left(number, IMAGE, 0.1)
    assert len(person.views) == VIEWS
    other = Person()
    other.left(0, IMAGE, 0.1)
    other.begin(50)
    assert other.find(0, IMAGE, [3.0, 0.2, 0.4]) == 1
    for number in range(1, 60):
        other.left(number, IMAGE, 0.2)
    assert len(other.views) == 1


def test_strangers_are_looked_at_ever_more_seldom(looks):
    person = Person()
    person.left(0, IMAGE, 0.0)
    person.begin(10)
    tried = [number for number in range(30) if not person.waits(number) and person.find(number, IMAGE, [2.0]) is None]
    assert tried == [0, 1, 3, 7, 15, 23] and person.others == list(range(10, 40)) and person.nearest == 2
    person.begin(40)
    assert not person.waits(0)


def head(turn, x=100.0, size=10.0):
    """A head's points (468, 3), pixels, turned to the side by `turn` degrees, its middle at `x`."""
    c, s = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    points = size * canonical_mesh()[0].astype(np.float64) * (1, -1, -1)
    return points @ np.float64([[c, 0, s], [0, 1, 0], [-s, 0, c]]).T + (x, 80, 0)


@pytest.fixture
def profile(monkeypatch):
    """A person last seen in frame 9, turned by 45 degrees; what is seen from now on looks like nobody known."""
    monkeypatch.setattr(module, "face_chip", lambda image, points: points)
    far = {"is": 0.0}
    monkeypatch.setattr(module, "encode", lambda chips: np.float32([[far["is"], 0]] * len(chips)))
    person = Person()
    person.left(0, IMAGE, head(0))
    for number in range(1, 10):
        person.left(number, IMAGE, head(5 * number))
    far["is"] = 1.0
    return person


@pytest.mark.parametrize("cut", [False, True])
def test_a_head_in_profile_that_is_lost_for_a_frame_is_the_same_person(profile, cut):
    if cut:
        profile.begin(10)
    number = 0 if cut else 11
    assert profile.find(number, IMAGE, [head(48, x=104.0)]) == 0 and not profile.others
    for later in range(1, 30):
        assert profile.left(number + later, IMAGE, head(48)) is None
    since = profile.left(number + 30, IMAGE, head(0))  # it turns round, and is somebody else
    first = profile.start + number
    assert since == number and profile.others == list(range(first, first + 30))


@pytest.mark.parametrize(
    ("number", "faces"),
    [(11, [head(0)]), (11, [head(-45)]), (11, [head(45, x=300.0)]), (11, [head(45, size=30.0)]),
     (11, [head(45), head(45, x=300.0)]), (60, [head(45)])],
    ids=["facing", "turned the other way", "elsewhere", "much larger", "two faces", "much later"],
)  # fmt: skip
def test_another_face_than_the_one_that_was_lost_is_judged(profile, number, faces):
    assert profile.find(number, IMAGE, faces) is None and profile.others == [number]


def test_the_same_person_in_another_film_has_the_looks_alone(looks):
    person = Person(index=2)
    person.left(0, IMAGE, 0.1)
    person.find(1, IMAGE, [2.0])
    again = person.anew()
    assert again.known and (again.index, again.others, again.nearest, again.last) == (2, [], float("inf"), None)
    again.left(1, IMAGE, 0.1)
    again.meet(IMAGE, 0.2)
    assert len(person.views) == 1


def test_stretches_of_time():
    assert stretches([], 25, 0.2, 0.4) == []
    numbers = [*range(10, 15), *range(17, 20), 50, *range(100, 125)]
    assert stretches(numbers, 25, 0.2, 0.4) == [(0.4, 0.8), (4.0, 5.0)]


@pytest.mark.parametrize(
    ("who", "match"),
    [("nowhere.png", "`face_index` must be an index, a box .*, a picture of the person or 'any': no file at 'nowhere"),
     (np.zeros((64, 64, 3), np.uint8), "face_index: no face in that picture")],
)  # fmt: skip
def test_pictures_that_show_nobody(who, match):
    with pytest.raises(ValueError, match=match):
        Person.of(who, SimpleNamespace(locate_all=lambda picture: []))
