"""Texts for the detector of loops: those that are none, however much they repeat, and those that are."""

from __future__ import annotations

import random
from typing import Final

_DAYS = "| Mo | Tu | We | Th | Fr | Sa | Su |\n|----|----|----|----|----|----|----|\n"
_REFRAIN = (
    "Row, row, row your boat,\nGently down the stream,\nMerrily, merrily, merrily, merrily,\nLife is but a dream.\n\n"
)
_CARD = '  <div class="card">\n    <img src="empty.png" alt="">\n    <h2>Title</h2>\n    <p>Lorem.</p>\n  </div>\n'
_CHAOS = random.Random(8)
_WORDS = (
    "the",
    "quick",
    "brown",
    "fox",
    "jumps",
    "over",
    "a",
    "lazy",
    "dog",
    "while",
    "seven",
    "small",
    "ducks",
    "swim",
)


def _prose(sentences: int) -> str:
    return " ".join(
        " ".join(_CHAOS.choices(_WORDS, k=_CHAOS.randint(4, 14))).capitalize() + "." for _ in range(sentences)
    )


def _digits_of_pi(count: int) -> str:
    """Gibbons, "Unbounded Spigot Algorithms for the Digits of Pi"."""
    q, r, t, k, n, m, found = 1, 0, 1, 1, 3, 3, list[str]()
    while len(found) < count:
        if 4 * q + r - t < n * t:
            found.append(str(n))
            q, r, n = 10 * q, 10 * (r - n * t), 10 * (3 * q + r) // t - 10 * n
        else:
            q, r, t, k, n, m = q * k, (2 * q + r) * m, t * m, k + 1, (q * (7 * k + 2) + r * m) // (t * m), m + 2
    return "".join(found)


NO_LOOPS: Final = {
    "prose": _prose(400),
    "prose of few words": "".join(_CHAOS.choice(["yes. ", "no. ", "yes! "]) for _ in range(4000)),
    "a rule": "Above\n" + "-" * 200 + "\nBelow",
    "long rules in a program": "\n".join(f"# {'-' * 110}\n# Part {n}\n# {'=' * 110}\nx{n} = {n}" for n in range(60)),
    "a grid in HTML": '<div class="cell" data-state="empty"></div>\n' * 100,
    "a list in HTML, in one line": '<li><a href="#">Item</a></li>' * 80,
    "a table of things to do": "| Task | State |\n|---|---|\n" + "| TODO | open |\n" * 144,
    "a program": "Here it is:\n```py\n" + "board.append(Cell(empty=True))\n" * 100 + "```\n",
    "an empty calendar": _DAYS + "|    |    |    |    |    |    |    |\n" * 60,
    "an empty form": "| Name | Phone | Remarks |\n|---|---|---|\n" + "|      |       |         |\n" * 100,
    "a table": "| N | Square | Even |\n|---|---|---|\n" + "".join(
        f"| {n} | {n * n} | {'yes' if n % 2 == 0 else 'no'} |\n" for n in range(400)
    ),
    "a numbered list": "".join(f"{n}. Wash your hands and then go on to the next step.\n" for n in range(1, 200)),
    "check boxes": "- [ ] \n" * 150,
    "a poem with a refrain": "".join(f"{_prose(3)}\n\n{_REFRAIN}" for _ in range(30)),
    "a round": _REFRAIN * 8,
    "na na na": "Na na na na na na na, na na na na, hey Jude\n" * 18,
    "a hundred lines for school": "I will not talk in class. " * 50,
    "laughter": "ha" * 300,
    "a scream": "A" + "a" * 900 + "h!",
    "inserts": "".join(f"INSERT INTO users (id, name) VALUES ({n}, 'user{n}');\n" for n in range(300)),
    "a matrix of zeros": "0 0 0 0 0 0 0 0 0 0 0 0\n" * 100,
    "bytes of zero": "char zeros[] = {\n" + "  0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,\n" * 64 + "};",
    "a drawing": ("#" * 60 + "\n" + ("#" + " " * 58 + "#\n") * 40 + "#" * 60),
    "cards of a page": _CARD * 6,
    "cells of a page": ("<tr>" + "<td></td>" * 7 + "</tr>\n") * 20,
    "pi": "3." + _digits_of_pi(4000),
    "a seventh": "0." + "142857" * 800,
    "a googol and more": "1" + "0" * 5000,
    "ones and zeros": "".join(_CHAOS.choice("01") for _ in range(20_000)),
    "dots of a table of contents": "".join(f"Chapter {n} {'.' * 90} {n * 7}\n" for n in range(60)),
    "white space": "a" + " " * 3000 + "b",
    "hieroglyphs": "".join(_CHAOS.choice("春夏秋冬山川草木花鳥風月雲雨雪") for _ in range(6000)),
    "emoji": "🎉" * 500,
    "an answer with the same code twice": (_prose(10) + "\n```\n" + _CARD * 4 + "```\n") * 2,
}  # fmt: skip

LOOPS: Final = {
    "a word": ("Sure: ", "word "),
    "a letter": ("", "G"),
    "a sentence": (_prose(5), "I hope this helps you with your question. "),
    "a line": ("Here is the list:\n", "- The first thing to do is to look.\n"),
    "a paragraph": (_prose(30), _prose(6) + "\n\n"),
    "a whole answer": ("", _prose(60) + "\n\n"),
    "a very long answer": ("", _prose(120)[:7000] + "\n\n"),
    "lines that come twice in it": ("", "And so on.\nAnd so on.\nAnd so forth, for ever and a day.\n"),
    "Russian": ("Конечно! ", "Надеюсь, это поможет вам. "),
    "Chinese": ("好的。", "我很高兴能帮助您。"),
    "laughter": ("", "哈"),
    "code": ("```python\n", "    print('Hello')\n    print('Hello again')\n"),
    "signs alone": ("", "-"),
    "a row without words": ("| A | B |\n|---|---|\n", "|   |   |\n"),
}
