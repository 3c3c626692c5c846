import pytest

from text2lip.text.languages import available_languages, resolve_language


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("en", "en-us"), ("EN_US", "en-us"), ("en-AU", "en-gb"), ("fr", "fr-fr"), ("fr_CA", "fr-fr"), ("zh", "cmn"),
        ("zh-Hans-CN", "cmn"), ("zh-HK", "yue"), ("no", "nb"), ("iw", "he"), ("pt_BR", "pt-br"), ("pt-PT", "pt"),
        ("de-AT", "de"), ("German", "de"), ("french", "fr-fr"), ("es-MX", "es-419"), ("deu", "de"), ("cmn", "cmn"),
        ("chr", "chr-US-Qaaa-x-west"), ("en_GB.UTF-8", "en-gb"),
    ],
)  # fmt: skip
def test_language_aliases(code, expected):
    assert resolve_language(code) == expected


@pytest.mark.parametrize("code", ["fo", "kaa", "xex", "kl", "kl-GL"])
def test_broken_languages_are_refused(code):
    with pytest.raises(ValueError, match="refused"):
        resolve_language(code)
    assert code not in available_languages()


@pytest.mark.parametrize("code", ["xx", "", None, "klingonn"])
def test_unknown_languages(code):
    with pytest.raises(ValueError, match="language"):
        resolve_language(code)
    with pytest.raises(ValueError, match="'german'"):
        resolve_language("germann")
