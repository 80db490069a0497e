"""Canonical JSON (RFC 8785), of which sample ids are the SHA-256."""

from __future__ import annotations

import hashlib
import json
import math
from typing import Any

from .errors import BadQuery


def number(value: float) -> str:
    """A number as ECMAScript spells it: 5.0 is 5, 1e-07 is 1e-7."""
    if not math.isfinite(value):
        raise BadQuery(str(value), "has no place in JSON: give a finite number")
    if value == 0:
        return "0"
    digits, _, exponent = repr(float(value)).partition("e")
    sign = "-" if digits.startswith("-") else ""
    whole, _, fraction = digits.lstrip("-").partition(".")
    fraction = "" if fraction == "0" else fraction
    significant = (whole + fraction).lstrip("0")
    # The place of the decimal point behind the first significant digit.
    leading = len(whole + fraction) - len((whole + fraction).lstrip("0"))
    point = len(whole) - leading + int(exponent or 0)
    significant = significant.rstrip("0") or "0"
    count = len(significant)
    if count <= point <= 21:
        text = significant + "0" * (point - count)
    elif 0 < point <= 21:
        text = significant[:point] + "." + significant[point:]
    elif -6 < point <= 0:
        text = "0." + "0" * -point + significant
    else:
        power = point - 1
        mantissa = significant[0] + ("." + significant[1:] if count > 1 else "")
        text = f"{mantissa}e{'+' if power > 0 else '-'}{abs(power)}"
    return sign + text


def _text(value: Any) -> str:
    if value is None or isinstance(value, (bool, str)):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return number(value)
    if isinstance(value, dict):
        # By UTF-16 code units, as the standard has it.
        names = sorted(value, key=lambda name: name.encode("utf-16-be"))
        return "{" + ",".join(f"{json.dumps(n, ensure_ascii=False)}:{_text(value[n])}" for n in names) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(_text(v) for v in value) + "]"
    raise TypeError(f"{type(value).__name__} has no place in JSON")


def canonical(value: Any) -> bytes:
    """The canonical bytes of a value made of dicts, lists, texts, numbers, booleans and None."""
    try:
        return _text(value).encode()
    except UnicodeEncodeError as error:
        raise BadQuery(repr(error.object[error.start : error.end]), "stands in a text that is not Unicode") from None


def sha256(data: bytes | memoryview) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(data).hexdigest()
