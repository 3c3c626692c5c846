"""The package as such: quick to import, nothing heavy, everything exported exists."""

import os
import subprocess
import sys

import text2lip


def python(code: str, **environment: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, env=os.environ | environment
    )
    return ran.stdout


def test_import_loads_nothing_heavy():
    code = (
        "import sys, text2lip; print(set(sys.modules) & {'torch', 'transformers', 'diffusers', 'phonemizer', 'numpy'})"
    )
    assert python(code).strip() == "set()"


def test_text_and_speech_need_no_torch():
    code = (
        "import sys; from text2lip import synthesize, list_voices; from text2lip.text import get_g2p;"
        "list_voices(); get_g2p()('hello'); synthesize('hello'); print('torch' in sys.modules)"
    )
    assert python(code).strip() == "False"


def test_command_line_starts_without_torch():
    code = "import sys; from text2lip.cli import main; main(['--list-languages']); print('torch' in sys.modules)"
    assert python(code).splitlines()[-1] == "False"


def test_voices_keep_no_record_for_others(tmp_path, monkeypatch):
    monkeypatch.delenv("ORT_DISABLE_TELEMETRY", raising=False)  # set by this process's own import
    homes = dict.fromkeys(("HOME", "USERPROFILE", "LOCALAPPDATA", "XDG_CACHE_HOME"), str(tmp_path))
    python("import text2lip; text2lip.synthesize('Hi.')", **homes)
    assert not [path for path in tmp_path.rglob("*") if "onnxruntime" in str(path)]


def test_every_export_exists_and_has_a_docstring():
    assert text2lip.__all__ == sorted(text2lip.__all__)
    assert set(text2lip.__all__) <= set(dir(text2lip))
    for name in text2lip.__all__:
        assert getattr(text2lip, name).__doc__, name


def test_unknown_name_is_an_attribute_error():
    try:
        text2lip.Nothing  # noqa: B018
    except AttributeError as error:
        assert "text2lip" in str(error) and "Nothing" in str(error)
    else:
        raise AssertionError("no error")


def test_version_is_one():
    from importlib.metadata import version

    assert version("text2lip") == text2lip.__version__
