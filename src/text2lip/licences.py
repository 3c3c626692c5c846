"""Licences of weights and data: what somebody stated, never a default."""

import re
from collections.abc import Iterable


NOT_STATED = "not stated"
HUB_IDS = re.compile(
    r"apache-2\.0|mit|isc|zlib|unlicense|wtfpl|ncsa|postgresql|ms-pl|mpl-2\.0|(afl|osl)-3\.0|artistic-2\.0|ecl-2\.0|"
    r"bsd-[23]-clause|bsd-3-clause-clear|cc0-1\.0|cc-by-2\.5|cc-by(-nc)?-[234]\.0|cc-by-(sa|nc-nd)-[34]\.0|"
    r"cc-by-nc-sa-[234]\.0|cc-by-nd-4\.0|cdla-(permissive|sharing)-1\.0|cdla-permissive-2\.0|epl-[12]\.0|"
    r"etalab-2\.0|eupl-1\.1|bsl-1\.0|agpl-3\.0|gpl-[23]\.0|lgpl-(2\.1|3\.0)|lppl-1\.3c|ofl-1\.1"
)
"""Identifiers that the Hub takes in a card's `license` and that are SPDX's in lower case; others are `other` there."""
UNVERSIONED = re.compile(r"(c-uda|odbl|odc-by|pddl)-1\.0|(gfdl)-1\.[123]")  # the Hub knows them without it


def spdx_id(licence: str) -> str:
    """A licence as SPDX writes it, such as "MIT OR Apache-2.0" or "LicenseRef-mine"; a ValueError if it knows none."""
    from packaging.licenses import canonicalize_license_expression

    try:
        return str(canonicalize_license_expression(licence))
    except (ValueError, AttributeError, TypeError) as error:
        raise ValueError(
            f"licence: {licence!r} is no SPDX identifier; see https://spdx.org/licenses, for example 'CC-BY-4.0', or "
            "'LicenseRef-<name>' for one of your own."
        ) from error


def check_licence(licence: str | None, push_to_hub: str | None) -> str | None:
    """The stated licence as SPDX writes it, to be called before work begins.

    Raises:
        ValueError: something is to be uploaded without one, or it is no SPDX identifier.
    """
    if licence is None and push_to_hub:
        raise ValueError(
            f"licence: None; what goes to {push_to_hub!r} needs one that you state (an SPDX identifier such as "
            "'CC-BY-4.0'), as the data that it was made from allows."
        )
    return None if licence is None else spdx_id(licence)


def hub_metadata(licences: Iterable[str | None]) -> dict[str, str]:
    """`license`, and where wanted `license_name`, for a card's metadata, of the licences stated for each part.

    "unknown" if one of them is not stated, None; "other" with a name for what the Hub doesn't list, and for parts of
    different licences.
    """
    stated = set(licences)
    if not stated or None in stated:
        return {"license": "unknown"}
    if len(stated) > 1:
        return {"license": "other", "license_name": "several"}
    name = re.sub(r"[^a-z0-9.+-]+", "-", stated.pop().lower()).strip("-")
    listed = re.sub("-(only|or-later)$", "", name)
    if found := UNVERSIONED.fullmatch(listed):
        return {"license": found[1] or found[2]}
    return {"license": listed} if HUB_IDS.fullmatch(listed) else {"license": "other", "license_name": name}
