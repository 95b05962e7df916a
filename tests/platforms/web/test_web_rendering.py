"""Markdown to HTML: nothing dangerous comes through, and half a text looks like half a text."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptbot.platforms.web.live import LiveMessage
from gptbot.platforms.web.markdown import completed, render, split_last_block

ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<a href='javascript:alert(1)'>x</a>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:msgbox)",
    "[x](//evil.example)",
    "[x](/message)",
    "<javascript:alert(1)>",
    "![x](https://evil.example/pixel.png)",
    "![x](javascript:alert(1))",
    '[x](https://e.example "onmouseover=alert(1)")',
    '[x](https://e.example/"onmouseover="alert(1))',
    '```"><script>alert(1)</script>\n</code></pre><script>alert(1)</script>\n```',
    "```js onload=alert(1)\"'>\nx\n```",
    "| <script>alert(1)</script> |\n|:-:|\n| <img src=x onerror=alert(1)> |",
    "<style>@import 'https://evil.example'</style>",
    "<form action=https://evil.example><button>",
    "<base href=https://evil.example>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--><img src=1 onerror=alert(1)>'>",
    "<a id=log name=log>",
    "x\x00<scr\x00ipt>alert(1)</script>",
]
TAGS = {
    "a", "blockquote", "br", "code", "del", "div", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p",
    "pre", "s", "span", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
ATTRIBUTES = {"href", "rel", "target", "start", "data-language", "data-align", "class", "tabindex", "dir"}


class Inspector(HTMLParser):
    """Fails on anything that is not on the short list."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS, tag
        for name, value in attrs:
            assert name in ATTRIBUTES, name
            if name == "href":
                assert re.match(r"(https?://|mailto:)", value or ""), value
            if name == "class":
                assert value in ("table", "code", "formula")
        if tag == "a" and "href" in dict(attrs):
            assert dict(attrs)["rel"] == "noopener noreferrer nofollow"
            assert dict(attrs)["target"] == "_blank"


def inspect(html: str) -> None:
    Inspector().feed(html)


@pytest.mark.parametrize("text", ATTACKS)
def test_attacks_are_neutralised(text: str) -> None:
    for form in (text, f"- {text}", f"> {text}", f"**{text}**", f"# {text}", text[:-3]):
        inspect(render(form))
        live = LiveMessage()
        live.update(form)
        for html in (*live.blocks, live.tail):
            inspect(html)


@given(st.text(alphabet="<>()[]!`*_~|\\\"'&#:/ \nabjs=-", max_size=80))
def test_whatever_is_written_is_safe_alive_and_complete(text: str) -> None:
    inspect(render(text))
    inspect(render(completed(text)))


def test_what_people_and_models_write() -> None:
    html = render(
        "Look at https://example.org/a_b, **now**\nand [there](https://example.org/x).\n\n"
        "1. one\n2. two\n\n```python\nprint('<hi>')\n```\n\n| a | b |\n|:--|--:|\n| 1 | ~~2~~ |\n\n![cat](https://x.example/c.png)"
    )
    rel = 'target="_blank" rel="noopener noreferrer nofollow"'
    assert f'<a href="https://example.org/a_b" {rel}>https://example.org/a_b</a>, <strong>now</strong><br>' in html
    assert f'<a href="https://example.org/x" {rel}>there</a>' in html
    assert '<ol dir="auto">\n<li>one</li>' in html
    code = "<code>print('&lt;hi&gt;')\n</code>"
    assert f'<div class="code" data-language="python"><pre tabindex="0" dir="ltr">{code}</pre></div>' in html
    assert '<div class="table" dir="auto" tabindex="0"><table>' in html
    assert '<td data-align="end"><s>2</s></td>' in html
    assert "<img" not in html
    assert f'<a href="https://x.example/c.png" {rel}>cat</a>' in html


