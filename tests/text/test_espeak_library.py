import os
import subprocess
import sys

from text2lip.text.espeak_library import espeak_library
from text2lip.text.phonemes import get_g2p


def run(code, **env):
    return subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **env}, capture_output=True, text=True, timeout=120
    )


READ = "from text2lip.text import get_g2p; print(get_g2p()('park')[0].phones)"


def test_long_data_path_is_linked(tmp_path):
    library, data = espeak_library()
    deep = tmp_path / ("d" * 100) / ("e" * 100)
    deep.mkdir(parents=True)
    (deep / "espeak-ng-data").symlink_to(data)
    done = run(
        f"from text2lip.text import get_g2p; from text2lip.text.espeak_library import espeak_library as e; "
        f"{READ}; p = e()[1]; print(len(p) < 160, p)",
        PHONEMIZER_ESPEAK_LIBRARY=library,
        PHONEMIZER_ESPEAK_DATA_PATH=str(deep / "espeak-ng-data"),
    )
    assert "['p', 'ɑːɹ', 'k']\nTrue" in done.stdout, done.stderr
    assert not os.path.exists(done.stdout.split()[-1])  # the link went with the process


def test_one_variable_alone_is_refused():
    done = run(READ, PHONEMIZER_ESPEAK_LIBRARY=espeak_library()[0])
    assert "set both or neither" in done.stderr


def test_environment_is_left_alone():
    get_g2p()("hello")
    assert "PHONEMIZER_ESPEAK_LIBRARY" not in os.environ
