"""The command: files, messages, exit codes, and nothing left behind."""

import contextlib
import gc
import io
import os
import re
import signal
import subprocess
import sys
import time
import warnings

import pytest
from PIL import Image

from text2lip import cli
from text2lip.media.video import read_frames, video_info


@pytest.fixture
def say(portrait_file, tmp_path, monkeypatch, capsys):
    """Run the command in an empty folder: (exit code, standard output, standard error)."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments, image=portrait_file):
        given = [*map(str, arguments), *(["--image", str(image)] if image else [])]
        try:
            code = cli.main(given)
        except SystemExit as stop:
            code = stop.code
        return code, *capsys.readouterr()

    return run


def command(*arguments, **more):
    return subprocess.Popen(
        [sys.executable, "-m", "text2lip.cli", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **more,
    )


def test_a_sentence_becomes_a_video_with_sound_and_subtitles(say, tmp_path):
    code, out, err = say("Hello Bob.", "-o", "a.mp4", "-s", "a.srt", "--fps", 20)
    assert (code, out) == (0, "")
    bar = r"(?:.*\r.*\n?)?"  # of a machine that needs over two seconds
    assert re.fullmatch(rf"\d\.\d s of speech, \d+ frames\.\n{bar}Wrote a\.mp4: .* s of video in .* s\.\n", err)
    assert sorted(os.listdir(tmp_path)) == ["a.mp4", "a.srt"]
    assert video_info(tmp_path / "a.mp4").fps == 20
    assert len(list(read_frames(tmp_path / "a.mp4"))) == int(err.split(",")[1].split()[0])
    assert "Hello Bob" in (tmp_path / "a.srt").read_text()


def test_quiet_is_quiet(say):
    assert say("Hi.", "--quiet", "--voice", "none") == (0, "", "")
    assert os.path.exists("text2lip.mp4")


def test_text_from_a_file_and_from_standard_input(say, tmp_path, monkeypatch):
    (tmp_path / "text.txt").write_text("Grüß Gott.", encoding="utf-8")
    assert say("--file", "text.txt", "-l", "de", "-q")[0] == 0
    monkeypatch.setattr(sys, "stdin", io.StringIO("From a pipe."))
    assert say("-f", "-", "-q", "-s", "b.vtt")[0] == 0
    assert "From a pipe" in (tmp_path / "b.vtt").read_text()


SRT = "1\r\n00:00:00,500 --> 00:00:01,500\r\n<i>Hello Bob.</i>\r\n\r\n2\n00:00:01,500 --> 00:00:02,000\nHi, Ann\n"


def read_file(tmp_path, raw, name="text.txt"):
    (tmp_path / name).write_bytes(raw)
    return cli.given_text(cli.build_parser().parse_args(["--file", str(tmp_path / name)]))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_text_in_any_unicode_encoding(tmp_path, encoding):
    assert read_file(tmp_path, "<speak>Grüß</speak>".encode(encoding)) == "<speak>Grüß</speak>"


def test_a_declared_encoding_is_obeyed_and_others_are_named(tmp_path):
    xml = '<?xml version="1.0" encoding="cp1252"?><speak>Grüß</speak>'
    assert read_file(tmp_path, xml.encode("cp1252")) == xml
    for raw, message in (
        ("Grüß".encode("cp1252"), r"--file: .* is no text in utf-8 .byte 2: .*such as cp1252.: save it as UTF-8"),
        ("Hello".encode("utf-16-le") + b"\xd8", "utf-16 without a byte-order mark"),
        (b'<?xml version="1.0" encoding="volapuk"?><speak/>', "encoding 'volapuk', which is unknown"),
    ):
        with pytest.raises(ValueError, match=message):
            read_file(tmp_path, raw)


def test_subtitles_are_spoken_at_their_times(say, tmp_path):
    (tmp_path / "cues.srt").write_text(SRT)
    for given in (["--file", "cues.srt"], ["--timings", "cues.srt"], ["--file", "cues.srt", "--timings", "cues.srt"]):
        code, _, err = say(*given, "-v", "espeak", "-s", "again.srt", "--renderer", "geometric")
        assert code == 0 and err.startswith("2.1 s of speech, 53 frames. 2 cues, at paces from 0.80 (cue 1) to 1.25")
        assert "00:00:00,500 --> 00:00:01,500\nHello Bob." in (tmp_path / "again.srt").read_text()


def test_subtitles_that_are_late_are_told(say, tmp_path):
    (tmp_path / "cues.srt").write_text(SRT.replace("Hello Bob", "Hello Bob, my uncle and his five brothers"))
    err = say("--timings", "cues.srt", "-v", "espeak", "--renderer", "geometric")[2]
    assert re.search(r"^text2lip: warning: --timings: .* begins later: cue 2 at .* s instead of 1.50 s.$", err, re.M)


def test_texts_that_are_read_badly_are_told(capsys):
    from text2lip.text.readers import spelled_words

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as the command does
        cli.telling(lambda: [spelled_words(text, "he") for text in ("שלום עולם", "עולם")])
    err = capsys.readouterr().err
    assert (
        err.startswith("text2lip: warning: text: Hebrew is read without most of its vowels") and err.count("\n") == 1
    )


def test_own_audio_and_own_times(say, tmp_path):
    assert say("Bin blue at F two now.", "-o", "voice.mp4", "-q")[0] == 0
    assert say("Bin blue at F two now.", "-a", "voice.mp4", "-o", "again.mp4", "-q")[0] == 0
    (tmp_path / "times.json").write_text('[["m", 0.0, 0.2], ["a", 0.2, 0.4]]')
    code, _, err = say("--timings", "times.json", "-o", "timed.mp4")
    assert code == 0 and err.startswith("0.4 s of speech, 10 frames")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "text: give one, in quotes"),
        (["Hi.", "--file", "a.txt"], "text: give one, in quotes"),
        (["--file", "missing.txt"], "--file: can't read 'missing.txt'"),
        (["--file", "/"], "--file: can't read '/' as text .[A-Z][a-z ]+.; check"),
        (["Hi.", "-o", "a_%d_%d.png"], "--output: 'a_%d_%d.png' has 2 places for a number"),
        ([" "], "text: empty; give"),
        (["?!"], "text: nothing in '\\?!' can be spoken"),
        (["Hi.", "-o", "a.avi"], "--output: 'a.avi' should end in .mp4"),
        (["Hi.", "-o", "no/a.mp4"], "--output: no folder"),
        (["Hi.", "-o", "x" * 300 + ".mp4"], "--output: .*choose another place"),
        (["Hi.", "-s", "a.doc"], "--subtitles: 'a.doc' should end in .srt or .vtt"),
        (["Hi.", "-s", "no/a.srt"], "--subtitles: no folder"),
        (["Hi.", "-a", "no.wav"], "--audio: no file 'no.wav'"),
        (["Hi.", "-a", "https://a.b/c.wav"], "--audio: 'https://a.b/c.wav' is an address; download it first"),
        (["Hi.", "--timings", "no.json"], "--timings: no file 'no.json'"),
        (["Hi.", "--reference", "no.mp4"], "--reference: no file 'no.mp4'"),
        (["Hi.", "--reference", "{image}", "--renderer", "geometric"], "--reference: .*, but this renderer"),
        (["Hi.", "-l", "xx"], "--language: 'xx' is not one"),
        (["Hi.", "-v", "nobody"], "--voice: no voice 'nobody'; choose one of"),
        (["Hi.", "-r", "9"], "--rate: got 9.0; wants a number from"),
        (["Hi.", "-r", "nan"], "--rate: nan; wants"),
        (["Hi.", "-e", "3"], "--expressiveness: 3.0; wants a number from 0 to 2"),
        (["Hi.", "--fps", "0"], "--fps: 0.0; wants a number from 1"),
        (["Hi.", "--face", "4"], "--face is 4, but"),
        (["Hi.", "--device", "abacus"], "--device: 'abacus' can't be used"),
        (["Hi.", "--device", "cuda:99"], "--device: 'cuda:99' can't be used"),
        (["Hi.", "--device", "meta"], "--device: 'meta' can't be used .tensors have no data there"),
        (["Hi.", "--model", "nobody"], "--model: 'nobody' is no folder and not built in; choose text2lip-grid"),
    ],
)
def test_wrong_input_is_one_line_and_code_2(say, tmp_path, portrait_file, arguments, message):
    code, out, err = say(*(argument.format(image=portrait_file) for argument in arguments))
    assert (code, out) == (2, "")
    assert re.match(f"text2lip: error: {message}", err), err
    assert err.count("\n") == 1 and "Traceback" not in err
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("`face_index` is 4, but `image` shows faces 0", "--face is 4, but --image shows faces 0"),
        ("image: others. `face_index` says who speaks", "--image: others. --face says who speaks"),
        ("text: it is Chinese; give language='zh'.", "text: it is Chinese; give --language zh."),
        ("text: mark it: <lang xml:lang='zh'>", "text: mark it: <lang xml:lang='zh'>"),
        ("timings: `pip` is `no_argument`, nor is pip='x'", "--timings: `pip` is `no_argument`, nor is pip='x'"),
    ],
)
def test_the_library_s_words_become_the_command_s(told, shown):
    assert cli.in_flags(told) == shown


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--face", "no.jpg"], "--face must be .* a box X0,Y0,X1,Y1, .* or 'any': no file 'no.jpg'; check the name"),
        (["--face", "0,0,9"], "--face must be .*: no file '0,0,9'"),
        (["--face", "https://a.b/c.jpg"], "--face must be .*: 'https://a.b/c.jpg' is an address"),
        (["--speaker", "Ann=espeak", "--speaker", "Ann=pico"], "--speaker: 'Ann' is there twice; give each name once"),
        (["-o", "away.mp4"], "--output: no folder to write 'away.mp4' into"),
        (["--crf", "60"], "--crf: 60; wants a whole number from 0 .best. to 51 of h264"),
        (["-o", "a.webm", "--codec", "h264"], "--codec: h264 doesn't go into .webm files"),
        (["-o", "a.srt", "--size", "96"], "--size: '96' changes nothing in subtitles"),
        (["-s", "away.srt"], "--subtitles: no folder to write 'away.srt' into"),
        (["-o", "folder.mp4"], "--output: '.*folder.mp4' is a folder"),
    ],
)
def test_files_that_can_not_be_read_or_written_are_told_before_any_work(
    say, tmp_path, monkeypatch, arguments, message
):
    monkeypatch.setattr(cli, "load_pipeline", lambda name: pytest.fail("the pipeline was loaded"))
    (tmp_path / "folder.mp4").mkdir()
    for name in ("away.mp4", "away.srt"):
        (tmp_path / name).symlink_to(tmp_path / "no" / name)
    code, _, err = say("Hi.", *arguments)
    assert code == 2 and re.match(f"text2lip: error: {message}", err), err
    assert sorted(os.listdir(tmp_path)) == ["away.mp4", "away.srt", "folder.mp4"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["-i", "p_0001.png", "-o", "p_%04d.png"],
        ["-i", "in/0001.png", "-o", "in/"],
        ["-i", "me.mp4", "-o", "./me.mp4"],
        ["-i", "link.mp4", "-o", "me.mp4"],
        ["-a", "me.wav", "-o", "me.wav"],
        ["--reference", "me.mp4", "-o", "me.mp4"],
        ["--timings", "me.srt", "-s", "me.srt"],
    ],
)
def test_inputs_are_never_replaced(say, tmp_path, monkeypatch, arguments):
    monkeypatch.setattr(cli, "load_pipeline", lambda name: pytest.fail("the pipeline was loaded"))
    (tmp_path / "in").mkdir()
    for name in ("p_0001.png", "in/0001.png", "me.mp4", "me.wav", "me.srt"):
        (tmp_path / name).write_text("mine")
    (tmp_path / "link.mp4").symlink_to("me.mp4")
    code, _, err = say("Hi.", *arguments, image=None)
    assert code == 2 and re.match(r"text2lip: error: --(output|subtitles): '.*' would replace the input '.*'; ch", err)


def test_subtitles_are_not_inspected(say, tmp_path):
    (tmp_path / "q.srt").write_text("1\n00:00:00,000 --> 00:00:01,000\nHi.\n")
    code, _, err = say("inspect", "q.srt", image=None)
    assert code == 2 and "q.srt' is no video, picture or sound; give" in err


def test_the_first_interrupt_is_answered(capfd):
    for quiet, told in ((False, ["text2lip: stopping..."]), (True, [])):
        with cli.ending_cleanly(quiet):
            for _ in range(2):
                with contextlib.suppress(KeyboardInterrupt):
                    signal.raise_signal(signal.SIGINT)
        assert capfd.readouterr().err.split("\n")[1:-1] == told


def test_both_files_are_written_or_none(say, tmp_path, monkeypatch):
    def broken(words, duration):
        raise ValueError("subtitles: no")

    monkeypatch.setattr("text2lip.exports.subtitle_files.to_srt", broken)
    assert say("Hi.", "-v", "espeak", "-o", "a.mp4", "-s", "a.srt", "-q")[0] == 2
    assert os.listdir(tmp_path) == []


def test_wrong_pictures(say, tmp_path):
    (tmp_path / "a.png").write_text("no picture")
    assert say("Hi.", image="a.png")[2].startswith("text2lip: error: --image: 'a.png' is not a picture")
    assert say("Hi.", image="b.png")[2].startswith("text2lip: error: --image: no file 'b.png'")
    assert os.listdir(tmp_path) == ["a.png"]


@pytest.mark.parametrize("arguments", [["Hi.", "--fps", "many"], ["Hi.", "--nonsense"]])
def test_wrong_flags_are_argparses(say, arguments):
    code, _, err = say(*arguments)
    assert code == 2 and "usage: text2lip" in err


def test_a_text_without_quotes_is_told_in_one_line(say):
    code, _, err = say("Good", "morning.")
    assert code == 2 and err == 'text2lip: error: text: got 2 of them; put it in quotes: text2lip "Good morning.".\n'


def test_a_bug_is_one_line_and_code_1(say, monkeypatch):
    def broken(name):
        raise RuntimeError("oops")

    monkeypatch.setattr(cli, "load_pipeline", broken)
    code, _, err = say("Hi.")
    assert code == 1 and err.count("\n") == 1 and "RuntimeError: oops" in err and "--debug" in err
    with pytest.raises(RuntimeError, match="oops"):
        say("Hi.", "--debug")


def test_help_teaches(say):
    code, out, _ = say("--help", image=None)
    assert code == 0
    for word in (
        "examples:",
        "--image",
        "--audio",
        "--voice",
        "--language",
        "--rate",
        "--subtitles",
        "<speak>",
        "Ctrl-C",
    ):
        assert word in out


def test_lists_and_version(say):
    from text2lip import __version__

    code, out, _ = say("--list-voices", image=None)
    assert code == 0 and {"default", "espeak", "pico"} <= {line.split()[0] for line in out.splitlines()}
    code, out, _ = say("--list-languages", image=None)
    assert code == 0 and len(out.splitlines()) > 100 and re.search(r"^fr-fr +French", out, re.MULTILINE)
    assert say("--version", image=None)[:2] == (0, f"text2lip {__version__}\n")


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
@pytest.mark.parametrize("flag", ["--help", "--list-languages"])
def test_a_console_that_lacks_letters_shows_question_marks(encoding, flag):
    done = subprocess.run(
        [sys.executable, "-m", "text2lip.cli", flag],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": encoding, "COLUMNS": "20", "NO_COLOR": "1"},
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"?" in done.stdout or (encoding, flag) == ("cp1252", "--help")


def test_closed_pipe_is_no_error():
    process = command("--list-languages")
    process.stdout.close()
    assert "Traceback" not in process.stderr.read()
    assert process.wait(60) in (0, 120, 141)
    process.stderr.close()


def test_garbage_is_not_searched_for_while_libraries_load(monkeypatch):
    with cli.uncollected():
        assert gc.isenabled() or "torch" not in sys.modules
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    try:
        with cli.uncollected():
            assert not gc.isenabled()
        assert gc.isenabled() and gc.get_freeze_count()
    finally:
        gc.unfreeze()


def test_estimate_only_of_what_takes_long(monkeypatch, capsys):
    clock = iter(range(0, 1000, 3))
    monkeypatch.setattr(cli.time, "perf_counter", lambda: next(clock))
    assert list(cli.show_progress(list(range(100)))) == list(range(100))
    assert "will take about 5 min; Ctrl-C stops it" in capsys.readouterr().err
    assert list(cli.show_progress(list(range(5)))) == list(range(5))
    assert "will take" not in capsys.readouterr().err
    ticks = iter([60.0, *(60 + 0.5 * i for i in range(1, 100))])  # what is done once takes a minute
    monkeypatch.setattr(cli.time, "perf_counter", lambda: next(ticks))
    assert len(list(cli.show_progress(list(range(100))))) == 100
    assert "about 50 s;" in capsys.readouterr().err


def test_times_as_people_say_them():
    assert [cli.spoken_time(t) for t in (31, 89, 91, 600, 5400, 9000)] == [
        "31 s",
        "89 s",
        "2 min",
        "10 min",
        "1.5 h",
        "2.5 h",
    ]


def test_a_signal_that_a_library_swallowed_ends_the_run_at_the_next_frame():
    from text2lip.cli import ending_cleanly, until

    with ending_cleanly() as stopped, pytest.raises(SystemExit, match="143"):
        frames = until(stopped, iter("abc"))
        assert next(frames) == "a"
        with contextlib.suppress(SystemExit):  # as a callback does
            signal.raise_signal(signal.SIGTERM)
        next(frames)


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_run_leaves_no_half_file(portrait, tmp_path_factory, tmp_path, number, code):
    large = tmp_path_factory.mktemp("large") / "large.png"
    Image.fromarray(portrait).resize((1024, 1024)).save(large)  # slow to render
    output = tmp_path / "a.mp4"
    output.write_text("from before")
    text = "This sentence is said again and again. " * 20
    heed = {"preexec_fn": lambda: signal.signal(number, signal.SIG_DFL)}  # a test run in the background ignores SIGINT
    process = command(text, "-v", "espeak", "-i", large, "-o", output, **heed)
    deadline = time.monotonic() + 120
    while len(os.listdir(tmp_path)) < 2 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)  # until the hidden file of the video appears; a second one is of the video without its mark
    assert len(os.listdir(tmp_path)) in (2, 3)
    process.send_signal(number)
    error = process.communicate(timeout=60)[1]
    assert process.returncode == code
    assert "Traceback" not in error
    assert os.listdir(tmp_path) == ["a.mp4"] and output.read_text() == "from before"


@pytest.mark.slow
def test_nothing_else_is_heard(portrait_file, tmp_path):
    """A fresh process: the libraries underneath print nothing."""
    process = command("Hi.", "-q", "-i", portrait_file, "-o", tmp_path / "a.mp4")
    assert (*process.communicate(timeout=120), process.returncode) == ("", "", 0)


def test_a_first_word_may_be_a_sub_command(monkeypatch, capsys):
    asked = []
    monkeypatch.setitem(cli.COMMANDS, "demo", asked.append)
    assert cli.main(["demo", "--port", "1"]) == 0 and asked == [["--port", "1"]]
    monkeypatch.setattr(cli, "run", lambda args, stopped: asked.append(args.text))
    for words in (["demo."], ["Demo"], ["--", "demo"], ["-v", "none", "demo"]):
        assert cli.main(words) == 0
    assert asked[1:] == [["demo."], ["Demo"], ["demo"], ["demo"]]


def test_errors_of_a_sub_command_are_told_as_those_of_the_command(monkeypatch, capsys):
    def fail(words):
        raise ValueError("voice: none of that name.")

    monkeypatch.setitem(cli.COMMANDS, "demo", fail)
    assert cli.main(["demo"]) == 2
    assert capsys.readouterr().err == "text2lip: error: --voice: none of that name.\n"
    with pytest.raises(ValueError):
        cli.main(["demo", "--debug"])


def test_without_gradio_it_is_said_what_to_install(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "gradio", None)
    assert cli.main(["demo"]) == 2
    assert 'pip install "text2lip[demo]"' in capsys.readouterr().err
