"""What a tag of HTML hides by its style: by size, place, colour or opacity; pure."""

from __future__ import annotations

import re

_HIDES = re.compile(
    r"display\s*+:\s*+none|visibility\s*+:\s*+(?:hidden|collapse)|opacity\s*+:\s*+0?\.?0*+(?=[\s;!]|\Z)"
    r"|font-size\s*+:\s*+[01](?:\.\d*+)?(?:px|pt|em|rem|%)?(?=[\s;!]|\Z)|(?:max-)?(?:height|width)\s*+:\s*+[01](?:px)?(?=[\s;!]|\Z)"
    r"|text-indent\s*+:\s*+-\d{3,}|(?:left|top|margin-left)\s*+:\s*+-\d{3,}|mso-hide\s*+:\s*+all"
    r"|(?<![-\w])color\s*+:\s*+(?:transparent|white|\#fff(?:fff)?\b|rgba?\(\s*+255\s*+,\s*+255\s*+,\s*+255)|clip\s*+:\s*+rect\(0",
    re.IGNORECASE,
)
_OPACITY = re.compile(r"(?<![-\w])opacity\s*+:\s*+(?P<value>\d*+\.?\d*+)(?P<percent>%?)", re.IGNORECASE)
_COLOUR = re.compile(
    r"(?<![-\w])color\s*+:\s*+(?:\#(?P<hex>[0-9a-f]{3,8})\b"
    r"|rgba?\(\s*+(?P<rgb>[\d.]++%?[\s,/]++[\d.]++%?[\s,/]++[\d.]++%?)(?:[\s,/]++(?P<alpha>[\d.]++%?))?"
    r"|hsla?\([^,\s)]++[\s,]++[\d.]++%?[\s,]++(?P<light>[\d.]++)%|(?P<name>[a-z]++)\b)",
    re.IGNORECASE,
)
_CSS_COMMENT = re.compile(r"/\*(?:[^*]|\*(?!/))*+\*/")
_WHITES = frozenset(
    [
        "white",
        "transparent",
        "snow",
        "ivory",
        "ghostwhite",
        "whitesmoke",
        "floralwhite",
        "mintcream",
        "azure",
        "aliceblue",
        "seashell",
        "lavenderblush",
        "linen",
        "honeydew",
        "lightyellow",
        "cornsilk",
        "oldlace",
        "lightcyan",
    ]
)
NEAR_WHITE = 1.25
"""Contrast with white (WCAG's) below which a text is as good as not there."""
FAINT = 0.1
"""Opacity below which it is, too."""


def is_hidden(about: dict[str, str]) -> bool:
    """Whether a tag with such fields shows nothing of its text, or hardly."""
    if "hidden" in about or about.get("aria-hidden", "").lower() == "true":
        return True
    if about.get("size") == "0" or _is_pale(f"color:{about.get('color', '').strip()[:40]}"):
        return True
    style = _CSS_COMMENT.sub("", about.get("style", "")[:2000])
    return bool(_HIDES.search(style)) or _is_pale(style) or _is_faint(style)


def _is_faint(style: str) -> bool:
    for found in _OPACITY.finditer(style):
        try:
            value = float(found["value"]) / (100 if found["percent"] else 1)
        except ValueError:
            continue
        if value < FAINT:
            return True
    return False


def _is_pale(style: str) -> bool:
    """Whether a colour of a text can hardly be told from white."""
    for found in _COLOUR.finditer(style):
        if found["name"] and found["name"].lower() in _WHITES:
            return True
        if found["light"] and float(found["light"].strip(".") or 0) >= 90:
            return True
        parts, alpha = _channels(found)
        if alpha < FAINT or (parts and 1.05 / (_luminance(parts) + 0.05) < NEAR_WHITE):
            return True
    return False


def _channels(found: re.Match[str]) -> tuple[list[float], float]:
    """Red, green and blue from 0 to 1, none where it names no figures; and how opaque it is."""
    if code := found["hex"]:
        wide = 1 if len(code) in (3, 4) else 2
        parts = [
            int(code[at : at + wide] * (3 - wide), 16) / 255 for at in range(0, len(code) - wide + 1, wide)
        ]
        return (parts[:3], parts[3] if len(parts) > 3 else 1) if len(parts) >= 3 else ([], 1)
    if not found["rgb"]:
        return [], 1
    parts = [_figure(text, 255) for text in re.split(r"[\s,/]+", found["rgb"])]
    return parts, _figure(found["alpha"], 1) if found["alpha"] else 1


def _figure(text: str, of: int) -> float:
    try:
        return float(text.rstrip("%")) / (100 if text.endswith("%") else of)
    except ValueError:
        return 1


def _luminance(parts: list[float]) -> float:
    """How bright a colour is (WCAG 2)."""
    plain = [part / 12.92 if part <= 0.04045 else ((min(part, 1) + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * plain[0] + 0.7152 * plain[1] + 0.0722 * plain[2]
