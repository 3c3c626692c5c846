"""Amounts of money in words: "$5.50" -> "5 dollars 50 cents" (espeak-ng would say "dollar five point five zero")."""

import re


# language -> sign -> (one, many, cents); digits are left to the G2P engine, which reads them in its language
_EN = {"$": ("dollar", "dollars"), "€": ("euro", "euros"), "£": ("pound", "pounds"), "¥": ("yen", "yen")}
_EN |= {"₹": ("rupee", "rupees"), "₩": ("won", "won"), "₽": ("rouble", "roubles"), "₺": ("lira", "lira")}
_DE = {"$": ("Dollar", "Dollar"), "€": ("Euro", "Euro"), "£": ("Pfund", "Pfund"), "¥": ("Yen", "Yen")}
_FR = {"$": ("dollar", "dollars"), "€": ("euro", "euros"), "£": ("livre", "livres"), "¥": ("yen", "yens")}
_ES = {"$": ("dólar", "dólares"), "€": ("euro", "euros"), "£": ("libra", "libras"), "¥": ("yen", "yenes")}
_IT = {"$": ("dollaro", "dollari"), "€": ("euro", "euro"), "£": ("sterlina", "sterline"), "¥": ("yen", "yen")}
_PT = {"$": ("dólar", "dólares"), "€": ("euro", "euros"), "£": ("libra", "libras"), "¥": ("iene", "ienes")}
_NL = {"$": ("dollar", "dollar"), "€": ("euro", "euro"), "£": ("pond", "pond"), "¥": ("yen", "yen")}
CURRENCIES = {"en": _EN, "de": _DE, "fr": _FR, "es": _ES, "it": _IT, "pt": _PT, "nl": _NL}
CENTS = {
    "en": {"$": "cents", "€": "cents", "£": "pence"}, "es": {"$": "centavos", "€": "céntimos"},
    "fr": {"€": "centimes"}, "de": {"€": "Cent", "$": "Cent"}, "it": {"€": "centesimi"},
    "pt": {"€": "cêntimos", "$": "cêntimos"}, "nl": {"€": "cent", "$": "cent"},
}  # fmt: skip
AND = {"en": " ", "de": " ", "fr": " ", "nl": " ", "es": " con ", "it": " e ", "pt": " e "}
SCALES = {"k": "thousand", "m": "million", "mn": "million", "bn": "billion", "b": "billion", "tn": "trillion"}
_SIGNS = "$€£¥₹₩₽₺"
_NUMBER = r"\d{1,3}(?:[,.' \u202f]\d{3}){1,6}(?:[.,]\d{1,2})?(?!\d)|\d+(?:[.,]\d+)?"
_SCALE = r"(?:\s?(?P<{0}>k|mn?|bn?|tn|thousand|million|billion|trillion)(?![\w]))?"
_MONEY = re.compile(
    rf"(?:\b(?:US|CA|AU|NZ|HK))?(?P<sign>[{_SIGNS}])\s?(?P<amount>{_NUMBER}){_SCALE.format('scale')}"
    rf"|(?<![\w.,])(?P<amount2>{_NUMBER}){_SCALE.format('scale2')}\s?(?P<sign2>[{_SIGNS}])(?!\w)",
    re.IGNORECASE,
)


def expand_money(text: str, base: str) -> str:
    """Put amounts of money into the order they are spoken in; `base` is a language without region. Languages without
    a table get number, then sign."""
    if not any(sign in text for sign in _SIGNS):
        return text
    return _MONEY.sub(lambda found: _speak(found, base), text)


def _speak(found: re.Match, base: str) -> str:
    sign = found["sign"] or found["sign2"]
    amount = found["amount"] or found["amount2"]
    scale = (found["scale"] or found["scale2"] or "").lower()
    names = CURRENCIES.get(base, {}).get(sign)
    if names is None:
        return f"{amount} {scale} {sign}".replace("  ", " ")
    one, many = names
    if scale:
        return f"{amount} {SCALES.get(scale, scale)} {many}" if base == "en" else f"{amount} {scale} {many}"
    parts = re.fullmatch(r"(.*?)(?:[.,](\d{1,2}))?", amount)  # "1,234.5" is 1234 and 50 cents
    whole, minor = re.sub(r"\D", "", parts[1]), str(int((parts[2] or "").ljust(2, "0")))
    unit = one if whole == "1" else many
    cent = CENTS.get(base, {}).get(sign, "")
    if minor == "0":
        return f"{whole} {unit}"
    named = f"{minor} {cent[:-1] if minor == '1' and cent == 'cents' else cent}".strip()
    if whole == "0" and cent:
        return named
    return f"{whole} {unit}{AND[base]}{named if base in ('en', 'es', 'it', 'pt') else minor}"
