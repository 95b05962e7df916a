"""Thoughts that a server leaves in the text of an answer: any cut into chunks gives the same text, without them."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gptbot.llm.client import ModelClient
from gptbot.llm.errors import EmptyAnswer
from gptbot.llm.thoughts import Thoughts, without_unopened
from gptbot.llm.types import Message
from tests.fakes.openai import FakeOpenAI
from tests.llm.conftest import MakeClient

HELLO: list[Message] = [{"role": "user", "content": "Hello"}]
HIDDEN = {
    "<think>\nOkay…\n</think>\n\nHello!": "Hello!",
    "\n\n <think>\n</think>\n\nHello!": "Hello!",
    "<THINK>Okay</Think>Hello!": "Hello!",
    "<think/>Hello!": "Hello!",
    "<thinking>a <think> b</thinking>Hello!": "Hello!",
    "<thought>a</thought>\n<think>b</think>\nHello!": "Hello!",
    "<reasoning>a</reasoning> Hello!": "Hello!",
    "<seed:think>a</seed:think>Hello!": "Hello!",
    "[THINK]a[/THINK]Hello!": "Hello!",
    "◁think▷a◁/think▷Hello!": "Hello!",
    "<|START_THINKING|>a<|END_THINKING|><|START_RESPONSE|>Hello!<|END_RESPONSE|>": "Hello!",
    "<|begin_of_thought|>a<|end_of_thought|>\n\n<|begin_of_solution|>\nHello!\n<|end_of_solution|>": "Hello!",
    "<think>a</think>\n<answer>\nHello!\n</answer>\n": "Hello!",
    "<|channel>thought\na<channel|>Hello!": "Hello!",
    "<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>final<|message|>Hello!<|return|>": "Hello!",
    "<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>final json<|message|>Hello!": "Hello!",
    "<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>final <|constrain|>json<|message|>{}": "{}",
    "<|channel|>final<|message|>Hello!": "Hello!",
    "analysisWe greet.assistantfinalHello!": "Hello!",
    "</think>\n\nHello!": "Hello!",
    "<think>no end": "",
    "<think>\nno end": "",
    "<think> Okay, no end": "",
    "<think> a </think> b": "b",
}  # fmt: skip
STAYS = [
    "Hello!", "", "  Hello", "<b>Hello</b>", "<", "<thi", "<thinker>a</thinker>", "a <think>b</think> c",
    "```\n<think>a</think>\n```", "`<think>` opens", "analysis of it", "analysis", "AnalysisWe", "<answer>a</answer>",
    "[THINKER]", "◁", "   ", "\n\n<p>", "Use <|channel|>final<|message|> for it",
    "<think> is a tag of reasoning models", "<think>, so to speak", "<think> — тег", "[THINK] is Mistral's sign",
    "<thinking> is what some prompts ask for. " + "It never ends. " * 40,
]  # fmt: skip
PIECES = [
    "<think>", "</think>", "<thinking>", "</thinking>", "<think/>", "[THINK]", "[/THINK]", "◁think▷", "◁/think▷",
    "<|channel|>", "final", "<|message|>", "analysis", "assistantfinal", "<answer>", "</answer>", "<|return|>", "\n",
    " ", "Hello", "<", "</", "`", "İ", "ſ", "\u212a", "<thin\u212a>",
]  # fmt: skip


def read(pieces: list[str], *, begun: bool = False, cut: bool = False) -> tuple[str, int]:
    """The text, and how many characters were hidden."""
    thoughts = Thoughts(begun=begun)
    shown = "".join([*map(thoughts.feed, pieces), thoughts.end(cut=cut)])
    return shown, thoughts.hidden


@pytest.mark.parametrize("text", HIDDEN)
def test_thoughts_that_begin_an_answer_are_hidden_however_it_is_cut(text: str) -> None:
    assert read([text])[0] == read(list(text))[0] == HIDDEN[text]
    for cut in range(len(text)):
        assert read([text[:cut], text[cut:]])[0] == HIDDEN[text], cut


@pytest.mark.parametrize("text", STAYS)
def test_all_other_text_stays(text: str) -> None:
    assert read([text]) == read(list(text)) == (text, 0)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Okay, greet.\n</think>\n\nHello!", "Hello!"),
        ("Hello!", "Hello!"),
        ("```html\n<p>\n</think>\n```\nThat is it.", None),
        ("Split at `foo</think>bar` and strip.", None),
        ("Of `a</think>b` they ask.\n</think>\nIt ends the thoughts.", "It ends the thoughts."),
        ("`a</think>b` " * 9 + "all end", None),
    ],
)
def test_code_of_an_endpoint_that_thinks_stays_whole(text: str, answer: str | None) -> None:
    expected = text if answer is None else answer
    assert read([text], begun=True)[0] == read(list(text), begun=True)[0] == expected


@pytest.mark.parametrize("begun", [False, True])
@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=12), st.lists(st.integers(0, 200), max_size=8))
@example(["x", "</think>", " ", "\n", "Hello"], [2, 9])
def test_any_cut_gives_the_same_text(begun: bool, parts: list[str], cuts: list[int]) -> None:
    text = "".join(parts)
    places = sorted({0, len(text), *(min(cut, len(text)) for cut in cuts)})
    for cut in (False, True):
        whole = read([text], begun=begun, cut=cut)
        assert read([text[a:b] for a, b in itertools.pairwise(places)], begun=begun, cut=cut) == whole
        assert read(list(text), begun=begun, cut=cut) == whole
        assert len(whole[0]) + whole[1] <= len(text)


@given(st.text(max_size=600), st.integers(1, 7))
def test_little_is_held_back(text: str, size: int) -> None:
    thoughts = Thoughts()
    for place in range(0, len(text), size):
        thoughts.feed(text[place : place + size])
        assert len(thoughts._tail) <= 320 + size


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Okay, greet.\n</think>\n\nHello!", "Hello!"),
        ("Okay, greet.</think>Hello!", "Hello!"),
        ("Okay, greet. </think>\nHello!", "Hello!"),
        ("Hm.[/THINK]Hello!", "Hello!"),
        ("Надо поздороваться</think>Привет!", "Привет!"),
        ("用户想要问候。</think>你好!", "你好!"),
        ("Greet 😊</think>Hello!", "Hello!"),
        ("Hm.◁/think▷Hello!", "Hello!"),
        ("The `</think>` tag ends it.", None),
        ("The </think> tag ends it.", None),
        ("```html\n<think>\n</think>\n```\nThat is it.", None),
        ("Close it with\n</think>", None),
        ("Use `re.sub(r'<think>.*?</think>', '', text)` to strip them.", None),
        ("Split at `foo</think>bar` and strip.", None),
        ("Here it is:\n\n<think>hm</think>\nHello\n\nThat is it.", None),
        ("As in\n\n    [THINK]\n    hm\n    [/THINK]\n    Hello\n\nand so on.", None),
        ("1. `<think>` opens.\n2. After it, </think>\nends.", None),
        ("\u200b<think>Hm.</think>Hello!", "Hello!"),
        ("<|im_start|>assistant\n<think>\nHm.\n</think>\n\nHello!", "Hello!"),
        ("Hello!", None),
    ],
)
def test_an_end_without_a_beginning(text: str, answer: str | None) -> None:
    assert without_unopened(text) == (text if answer is None else answer)


async def ask(client: ModelClient, *, streaming: bool = True) -> tuple[str, str]:
    """What was shown while it came, and the whole."""
    shown: list[str] = []
    completion = await (client.stream(HELLO, shown.append) if streaming else client.complete(HELLO))
    return "".join(shown), completion.text


async def test_neither_what_is_shown_nor_the_answer_has_thoughts(fake: FakeOpenAI, make_client: MakeClient) -> None:
    pieces = ["<thi", "nk>\nOkay…\n", "</th", "ink>\n\n", "Hel", "lo!"]
    fake.say("", pieces=pieces)
    assert await ask(make_client(interval=0.0)) == ("Hello!", "Hello!")
    fake.say("".join(pieces))
    assert await ask(make_client(), streaming=False) == ("", "Hello!")


async def test_an_endpoint_that_opens_thoughts_in_the_prompt_is_learned(
    fake: FakeOpenAI, make_client: MakeClient
) -> None:
    client = make_client(interval=0.0)
    for shown in ("Okay.\n</think>\n\nHello!", "Hello!"):
        fake.say("", pieces=["Okay.", "\n</thi", "nk>\n\n", "Hello!"])
        assert await ask(client) == (shown, "Hello!")
    for shown in (
        "",
        "",
        "",
        "Hi there!",
    ):  # it thinks no more: held back to the end for three answers
        fake.say("", pieces=["Hi ", "there!"])
        assert await ask(client) == (shown, "Hi there!")


async def test_thoughts_cut_at_the_most_tokens_are_no_answer(fake: FakeOpenAI, make_client: MakeClient) -> None:
    client = make_client()
    fake.say("Okay.</think>Hello!")
    await ask(client)
    fake.say("Okay, so what", finish_reason="length", times=None)
    with pytest.raises(EmptyAnswer):
        await ask(client)


async def test_thoughts_are_counted(fake: FakeOpenAI, make_client: MakeClient) -> None:
    class Counting:
        said = 0

        async def before(self, endpoint: object, messages: object) -> None:
            pass

        def heard(self, said: int) -> None:
            self.said = max(self.said, said)

        def after(self, endpoint: object, messages: object, usage: object, said: int) -> None:
            assert said == self.said

    meter, text = Counting(), "<think>" + "Okay. " * 100 + "</think>Hello!"
    fake.say(text)
    await make_client().stream(HELLO, lambda _: None, meter)
    assert meter.said == len(text)
