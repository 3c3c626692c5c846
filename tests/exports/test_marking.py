"""The mark that a file is synthetic: put in, and read back."""

import datetime
import os
import stat
import subprocess
import sys
import warnings

import av
import numpy as np
import pytest

from text2lip import cli
from text2lip.exports import MarkWarning, Origin, SaveOptions, inspect_file, write_clip
from text2lip.exports.certificates import FILE_NAME, LOCAL_NAME, SigningIdentity, signing_identity
from text2lip.exports.picture_label import labelled


FRAMES = [np.full((32, 48, 3), value, np.uint8) for value in (40, 200)]


@pytest.fixture(autouse=True)
def config(tmp_path_factory, monkeypatch):
    """A folder of settings of its own, without a certificate."""
    folder = tmp_path_factory.mktemp("config") / "text2lip"
    monkeypatch.setenv("TEXT2LIP_CONFIG", str(folder))
    monkeypatch.delenv("TEXT2LIP_CERTIFICATE", raising=False)
    return folder


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_every_video_says_that_it_is_synthetic(tmp_path, clip, suffix):
    pytest.importorskip("c2pa")
    path = tmp_path / f"a{suffix}"
    assert write_clip(path, clip(FRAMES)) == 2
    found = inspect_file(path)
    assert found.synthetic and found.by_text2lip and found.source_types == ["trainedAlgorithmicMedia"]
    assert "a picture was made to speak" in found.metadata["comment"]
    assert ("xmp" in found.metadata) == (found.manifest is not None) == (suffix != ".mkv")
    if found.manifest:
        assert found.manifest["state"] == "Valid" and found.manifest["local"] and not found.manifest["failures"]
        assert "Nobody vouches for it" in str(found)
    assert os.listdir(tmp_path) == [path.name]
    with av.open(str(path)) as container:
        assert len(list(container.decode(video=0))) == 2


def test_a_dubbed_film_names_the_film(tmp_path, clip):
    pytest.importorskip("c2pa")
    write_clip(tmp_path / "film.mp4", clip(FRAMES))
    origin = Origin(dubbed=True, film=tmp_path / "film.mp4", own_sound=True)
    write_clip(tmp_path / "a.mp4", clip(FRAMES, origin=origin))
    found = inspect_file(tmp_path / "a.mp4")
    assert [action["action"] for action in found.manifest["actions"]] == ["c2pa.opened", "c2pa.edited"]
    assert found.manifest["ingredients"] == 1 and found.manifest["state"] == "Valid"
    assert len(found.manifest["store"]["manifests"]) == 2  # the film's own is kept
    assert found.source_types == ["compositeWithTrainedAlgorithmicMedia"]
    assert "mouth in this film was changed" in found.metadata["comment"]
    assert "The sound is a recording." in found.metadata["comment"]
    for film in (tmp_path / "film.mkv", None):  # which C2PA can't read
        write_clip(tmp_path / "a.mp4", clip(FRAMES, origin=Origin(dubbed=True, film=film)))
        (action,) = inspect_file(tmp_path / "a.mp4").manifest["actions"]
        assert action["action"] == "c2pa.created" and action["source_type"] == found.source_types[0]


def test_a_change_is_noticed(tmp_path, clip):
    pytest.importorskip("c2pa")
    path = tmp_path / "a.mp4"
    write_clip(path, clip(FRAMES))
    data = bytearray(path.read_bytes())
    place = data.rfind(b"mdat") + 40
    data[place] ^= 1
    path.write_bytes(data)
    found = inspect_file(path)
    assert found.manifest["changed"] and found.manifest["state"] == "Invalid" and "CHANGED" in str(found)


def test_no_mark(tmp_path, clip, config):
    write_clip(tmp_path / "a.mp4", clip(FRAMES), SaveOptions(mark=False))
    found = inspect_file(tmp_path / "a.mp4")
    assert not found.synthetic and not found.metadata and found.manifest is None
    assert "That doesn't make it a recording" in str(found) and not config.exists()


def test_the_local_certificate_is_made_once_and_only_its_owner_reads_it(config):
    pytest.importorskip("cryptography")
    with pytest.warns(MarkWarning, match="nobody vouches for it"):
        first = signing_identity()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert signing_identity() == first
    assert os.listdir(config) == [FILE_NAME]
    if os.name == "posix":
        assert stat.S_IMODE((config / FILE_NAME).stat().st_mode) == 0o600
    assert b"PRIVATE KEY" in first.key and "PRIVATE KEY" not in repr(first)


def test_a_certificate_of_somebody_else_is_never_replaced(config, monkeypatch):
    pytest.importorskip("cryptography")
    config.mkdir()
    place = config / FILE_NAME
    theirs = own_certificate(place, days=-4000)[0]
    for content, message in (
        (b"broken", "holds no private key"),
        (theirs, "expired on 20"),
        (theirs[:60] + b"!" + theirs[61:], "can't be read"),
    ):
        place.write_bytes(content)
        with pytest.raises(ValueError, match=f"certificate: .*{message}.*remove"):
            signing_identity()
        assert place.read_bytes() == content
    monkeypatch.setattr("text2lip.exports.certificates.Path.read_bytes", unreadable)
    with pytest.warns(MarkWarning, match="for this file alone"):
        signing_identity()
    monkeypatch.undo()
    assert place.read_bytes() == content and os.listdir(config) == [FILE_NAME]


