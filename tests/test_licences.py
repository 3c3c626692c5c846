"""Licences are stated, and written as the Hub wants them."""

import pytest

from text2lip.licences import check_licence, hub_metadata, spdx_id


def test_identifiers_are_spdx_s_in_its_spelling():
    assert spdx_id("apache-2.0") == "Apache-2.0" and spdx_id("mit or Apache-2.0") == "MIT OR Apache-2.0"
    assert spdx_id("LicenseRef-av-digits") == "LicenseRef-av-digits"
    for wrong in ("", "Apache", "my own", "Apache-2.0, Copyright Me", 3):
        with pytest.raises(ValueError, match="licence: .* is no SPDX identifier"):
            spdx_id(wrong)


def test_nothing_goes_out_without_a_licence():
    assert check_licence(None, None) is None and check_licence("mit", "me/lips") == "MIT"
    with pytest.raises(ValueError, match="licence: None; what goes to 'me/lips' needs one that you state"):
        check_licence(None, "me/lips")
    with pytest.raises(ValueError, match="licence: 'mine'"):
        check_licence("mine", None)


@pytest.mark.parametrize(
    "stated, wanted",
    [
        ([], {"license": "unknown"}),
        ([None], {"license": "unknown"}),
        (["MIT", None], {"license": "unknown"}),
        (["MIT", "MIT"], {"license": "mit"}),
        (["MIT", "Apache-2.0"], {"license": "other", "license_name": "several"}),
        (["GPL-3.0-or-later"], {"license": "gpl-3.0"}),
        (["C-UDA-1.0"], {"license": "c-uda"}),
        (["ODbL-1.0"], {"license": "odbl"}),
        (["GFDL-1.3-or-later"], {"license": "gfdl"}),
        (["BSL-1.0"], {"license": "bsl-1.0"}),
        (["LicenseRef-mine"], {"license": "other", "license_name": "licenseref-mine"}),
        (["MIT OR Apache-2.0"], {"license": "other", "license_name": "mit-or-apache-2.0"}),
        (["x\nlicense: mit"], {"license": "other", "license_name": "x-license-mit"}),  # out of a strange config.json
    ],
)
def test_metadata_are_what_the_hub_takes(stated, wanted):
    assert hub_metadata(stated) == wanted
