"""The demo in a browser: a sentence, a bad file, a stop, the keyboard, a phone, and nothing from elsewhere."""

import json
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from scipy.io.wavfile import write as write_wav

from text2lip.exports.clip import Clip
from text2lip.speech import read_timeline


ROOT = Path(__file__).parents[2]
pytest.importorskip("gradio")
pytest.importorskip("matplotlib")

from text2lip.demo import page as demo_page  # noqa: E402
from text2lip.demo.server import launch  # noqa: E402


CLIP = dict.fromkeys(("frames", "visemes", "phones", "words"), []) | {"num_frames": 25, "fps": 25.0}
CLIP |= {"size": (64, 64), "landmarks": np.zeros((25, 478, 2)), "motion_plan": None}
HOME = re.compile(r"(http|ws)://(127\.0\.0\.1|localhost)[:/]|data:|blob:")


def text_box(page):
    return page.get_by_label("Text", exact=False).first


def upload(page, path):
    page.locator("#face input[type=file]").set_input_files(path)
    page.locator(f'#face img[src*="{path.name}"]').wait_for(state="attached")


def widths(page):
    return page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")


def download(page, label, folder):
    with page.expect_download() as coming:
        page.get_by_role("button", name=label).or_(page.get_by_role("link", name=label)).first.click()
    coming.value.save_as(folder / coming.value.suggested_filename)
    return folder / coming.value.suggested_filename


