"""Ways to write a value so that a search for it fails, and values of every kind that is redacted.

`test_hidden_values.py` tries each way on each value. A way that means nothing for a kind is named with its reason.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

Hide = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Value:
    """A value as people write it, in a sentence."""

    kind: str
    """As in `spec.privacy.redact`."""
    groups: tuple[str, ...]
    """What may stand apart; one where nothing may."""
    joint: str = ""
    """What joins the groups in the ordinary form."""
    before: str = "Look: "
    after: str = " ok"
    but: str = "$^"
    """Pattern of the ways in which it looks like something else, and stays."""

    def __str__(self) -> str:
        return self.joint.join(self.groups)


_LINES = r".*(?:line|<br|&#10;|NewLine|%0A|\\n)"
"""Columns of a table look like numbers of 3, 3 and 4 digits."""

VALUES: Mapping[str, Value] = {
    "e-mail": Value("email", ("anna.b@example.com",)),
    "phone with country": Value("phone", ("+7", "916", "123", "45", "67"), " "),
    "phone with trunk digit": Value("phone", ("8", "916", "123", "45", "67"), "-"),
    "phone, American": Value("phone", ("212", "736", "5000"), "-", but=f"digit by digit|{_LINES}|.*<wbr>"),
    "phone spoken of": Value("phone", ("916", "123", "45", "67"), " ", "мой телефон "),
    "card": Value("card", ("4111", "1111", "1111", "1111"), " "),
    "card, American Express": Value("card", ("3782", "822463", "10005"), " "),
    "IBAN, German": Value("iban", ("DE89", "3704", "0044", "0532", "0130", "00"), " "),
    "IBAN, British": Value("iban", ("GB82", "WEST", "1234", "5698", "7654", "32"), " "),
    "IPv4": Value("ip", ("93.184.216.34",)),
    "IPv6": Value("ip", ("2001:db8:85a3:1:2:8a2e:370:7334",)),
    "passport": Value("passport", ("45", "10", "123456"), " ", "Мой паспорт "),
    "passport in two groups": Value("passport", ("4510", "123456"), " ", "passport: "),
    "passport in pairs": Value("passport", ("45", "10", "12", "34", "56"), " ", "паспорт "),
    "passport for abroad": Value("passport", ("75", "1234567"), " ", "загранпаспорт "),
    "INN of a person": Value("taxid", ("5001", "0073", "2259"), " ", "ИНН "),
    "INN of a company": Value("taxid", ("7707", "083", "893"), " ", "ИНН: "),
    "INN in one": Value("taxid", ("500100732259",)),
    "SNILS": Value("taxid", ("112", "233", "445", "95"), " ", but=".*<wbr>"),
    "SNILS spoken of": Value("taxid", ("112", "233", "445", "00"), " ", "снилс "),
    "key": Value("secret", ("sk-abcdefghijklmnopqrstuvwx1234",)),
    "key of a bot": Value("secret", ("123456789:AAabcdefghijklmnopqrstuvwxyz1234567",)),
    "password": Value("secret", ("hunter22",), before="password: "),
    "bearer": Value("secret", ("abcdefgh12345678XYZ",), before="Authorization: Bearer "),
}

JOINTS: Mapping[str, str] = {
    "hyphen": "-", "hyphen of Unicode": "\u2010", "hyphen that does not break": "\u2011", "figure dash": "\u2012",
    "en dash": "\u2013", "em dash": "\u2014", "horizontal bar": "\u2015", "minus": "\u2212", "small hyphen": "\ufe63",
    "full-width hyphen": "\uff0d", "line of a box": "\u2500",
    "spaced hyphen": " - ", "spaced en dash": " \u2013 ", "spaced em dash": " \u2014 ", "widely spaced": "   -   ",
    "dash and two spaces": "-  ", "two dashes": "--",
    "space": " ", "two spaces": "  ", "three spaces": "   ", "five spaces": " " * 5, "no-break space": "\u00a0",
    "thin space": "\u2009", "narrow space": "\u202f", "ideographic spaces": "\u3000\u3000", "Braille": "\u2800",
    "underscore": "_", "spaced underscore": " _ ", "slash": "/", "spaced slash": " / ", "backslash": "\\",
    "bar": "|", "spaced bar": " | ", "full stop": ".", "full stop and space": ". ", "middle dot": "·",
    "bullet": " • ", "tilde": "~", "asterisk": "*", "colon": ":", "tab": "\t", "two tabs": "\t\t",
    "line break": "\n", "line break and indent": "\n  ", "dash and line break": "-\n",
    "Windows' line break": "\r\n", "line separator": "\u2028",
    **{escape: escape for escape in (
        "\\t", "\\n", "<br>", "<br />", "<wbr>", "&nbsp;", "&nbsp", "&#32;", "&#x20;", "&#9;", "&Tab;", "&#10;",
        "&NewLine;", "&ndash;", "&#8211;", "&#x2011;", "&minus;", "&emsp13;", "&amp;nbsp;", "&ThinSpace;", "&lowbar;",
        "&sol;", "%20", "%2520", "%09", "%0A", "%0D%0A", "%2D", "%5F", "%C2%A0", "%E2%80%93", "\\u00a0", "\\u2013",
    )},
}  # fmt: skip
"""What may stand between the groups of a number."""

NOTHING: Mapping[str, str] = {
    "soft hyphen": "\u00ad", "zero width space": "\u200b", "non-joiner": "\u200c", "joiner": "\u200d",
    "mark of direction": "\u200e", "word joiner": "\u2060", "invisible comma": "\u2063", "byte order mark": "\ufeff",
    "variation selector": "\ufe0f", "combining mark": "\u0336", "grapheme joiner": "\u034f", "filler": "\u3164",
    "tag": "\U000e0020", "isolate": "\u2068", "twenty zeros": f"&#{'0' * 20}173;",
    **{escape: escape for escape in (
        "&#173;", "&#xAD;", "&#0000173;", "&#8203;", "&#x200d;", "&#xFE0F;", "&#0;", "&shy;", "&zwnj;", "&zwj;",
        "&lrm;", "&ZeroWidthSpace;", "&NoBreak;", "&ic;", "&amp;shy;", "&AMP;shy;", "&#38;shy;", "%C2%AD",
        "%E2%80%8B", "%25E2%2580%258B", "%F3%A0%80%A0", "%00", "\\u00ad", "\\u200b", "\\u{200b}", "\\xad",
    )},
}  # fmt: skip
"""What shows nothing, put after each character."""
_NAMES = {"@": "&commat;", ".": "&period;", "+": "&plus;", ":": "&colon;", "_": "&lowbar;", "-": "&dash;"}


def _each(form: str, signs: str = r"[\s\S]") -> Hide:
    """Every character that is one of the signs in another form; `{}` is its number."""
    return lambda text: re.sub(signs, lambda found: form.format(ord(found[0])), text)


def _moved(zero: int, first: str = "0", last: str = "9") -> Hide:
    """The characters from `first` to `last` as those that begin at `zero`."""
    signs = range(ord(first), ord(last) + 1)
    return lambda text: "".join(chr(ord(sign) - signs[0] + zero) if ord(sign) in signs else sign for sign in text)


_DIGITS_AND_SIGNS = "[0-9@.+:_-]"
SIGNS: Mapping[str, Hide] = {
    "full-width": _moved(0xFF01, "!", "~"),
    **{
        name: _moved(zero)
        for name, zero in {
            "Arabic digits": 0x660, "Persian digits": 0x6F0, "Devanagari digits": 0x966, "Thai digits": 0xE50,
            "bold digits": 0x1D7CE, "digits of one width": 0x1D7F6, "segmented digits": 0x1FBF0,
        }.items()
    },
    "superscript digits": lambda text: text.translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")),
    "circled digits": lambda text: text.translate(str.maketrans("0123456789", "⓪①②③④⑤⑥⑦⑧⑨")),
    "bold letters": lambda text: _moved(0x1D400, "A", "Z")(_moved(0x1D41A, "a", "z")(text)),
    "&#D;": _each("&#{};"),
    "&#D": _each("&#{:07}"),
    "&#0000000D;": _each("&#{:012};"),
    "&#xH;": _each("&#x{:x};"),
    "&#X000H;": _each("&#X{:010X};"),
    "&amp;#D;": _each("&amp;#{};"),
    "&amp;amp;#D;": _each("&amp;amp;#{};"),
    "&#38;#D;": _each("&#38;#{};"),
    "%H": _each("%{:02X}", _DIGITS_AND_SIGNS),
    "%h": _each("%{:02x}", _DIGITS_AND_SIGNS),
    "%25H": _each("%25{:02X}", _DIGITS_AND_SIGNS),
    "\\u": _each("\\u{:04x}"),
    "\\u{}": _each("\\u{{{:x}}}"),
    "\\x": _each("\\x{:02x}"),
    "names": lambda text: "".join(_NAMES.get(sign, sign) for sign in text),
    "dots of other scripts": lambda text: text.replace(".", "。"),
    "dot leaders": lambda text: text.replace(".", "\u2024"),
    "dots in brackets": lambda text: text.replace(".", "[.]").replace("@", "[@]"),
    "other at sign": lambda text: text.replace("@", "\ufe6b"),
    "hyphens that do not break": lambda text: text.replace("-", "\u2011"),
    "en dashes": lambda text: text.replace("-", "\u2013"),
    "a line break after the at sign": lambda text: text.replace("@", "@\n"),
    "a space after the at sign": lambda text: text.replace("@", "@ "),
    "spaces around the at sign": lambda text: text.replace("@", " @ "),
    "a line break before a dot": lambda text: re.sub(r"\.(?=com)", "\n.", text),
}  # fmt: skip
"""What writes the signs of a value otherwise."""


@dataclass(frozen=True, slots=True)
class Hidden:
    """A value that hides."""

    name: str
    value: Value
    text: str = field(repr=False)
    """What stands in the sentence."""


def hidden(name: str, value: Value) -> list[Hidden]:
    """A value in every way there is for it; those that change nothing are left out."""
    ways: dict[str, str] = {}
    if len(value.groups) > 1:
        ways |= {f"joined by {joint}": sign.join(value.groups) for joint, sign in JOINTS.items()}
        ways["digit by digit, spaced"] = " ".join("".join(value.groups)) if value.kind != "iban" else str(value)
    plain = str(value)
    ways |= {f"{sign} after each": "".join(character + unseen for character in plain[:-1]) + plain[-1]
             for sign, unseen in NOTHING.items()}  # fmt: skip
    ways |= {sign: hide(plain) for sign, hide in SIGNS.items()}
    return [
        Hidden(f"{name}, {way}", value, text)
        for way, text in ways.items()
        if text != plain and not re.match(value.but, way)
    ]