def unreadable(path):
    raise PermissionError(13, "Permission denied", str(path))


def test_a_local_certificate_that_expired_is_replaced(config):
    pytest.importorskip("cryptography")
    config.mkdir()
    own_certificate(config / FILE_NAME, LOCAL_NAME, days=-4000)
    with pytest.warns(MarkWarning, match="was made in"):
        first = signing_identity()
    assert signing_identity() == first and first.expires.year > 2030


def test_no_private_key_is_left_where_it_cannot_be_kept(config, monkeypatch):
    pytest.importorskip("cryptography")

    def full(*names):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.warns(MarkWarning, match="No space left.* for this file alone"):
        signing_identity()
    assert os.listdir(config) == []


def test_keys_of_curves_that_c2pa_lacks_are_refused():
    pytest.importorskip("cryptography")
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = ec.generate_private_key(ec.SECP256K1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(ValueError, match="certificate: c.pem has a key that C2PA doesn't take"):
        SigningIdentity.of(pem + certificate_of(key), "c.pem")
    with pytest.raises(ValueError, match="certificate: c.pem can't be read"):
        SigningIdentity.of(SECP112R1 + certificate_of(key), "c.pem")


SECP112R1 = b"""-----BEGIN PRIVATE KEY-----
ME4CAQAwEAYHKoZIzj0CAQYFK4EEAAYENzA1AgEBBA6uUjXfsKzgQvKIbXkGAaEg
Ax4ABEOyldS80ekbBtm7DDF5DGa54iqg/nw5+dUWyL0=
-----END PRIVATE KEY-----
"""  # of openssl genpkey; a toy curve, which cryptography doesn't know


def certificate_of(key) -> bytes:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.serialization import Encoding

    name, now = x509.Name([]), datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + datetime.timedelta(days=9))
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


def test_where_nothing_can_be_kept_the_file_is_signed_all_the_same(tmp_path, clip, monkeypatch):
    pytest.importorskip("c2pa")
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TEXT2LIP_CONFIG", str(tmp_path / "file" / "folder"))
    with pytest.warns(MarkWarning, match="for this file alone"):
        write_clip(tmp_path / "a.mp4", clip(FRAMES))
    assert inspect_file(tmp_path / "a.mp4").manifest["local"]


def test_the_users_certificate(tmp_path, clip, monkeypatch):
    pytest.importorskip("c2pa")
    pem, _ = own_certificate(tmp_path / "mine.pem")
    write_clip(tmp_path / "a.mp4", clip(FRAMES), SaveOptions(certificate=tmp_path / "mine.pem"))
    found = inspect_file(tmp_path / "a.mp4")
    assert found.manifest["signer"] == "Studio" and not found.manifest["local"] and found.manifest["state"] == "Valid"
    assert "'Studio'" in str(found) and "Nobody vouches" not in str(found)
    monkeypatch.setenv("TEXT2LIP_CERTIFICATE", str(tmp_path / "mine.pem"))
    assert signing_identity() == SigningIdentity.of(pem, "x")


def own_certificate(path, name="Studio", days=0):
    """A PEM that is somebody's: a local one with another name in it, made `days` from now."""
    from text2lip.exports import certificates

    names, certificates.LOCAL_NAME = certificates.LOCAL_NAME, name
    try:
        now = datetime.datetime.now(datetime.UTC)
        pem = certificates._new_pem(now + datetime.timedelta(days))
    finally:
        certificates.LOCAL_NAME = names
    path.write_bytes(pem)
    return pem, path


def test_wrong_certificates_are_told_before_a_frame_is_drawn(tmp_path, clip):
    pytest.importorskip("c2pa")

    def undrawn():
        pytest.fail("a frame was drawn")
        yield

    one, other = (own_certificate(tmp_path / name)[0] for name in ("a.pem", "b.pem"))
    key, chain = one.split(b"-----BEGIN CERT", 1)[0], other[other.index(b"-----BEGIN CERT") :]
    for content, message in (
        (b"nothing", "holds no private key"),
        (key, "holds no certificate"),
        (key + chain, "isn't the private key's"),
        (key[:60] + b"!" + key[61:] + chain, "can't be read"),
    ):
        (tmp_path / "c.pem").write_bytes(content)
        with pytest.raises(ValueError, match=f"certificate: .*{message}"):
            write_clip(tmp_path / "a.mp4", clip(undrawn()), SaveOptions(certificate=tmp_path / "c.pem"))
    with pytest.raises(ValueError, match="certificate: 'no.pem' can't be read"):
        write_clip(tmp_path / "a.mp4", clip(undrawn()), SaveOptions(certificate="no.pem"))
    with pytest.raises(ValueError, match="certificate: given, but mark is False"):
        SaveOptions(certificate="a.pem", mark=False)
    assert not (tmp_path / "a.mp4").exists()