@pytest.mark.parametrize(
    ("half", "shown"),
    [
        ("so **bold", "so **bold**"),
        ("so **bold ", "so **bold**"),
        ("so **", "so "),
        ("an *emphasis", "an *emphasis*"),
        ("~~gone", "~~gone~~"),
        ("both **bold and *em", "both **bold and *em***"),
        ("done **bold** and on", "done **bold** and on"),
        ("a `code", "a `code`"),
        ("a `", "a "),
        ("a ``co`de", "a ``co`de``"),
        ("`**` is two stars", "`**` is two stars"),
        ("see [the page](https://exa", "see the page"),
        ("see [the page](", "see the page"),
        ("see [the pa", "see the pa"),
        ("2 * 3 * 4", "2 * 3 * 4"),
        ("* item", "* item"),
        ("- item **one", "- item **one**"),
        ("| a | b |", ""),
        ("| a | b |\n|--", ""),
        ("| a | b |\n|--|--|\n| 1", "| a | b |\n|--|--|\n| 1"),
        ("```py\nx = '**", "```py\nx = '**"),
        ("plain", "plain"),
    ],
)
def test_half_a_text(half: str, shown: str) -> None:
    assert completed(half) == shown


TEXT = (
    "# Washing machines\n\nTwo **good** ones:\n\n- the [A1](https://a.example/1)\n- the `B2`\n\n   with more\n\n"
    "```sh\necho 1\n\necho 2\n```\n\n> a quote\n\n| m | price |\n|---|--:|\n| A1 | 300 |\n\nTake *care*.\n"
)


@given(st.lists(st.integers(0, len(TEXT)), max_size=12).map(sorted))
def test_live_message_ends_as_the_complete_one(cuts: list[int]) -> None:
    live = LiveMessage()
    for cut in [*cuts, len(TEXT)]:
        live.update(TEXT[:cut])
        assert live.generation == 0
    assert "".join(live.blocks) + live.tail == render(TEXT)


def test_finished_blocks_are_not_rendered_again() -> None:
    live = LiveMessage()
    live.update(TEXT[:60])
    before = list(live.blocks)
    live.update(TEXT)
    assert before
    assert live.blocks[: len(before)] == before
    live.update("other")
    assert (live.generation, live.blocks, live.tail) == (1, [], '<p dir="auto">other</p>\n')


@given(st.text(alphabet="ab*-`#|>1. \n\u2028\x0b", max_size=60))
def test_split_keeps_every_letter(text: str) -> None:
    assert "".join(split_last_block(text)) == text


@pytest.mark.parametrize(
    ("markdown", "shown"),
    [
        ("**注意：**正文", "<strong>注意：</strong>正文"),
        ("含**「重点」**内容", "含<strong>「重点」</strong>内容"),
        ("**강조(중요)**는", "<strong>강조(중요)</strong>는"),
        ("*注意：*正文 ~~注意：~~正文", "<em>注意：</em>正文 <s>注意：</s>正文"),
        ("***注意：***正文", "<em><strong>注意：</strong></em>正文"),
        ("这是**“重点”**内容", "这是<strong>“重点”</strong>内容"),
        ("**`x`**です", "<strong><code>x</code></strong>です"),
        ("`**注：**正`", "<code>**注：**正</code>"),
        ("2**「x」 y*z", "2**「x」 y*z"),
        ('a**"b"**c', "a**&quot;b&quot;**c"),
    ],
)
def test_emphasis_stands_beside_scripts_without_spaces(markdown: str, shown: str) -> None:
    assert shown.replace("&quot;", '"') in render(markdown)


@pytest.mark.parametrize(
    "formula",
    [
        r"\( x \)", r"\(a_1 * b_2 * c\)", r"\[ \frac{a}{b} \]", r"$$\{x\}$$", r"$a_1$", r"\(|x|\)", r"$n$",
        r"\(\begin{matrix}1&2\\3&4\end{matrix}\)", r"\[a<b>c\]", r"\(f(x)\)", r"$$a\\[2pt]b_c*d*$$",
        r"\begin{align}a_1 &= b\\c_1 &= d\end{align}", r"\begin{cases}\begin{matrix}1\\2\end{matrix}\\3\end{cases}",
    ],
)  # fmt: skip
def test_a_formula_survives_as_written(formula: str) -> None:
    for markdown in (
        f"so {formula} is",
        f"- **{formula}**\n- *b*",
        f"| a | b |\n|---|---|\n| {formula} | c |",
        f"> {formula}",
    ):
        html = render(markdown)
        assert formula in unescape(html).replace("<br>", ""), html
        assert html.count('class="formula" dir="ltr"') == 1
    assert formula in unescape(render(f"`{formula}`"))
    assert "formula" not in render(f"`{formula}`\n\n```\n{formula}\n```\n\n    {formula}")