@pytest.mark.slow
def test_a_sentence_and_a_picture_become_a_film_with_all_that_belongs_to_it(
    page, asked, reached, small_portrait, tmp_path
):
    text_box(page).fill("Maybe Bob.")
    upload(page, small_portrait)
    page.locator("#make").click()
    page.locator("#film video").wait_for()
    film = download(page, "Video (mp4)", tmp_path)
    check = [sys.executable, ROOT / "utils/check_video.py", film, "--sound"]
    told = subprocess.run(check, capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    times = download(page, "Times (json)", tmp_path)
    seconds = json.loads(times.read_text())["duration"]
    assert f"192x192, {round(seconds * 25)} frames, 25 fps" in told.stdout
    assert page.evaluate("document.querySelector('#film video').duration") == pytest.approx(seconds, abs=0.1)
    assert [word.label for word in read_timeline(times).words] == ["Maybe", "Bob."]
    assert "Maybe Bob." in download(page, "Subtitles (srt)", tmp_path).read_text()
    rows = download(page, "ARKit (csv)", tmp_path).read_text().splitlines()
    assert len(rows) > 10 and "JawOpen" in rows[0]
    assert download(page, "Head in 3D (glb)", tmp_path).read_bytes()[:4] == b"glTF"
    assert download(page, "Sound (wav)", tmp_path).read_bytes()[:4] == b"RIFF"
    assert page.locator("#status [role=status]").inner_text().startswith(f"{seconds:.1f} s of video.")
    shown = {text.strip() for text in page.locator("#timeline svg text").all_text_contents()}
    assert {"Maybe", "Bob.", "PP", "lip gap", "sound"} <= shown
    head, clicked = page.locator("#timeline .head"), page.locator("#timeline .time")
    box = clicked.bounding_box()
    clicked.click(position={"x": box["width"] / 2, "y": 30})
    assert 0 < page.evaluate("document.querySelector('#film video').currentTime") < seconds
    assert head.is_visible()

    page.set_viewport_size({"width": 390, "height": 844})
    page.get_by_text("More choices").click()
    page.get_by_label("Speaking rate").first.wait_for()
    wide, seen = widths(page)
    assert wide <= seen
    foreign = [url for url in asked if not HOME.match(url)]
    assert asked and foreign == []
    hosts = {str(address[0]) for address in reached if isinstance(address, tuple)}
    assert hosts <= {"127.0.0.1", "::1", "localhost", "0.0.0.0"}, "the server has called somebody"


@pytest.mark.slow
def test_what_can_t_be_used_is_told_in_words(page, tmp_path):
    (tmp_path / "letter.png").write_text("no picture")
    page.locator("#face input[type=file]").set_input_files(tmp_path / "letter.png")
    page.locator('#face img[src*="letter"]').wait_for(state="attached")
    page.locator("#make").click()
    alert = page.locator("#status [role=alert]")
    alert.wait_for()
    assert alert.inner_text().startswith("Face: 'letter.png' is not a picture in a format known here")
    page.locator("#face").get_by_role("button", name="Capture from camera").click()
    page.get_by_text("Click to Access Webcam").click()
    page.wait_for_function("document.querySelector('#face video')?.currentTime > 0.2")  # before, it shows nothing
    page.locator("#face").get_by_role("button", name="capture photo").click()
    page.locator('#face img[src*="image"]').wait_for(state="attached")
    page.locator("#make").click()
    page.get_by_text(re.compile(r"Face: none found in the picture \(\d+x\d+ pixels\); give one that")).wait_for()
    text_box(page).fill("  ")
    page.locator("#make").click()
    page.get_by_text("Text: empty; type what is to be said.").wait_for()
    page.get_by_role("button", name="Person 2, who does not exist").click()
    page.locator('#face img[src*="letter"]').wait_for(state="detached")
    assert not page.locator("#film").is_visible()
    assert page.locator("text=Traceback").count() == 0


@pytest.mark.slow
def test_a_turned_photograph_own_speech_and_more_pictures_of_the_person(page, portrait, small_portrait, tmp_path):
    turned, exif = np.rot90(portrait), Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    Image.fromarray(turned[:, :224]).save(tmp_path / "phone.jpg", exif=exif)
    for name in ("one.webp", "two.avif"):
        Image.fromarray(portrait).save(tmp_path / name)
    sound = np.sin(np.arange(16000) * (0.05 + 0.02 * np.sin(np.arange(16000) / 900))) * np.hanning(16000) * 0.4
    write_wav(tmp_path / "me.wav", 16000, (sound * 32767).astype(np.int16))
    upload(page, tmp_path / "phone.jpg")
    text_box(page).fill(" ")
    page.get_by_text("More choices").click()
    page.get_by_label("Speaking rate").first.wait_for()
    _, more, speech = page.locator("#more input[type=file]").all()
    more.set_input_files([tmp_path / "one.webp", tmp_path / "two.avif"])
    speech.set_input_files(tmp_path / "me.wav")
    page.locator('#more a[href*="two.avif"]').wait_for()
    page.locator("#more").get_by_role("button", name="Play").first.wait_for()
    assert page.get_by_role("button", name=re.compile("share", re.I)).count() == 0
    page.locator("#make").click()
    page.get_by_text("No words are known, so the lips follow the sound alone.").wait_for()
    page.get_by_text("No Subtitles (srt): no words are known.").wait_for()
    film = page.locator("#film video").evaluate("film => [film.videoWidth, film.videoHeight, film.duration]")
    assert film == [256, 224, pytest.approx(1.0, abs=0.1)]


@pytest.mark.slow
def test_visitors_wait_for_each_other_and_who_leaves_holds_up_nobody(browser, make_stream, gate):
    pipe = SimpleNamespace(stream=lambda **asked: gate.wait(60) and make_stream([]))
    demo = launch(pipe)
    first, second = (browser.new_page() for _ in range(2))
    for page in (first, second):
        page.set_default_timeout(60_000)
        page.goto(demo.local_url)
        page.locator("#make").click()
        page.locator("#make[disabled]").wait_for()
    second.get_by_text("One other video is made before yours …").wait_for()
    first.locator("#stop").click()
    first.get_by_text("Stopping …").wait_for()
    first.reload()
    first.get_by_role("button", name="Make the video").wait_for()
    assert first.locator("#make").is_enabled() and first.locator("#status").inner_text() == ""
    gate.set()
    second.locator("#film video").wait_for()
    for page in (first, second):
        page.close()
    demo.close(verbose=False)


@pytest.mark.slow
def test_stop_stops(page):
    text_box(page).fill("This is a long sentence, which is there to be stopped before it comes to its end. " * 3)
    assert page.locator("#stop").is_disabled()
    page.locator("#make").click()
    page.get_by_text(re.compile(r"Frame \d+ of \d+, about .* left")).wait_for()
    page.locator("#stop").click()
    page.get_by_text("Stopped. No video was written.").wait_for(timeout=20_000)
    assert page.locator("#stop").is_disabled() and not page.locator("#film").is_visible()


@pytest.mark.slow
def test_by_keyboard_alone(page, small_portrait):
    upload(page, small_portrait)
    page.evaluate("document.activeElement.blur()")
    focused = "[document.activeElement.tagName, document.activeElement.id, document.activeElement.innerText || '']"
    way = []
    for _ in range(30):
        page.keyboard.press("Tab")
        way.append(page.evaluate(focused))
        if way[-1][0] == "TEXTAREA":
            page.keyboard.press("Control+A")
            page.keyboard.type("Bob.")
        elif way[-1][1] == "make":
            break
    assert way[-1][1] == "make" and any(tag == "TEXTAREA" for tag, *_ in way), way
    page.keyboard.press("Enter")
    page.locator("#film video").wait_for()
    for _ in range(30):
        page.keyboard.press("Tab")
        if "More choices" in page.evaluate(focused)[2]:
            break
    page.keyboard.press("Enter")
    page.get_by_label("Speaking rate").first.wait_for()


def call(**asked):
    given = dict.fromkeys((*demo_page.LABELS, "film"))
    given |= {"prompt": "Hi.", "image": "a.png", "voice": "default", "renderer": "Automatic", "speaking_rate": 1.3}
    return demo_page.call_of(**given | asked)


def test_what_is_asked_of_the_pipeline():
    plain = call()
    assert (plain["prompt"], plain["image"], plain["voice"], plain["renderer"]) == ("Hi.", "a.png", "default", None)
    assert (plain["expression"], plain["reference"], plain["audio"], "film" in plain) == (None, None, None, False)
    assert call(film="b.mp4")["image"] == "b.mp4" and call(voice="none")["voice"] is None
    assert call(reference=["a.png"])["reference"] == "a.png"
    assert call(reference=["a.png", "b.png"])["reference"] == ["a.png", "b.png"]
    heard = call(audio="a.wav", prompt=" ", voice="espeak")
    assert (heard["prompt"], heard["voice"], heard["speaking_rate"]) == (None, "default", 1.0)
    for wrong in ({"prompt": None}, {"image": None}):
        with pytest.raises(ValueError, match="text: empty|face: none"):
            call(**wrong)


def test_what_a_text_costs_is_told_and_a_very_long_one_refused():
    asked = {"audio": None, "speaking_rate": 1.0}
    long, short, tags = "Where is the train? " * 60, "Hello.", "<speak>" * 300
    assert demo_page.seconds_of(asked | {"prompt": long}) == 80
    assert demo_page.seconds_of(asked | {"prompt": long, "speaking_rate": 2}) == 40
    assert demo_page.seconds_of(asked | {"prompt": tags}) == 0 == demo_page.seconds_of({"prompt": long, "audio": "a"})
    assert demo_page.seconds_of(asked | {"prompt": "早安" * 50}) == 20
    assert demo_page.preparing(asked | {"prompt": long}).endswith("… The text takes about 80 s to say.")
    assert demo_page.preparing(asked | {"prompt": short}).endswith("face …")
    told = "text: to say its 5,999 characters takes about 7 min, here it may be 6 min. Shorten it"
    with pytest.raises(ValueError, match=told):
        call(prompt=long * 5, speaking_rate=1.0)
    assert demo_page.seconds_of(asked | {"prompt": f"a < {long} >"}) > 80  # no tag outside SSML
    for rate in (None, 0, "2"):  # the pipeline tells
        assert demo_page.seconds_of(asked | {"prompt": long, "speaking_rate": rate}) == 0
    told = "text: 13,000 characters, here it may have 12,000. Shorten it"
    for more in ({}, {"audio": "a.wav"}):
        with pytest.raises(ValueError, match=told):
            call(prompt='<break time="10s"/> ' * 649 + '<break time="10s" />', **more)
    assert call(prompt=long * 5, audio="a.wav")["prompt"]


def test_a_huge_picture_is_made_smaller_and_that_is_told(tmp_path):
    path, film = str(tmp_path / "a.png"), str(tmp_path / "a.mp4")
    for mode in ("RGB", "RGBA", "L"):
        Image.new(mode, (2000, 1000)).save(path)
        smaller, told = demo_page.fitted(path)
        assert smaller.shape == (640, 1280, 3)
        assert told == "Face: made smaller, 2000x1000 to 1280x640 pixels; the command keeps up to 4096."
    Image.new("RGB", (1280, 900)).save(path)
    Path(film).write_bytes(b"no film")
    assert demo_page.fitted(path) == (path,) and demo_page.fitted(film) == (film,)


def test_pictures_of_phones_are_made_smaller_as_they_are_turned(tmp_path):
    path, exif = tmp_path / "a.jpg", Image.Exif()
    exif[0x0112] = 6
    wide = Image.new("RGB", (3000, 2000), (200, 90, 30))
    wide.save(path, "MPO", save_all=True, append_images=[wide], exif=exif)  # a second picture, and no animation
    smaller, told = demo_page.fitted(str(path))
    assert smaller.shape == (1280, 853, 3) and "2000x3000 to 853x1280" in told
    assert np.abs(smaller.astype(int) - (200, 90, 30)).max() < 3
    wide.save(tmp_path / "b.gif", save_all=True, append_images=[Image.new("RGB", wide.size)])
    assert demo_page.fitted(str(tmp_path / "b.gif")) == (str(tmp_path / "b.gif"),)


def test_a_picture_that_would_fill_the_memory_is_refused_by_its_header(tmp_path, monkeypatch):
    monkeypatch.setattr(demo_page, "from_pil", lambda *given: pytest.fail("it was decoded"))
    Image.new("L", (9000, 6000)).save(tmp_path / "a.jpg")
    with pytest.raises(ValueError, match="face: 9000x6000 pixels, here it may have 50 million. Make it smaller"):
        demo_page.fitted(str(tmp_path / "a.jpg"))


def test_a_clip_that_turns_out_too_long_is_refused_before_its_frames_are_drawn(gate, small_portrait):
    closed, notes = [], []

    def stream(**asked):
        return SimpleNamespace(num_frames=51_000, fps=25.0, close=lambda: closed.append(True), asked=asked)

    asked = {"image": str(small_portrait), "audio": None}
    with pytest.raises(ValueError, match="text or film: 2040 s long, here it may be 360 s. Shorten it"):
        demo_page.begun(SimpleNamespace(stream=stream), asked, notes)
    assert closed == [True] and notes == []
    asked |= {"audio": "a.wav"}
    assert demo_page.begun(SimpleNamespace(stream=stream), asked, notes).asked == asked


def test_a_line_that_is_too_long_takes_no_more(gate, make_stream):
    line = [demo_page.ClipJob(lambda: make_stream([]))] * demo_page.LONGEST_LINE
    with pytest.raises(ValueError, match="20 other videos wait .* Try again"):
        demo_page.check_line(line)
    demo_page.check_line(line[1:])
    gate.set()
    line[0].clean()


def test_files_that_a_clip_can_t_have_are_told(tmp_path):
    heard = {"audio": np.zeros(16000, np.float32), "sampling_rate": 16000, "times_from": "sound"}
    silent = {"audio": None, "sampling_rate": None, "times_from": "timings"}
    for more, there, told in ((heard, ".wav", "srt csv glb"), (silent, ".srt", "csv glb wav")):
        job = SimpleNamespace(folder=tmp_path, video=tmp_path / "text2lip.mp4", clip=Clip(**CLIP | more), notes=[])
        files, missing = demo_page.files_of(job)
        assert list(files) == [".mp4", ".json", there] and Path(files[there]).exists()
        assert re.findall(r"\((\w+)\)", " ".join(missing)) == told.split()
        assert all(line in demo_page.made(job, *missing).replace("&#x27;", "'") for line in missing)


@pytest.mark.parametrize("error", (OSError("the disk is full."), ValueError("output: 'x' can't be written.")))
def test_a_file_that_fails_says_why(tmp_path, monkeypatch, error):
    def fail(path, clip):
        raise error

    clip = Clip(**CLIP | {"audio": np.zeros(16000, np.float32), "sampling_rate": 16000, "times_from": "sound"})
    job = SimpleNamespace(folder=tmp_path, video=tmp_path / "text2lip.mp4", clip=clip, notes=[])
    monkeypatch.setattr(demo_page, "write_clip", fail)
    files, missing = demo_page.files_of(job)
    assert ".wav" not in files and missing[-1] == f"No Sound (wav): {str(error).replace('output', 'Video')}"


def test_a_film_is_shown_though_what_belongs_to_it_fails(tmp_path, monkeypatch, capsys):
    clip = SimpleNamespace(duration=1.0, times_from="voice")
    job = SimpleNamespace(folder=tmp_path, video=tmp_path / "text2lip.mp4", clip=clip, notes=[])
    monkeypatch.setattr(demo_page, "files_of", lambda job: 1 / 0)
    files, line, words = demo_page.results_of(job, ["Made smaller."])
    assert files == {".mp4": str(job.video)} and line == ""
    assert (
        "1.0 s of video." in words
        and "Made smaller." in words
        and 'role="alert"' in words
        and "ZeroDivisionError" in words
    )
    assert "Traceback" in capsys.readouterr().err


def test_errors_are_in_the_words_of_the_page_and_tell_no_paths():
    told = demo_page.told(ValueError("speaking_rate: '/tmp/x/y/a.png' of `image`; give language='zh' <b>"))
    assert "Speaking rate: &#x27;a.png&#x27; of Face; give Language zh &lt;b&gt;" in told and 'role="alert"' in told
    assert demo_page.in_labels("C2PA: made in /home/me/.config/a.pem, once; see https://a.b/c/d and 1/2.") == (
        "C2PA: made in a.pem, once; see https://a.b/c/d and 1/2."
    )
    assert "KeyError: &#x27;x&#x27;. This should not happen" in demo_page.told(KeyError("x"))


def test_what_is_not_installed_is_not_offered(monkeypatch):
    def offered():
        with demo_page.gr.Blocks():
            parts = demo_page.more_choices()
        return {value for name in ("voice", "expression") for _, value in parts[name].choices}

    for there in (False, True):
        for name in ("kokoro_is_installed", "vader_is_installed"):
            monkeypatch.setattr(demo_page, name, lambda there=there: there)
        assert {"default", "happy"} <= offered() and ({"kokoro", "auto"} & offered() == {"kokoro", "auto"}) == there