@pytest.mark.parametrize("missing", ["c2pa", "cryptography"])
def test_without_the_package_the_metadata_stay_and_it_is_said(tmp_path, clip, monkeypatch, missing):
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.warns(MarkWarning, match="no manifest was written"):
        write_clip(tmp_path / "a.mp4", clip(FRAMES))
    found = inspect_file(tmp_path / "a.mp4")
    assert found.synthetic and found.manifest is None and set(found.metadata) == {"comment", "xmp"}
    if missing == "c2pa":
        assert "install c2pa-python" in str(found)


def test_where_c2pa_refuses_the_file_is_written(tmp_path, clip, monkeypatch):
    c2pa = pytest.importorskip("c2pa")

    def refuse(*arguments):
        raise c2pa.C2paError("Other: no")

    monkeypatch.setattr("text2lip.exports.marking.sign_file", refuse)
    with pytest.warns(MarkWarning, match="no manifest was written .*no"):
        write_clip(tmp_path / "a.mp4", clip(FRAMES))
    assert inspect_file(tmp_path / "a.mp4").synthetic


def test_the_label_is_seen_in_its_corner_alone():
    plain = np.full((200, 300, 3), 120, np.uint8)
    (frame,) = labelled([plain], True)
    changed = np.abs(frame.astype(int) - 120).max(-1) > 0
    assert frame.max() == 255 and changed[-18:, :60].mean() > 0.9
    assert not changed[:-40].any() and (plain == 120).all()
    clear = np.zeros((200, 300, 4), np.uint8)
    (frame,) = labelled([clear], "KI")
    assert frame[-5, 5, 3] == pytest.approx(140, abs=2) and frame[0, 0, 3] == 0


def test_a_label_that_does_not_fit_or_has_no_letters():
    wide = "Made by a machine, not by me"
    (frame,) = labelled([np.full((128, 128, 3), 120, np.uint8)], wide)
    assert (frame[-20:, -2:] == 120).all(), "the text ends at the edge"
    with pytest.raises(ValueError, match="label: .* is too long for pictures 128 wide"):
        next(labelled([np.full((128, 128, 3), 120, np.uint8)], 5 * wide))
    with pytest.raises(ValueError, match="label: there are no letters here for '生成'"):
        SaveOptions(label="AI 生成")
    with pytest.raises(ValueError, match="label: "):
        SaveOptions(label="two\nlines")


def test_a_label_in_other_letters():
    pytest.importorskip("matplotlib")
    (frame,) = labelled([np.full((200, 300, 3), 120, np.uint8)], "Généré par IA, создано ИИ")
    assert frame.max() == 255


def test_the_command_inspects(tmp_path, clip, capsys):
    pytest.importorskip("c2pa")
    write_clip(tmp_path / "a.mp4", clip(FRAMES))
    assert cli.main(["inspect", str(tmp_path / "a.mp4")]) == 0
    assert LOCAL_NAME not in (told := capsys.readouterr().out) and "local certificate" in told
    assert cli.main(["inspect", "--json", str(tmp_path / "a.mp4")]) == 0
    assert '"by_text2lip": true' in capsys.readouterr().out
    (tmp_path / "a.txt").write_text("words")
    for name in ("no.mp4", "a.txt"):
        assert cli.main(["inspect", str(tmp_path / name)]) == 2
    assert capsys.readouterr().err.count("text2lip: error: file: ") == 2


def test_the_package_is_imported_when_it_is_used():
    code = "import sys, text2lip.exports.writers, text2lip.exports.inspection; sys.exit('c2pa' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_long_film_is_signed_at_flat_memory(tmp_path):
    pytest.importorskip("c2pa")
    pytest.importorskip("resource")
    code = """
import resource, struct, sys
from text2lip.exports.certificates import signing_identity
from text2lip.exports.content_credentials import read_credentials, sign_file
from text2lip.exports.provenance import Origin
from text2lip.media.video_writer import write_video
import numpy as np
write_video(sys.argv[1], [np.zeros((32, 32, 3), np.uint8)] * 2)
with open(sys.argv[1], "r+b") as file:
    place = file.read().rfind(b"mdat") - 4  # the last box, which may be longer
    file.seek(0, 2)
    length = file.tell() - place
    for _ in range(100):
        file.write(bytes(1 << 20))
    file.seek(place)
    file.write(struct.pack(">I", length + (100 << 20)))
identity, before = signing_identity(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
sign_file(sys.argv[1], Origin(), identity)
assert read_credentials(sys.argv[1])["validation_state"] == "Valid"
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, str(tmp_path / "a.mp4")], capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    assert sys.platform != "linux" or int(ran.stdout) < 60, "MiB"