def test_a_formula_of_several_lines_survives() -> None:
    matrix = "$$\n\\begin{pmatrix}1&2\\\\\n- 3&4\\end{pmatrix}\n$$"
    html = render(f"So:\n{matrix}\nand *then*")
    assert matrix in unescape(html).replace("<br>", "")
    assert "<em>then</em>" in html
    assert unescape(render("> " + matrix.replace("\n", "\n> "))).replace("<br>", "").count(matrix) == 1


@pytest.mark.parametrize(
    "text", ["costs $5 and $10", "$5-$10", "$HOME/bin:$PATH", r"\[link\] \(see this\)", "- $$5\n- $$6", r"\\(x\\)"]
)
def test_what_is_no_formula_is_none(text: str) -> None:
    assert "formula" not in render(text)


def test_a_formula_that_is_being_written_is_shown_as_one() -> None:
    assert completed(r"so \(\frac{a_1*b") == r"so \(\frac{a_1*b\)"
    assert completed("$$\nx_1 *") == "$$\nx_1 *$$"
    assert completed("\\begin{align*}\na_1 &= b \\\\ *") == "\\begin{align*}\na_1 &= b \\\\ *\\end{align*}"
    assert completed(r"**b \(x*y\) c") == r"**b \(x*y\) c**"


@pytest.mark.parametrize(
    ("row", "cells"),
    [
        ("| `ps aux | grep x` | lists |", ["<code>ps aux | grep x</code>", "lists"]),
        ("| a | b | c | **d** |", ["a", "b | c | <strong>d</strong>"]),
        ("a|b|", ["a", "b"]),
        ("| `a || b` | `c | d` |", ["<code>a || b</code>", "<code>c | d</code>"]),
        ("| a | b | | |", ["a", "b"]),
    ],
)
def test_a_row_that_is_longer_than_its_head_loses_nothing(row: str, cells: list[str]) -> None:
    html = render(f"| one | two |\n|---|---|\n{row}\n")
    assert re.findall(r"<td>(.*)</td>", html) == cells


def test_each_block_goes_in_its_own_direction() -> None:
    """What is inside has none of its own: HTML would leave it out when it looks for the first letter of the block."""
    html = render(
        "Python: لغة\n\n- واحد\n- اثنان\n\n> اقتباس\n>\n> - x\n\n| أ | ب |\n|---|---|\n| 1 | 2 |\n\n# عنوان\n\n1. א"
    )
    for block in ("p", "ul", "blockquote", 'div class="table"', "h1", "ol"):
        assert len(re.findall(f'<{block} dir="(?:auto|rtl)"', html)) == 1, block
    assert html.count("dir=") == 6
    plain = render("a " * 30_000)
    assert plain.startswith('<p dir="auto">')


def test_a_row_behind_one_without_a_pipe_keeps_its_cells() -> None:
    assert "5" in render("| a | b |\n|---|---|\n| 1 | 2 |\nnote\n| 3 | 4 | 5 |")


@pytest.mark.parametrize(
    ("markdown", "opening"),
    [
        ("- API של החנות\n- נפח גדול", '<ul dir="rtl">'),
        ("- `API`: ממשק\n- נפח", '<ul dir="rtl">'),
        ("1. HTTP הוא פרוטוקול\n2. כן", '<ol dir="rtl">'),
        ("3. HTTP הוא פרוטוקול\n4. כן", '<ol dir="rtl" start="3">'),
        ("| API | תיאור |\n|---|---|\n| REST | ממשק של החנות |", '<div class="table" dir="rtl" tabindex="0">'),
        ("# Python למתחילים גמורים", '<h1 dir="rtl">'),
        ("> Python היא שפה קלה", '<blockquote dir="rtl">'),
        ("Python هي لغة برمجة", '<p dir="rtl">'),
        ("- שלום means hello and also peace", '<ul dir="auto">'),
        ("ב-Visual Studio Code", '<p dir="auto">'),
        ("- a\n- b", '<ul dir="auto">'),
    ],
)
def test_a_block_goes_the_way_of_most_of_its_words(markdown: str, opening: str) -> None:
    html = render(f"First.\n\n{markdown}\n\nLast.")
    assert html.count(opening) == 1 + 2 * (opening == '<p dir="auto">'), html
    assert opening in render(markdown)
