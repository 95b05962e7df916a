"""What is known of an endpoint of the model: what its last request came to, and its last probe, put together.

The bot's workers write the first, one of its gateways the second, each with the time.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

OK = "ok"
"""The last request was answered."""
REACHABLE = "reachable"
"""The API answers probes, and no request was made of late."""
RECOVERED = "recovered"
"""The API answers probes again after the last request failed."""
GOOD = (OK, REACHABLE, RECOVERED)

_PROBE = "probe "
_LEARNED = "learned "
_LONGEST = 4096
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_MOST_NAMES = 8
_ANSWERS = (OK, "there")
"""Good outcomes of a probe: `there` says nothing of the key."""
_DISPROVED_BY = {
    "unreachable": _ANSWERS, "timeout": _ANSWERS, "overloaded": _ANSWERS, "bad_stream": _ANSWERS, "unauthorized": (OK,),
}  # fmt: skip
"""Why a request failed, to the outcomes of a later probe that show that it is over. Money and names are not shown."""
_FAILURE_LASTS = 3600.0
"""Seconds for which a failed request counts."""
_LASTS = 86_400.0
"""Seconds for which anything counts."""
_UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)


@dataclass(frozen=True, slots=True)
class _Outcome:
    kind: str
    at: float


def outcomes(raw: Mapping[bytes, bytes], now: float) -> dict[str, str]:
    """Endpoint, by its field in the GptBot, to one of `GOOD` or to what failed. `now` in seconds since 1970.

    An endpoint of which nothing is known, or nothing that still counts, is left out.
    """
    asked, probed = dict[str, _Outcome](), dict[str, _Outcome]()
    for name, text in raw.items():
        field = name.decode(errors="replace")
        if field.startswith(_LEARNED):
            continue
        path = field.removeprefix(_PROBE)
        with contextlib.suppress(*_UNREADABLE):
            outcome = _outcome(json.loads(text), now)
            if now - outcome.at <= _LASTS:
                (asked if path == field else probed)[path] = outcome
    words = {path: _word(asked.get(path), probed.get(path), now) for path in asked.keys() | probed.keys()}
    return {path: word for path, word in words.items() if word is not None}


def left_out(raw: Mapping[bytes, bytes]) -> dict[str, tuple[str, ...]]:
    """Endpoint, by its field in the GptBot, to the parameters that it refused and gets no more."""
    found = dict[str, tuple[str, ...]]()
    for name, text in raw.items():
        field = name.decode(errors="replace")
        if field.startswith(_LEARNED) and len(text) <= _LONGEST:
            with contextlib.suppress(*_UNREADABLE):
                names = [each for each in json.loads(text)["without"] if _NAME.fullmatch(each)][:_MOST_NAMES]
                found[field.removeprefix(_LEARNED)] = tuple(names)
    return found


def _outcome(report: Any, now: float) -> _Outcome:
    return _Outcome(str(report["outcome"]), float(report.get("at") or now))


def _word(asked: _Outcome | None, probed: _Outcome | None, now: float) -> str | None:
    """What to say of the two: the newer one counts, and a good probe undoes what it disproves."""
    if asked is not None and asked.kind != OK and now - asked.at > _FAILURE_LASTS:
        asked = None
    if asked is None:
        return None if probed is None else REACHABLE if probed.kind in _ANSWERS else probed.kind
    if probed is None or probed.at <= asked.at:
        return asked.kind
    if probed.kind not in _ANSWERS:
        return probed.kind
    if asked.kind == OK:
        return OK
    return RECOVERED if probed.kind in _DISPROVED_BY.get(asked.kind, ()) else asked.kind
