"""A message whose send had no answer is found again on Telegram, and gone on with: over the wire, with real turns."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from gptbot.conversation import turn as turns
from gptbot.conversation.turn import Turn
from gptbot.delivery.pacing import Places
from gptbot.inbox.store import Store
from gptbot.platforms.telegram import sender as senders
from gptbot.platforms.telegram.limits import BEYOND
from gptbot.platforms.telegram.sender import TelegramSender
from tests.conversation.test_shorter_try import ADA, LONG, Chat, Shown, chat, texts_of
from tests.fakes.telegram import FakeTelegram

BEN = 4712
GROUP = -1001


@pytest.fixture
async def talk(store: Store, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Chat]:
    """A chat in which each message is a question of its own."""
    monkeypatch.setattr(turns, "_BASE_DELAY", 0.1)
    monkeypatch.setattr(senders, "LOOKS", 5)
    async with chat(store, "telegram", context={"debounce": 0}) as found:
        await telegram(found).add_user(BEN, "Ben", language_code="en")
        yield found


def telegram(talk: Chat) -> FakeTelegram:
    assert isinstance(talk.platform, FakeTelegram)
    return talk.platform


async def looks(talk: Chat) -> int:
    return len(await telegram(talk).calls("editMessageCaption"))


async def answer(talk: Chat) -> Shown:
    """Do the next turn; what is shown then. At no time is the bot told that it is too fast."""
    await (await talk.turn()).run()
    assert [call for call in telegram(talk).history if call.status == 429] == []
    return await talk.shown()


@pytest.mark.parametrize(("version", "method"), [((10, 0), "sendMessage"), ((10, 3), "sendRichMessage")])
async def test_an_answer_whose_send_had_no_answer_is_not_doubled(
    talk: Chat, version: tuple[int, int], method: str
) -> None:
    await telegram(talk).set_bot_api(*version)
    await telegram(talk).inject(method, "close_after")
    talk.model.say("The sky.")
    await talk.ask("What is up?")
    assert await answer(talk) == [("The sky.", ["retry"])]
    assert await looks(talk) == 1


async def test_a_fragment_with_a_stop_button_grows_to_the_answer(talk: Chat) -> None:
    await telegram(talk).inject("sendMessage", "close_after")
    text = LONG[:400]
    talk.model.say(text, tokens_per_second=60)
    await talk.ask("tell me more")
    assert await answer(talk) == [(text.strip(), ["retry"])]
    [message] = await telegram(talk).messages(ADA, from_bot=True)
    assert message.versions[0].text != message.text, "it was sent as a fragment"


async def test_a_second_part_is_found_too(talk: Chat) -> None:
    await telegram(talk).inject("sendMessage", "stall_before", seconds=0)
    await telegram(talk).inject("sendMessage", "close_after")
    talk.model.say(LONG[:6000])
    await talk.ask("tell me much")
    shown = await answer(talk)
    assert len(shown) == 2
    assert [buttons for _, buttons in shown] == [[], ["retry"]]
    assert "".join(texts_of(shown)).replace(" ", "") == LONG[:6000].replace(" ", "")


async def test_a_part_that_the_text_has_no_more_is_found_and_deleted(talk: Chat) -> None:
    await telegram(talk).inject("sendMessage", "stall_before", seconds=0)
    await telegram(talk).inject("sendMessage", "close_after")
    talk.model.fail("stall", text=LONG, after_tokens=1100)
    talk.model.say("Short.")
    await talk.ask("tell me much")
    first = asyncio.create_task((await talk.turn()).run())
    await telegram(talk).wait_for_calls("sendMessage", count=2)
    talk.break_off()
    await first
    assert len(await talk.shown()) == 1
    assert await answer(talk) == [("Short.", ["retry"])]


async def test_whoever_takes_over_from_a_worker_that_died_in_between_finds_it(
    talk: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dead(*_: object) -> None:
        """Whoever is killed hands nothing over."""

    async def stuck(*_: object) -> None:
        """Nor does it note what it has sent."""
        await asyncio.Event().wait()

    talk.model.say("The sky.", times=2)
    await talk.ask("What is up?")
    with monkeypatch.context() as killed:
        killed.setattr(Turn, "_hand_over", dead)
        killed.setattr(talk.bot.mailbox, "sent", stuck)
        first = asyncio.create_task((await talk.turn()).run())
        await telegram(talk).wait_for_messages(ADA)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
    for number in range(3):  # others go on meanwhile: all private chats share their ids
        await telegram(talk).say(BEN, BEN, f"{number}")
    with monkeypatch.context() as later:
        later.setattr(talk.bot.mailbox, "lease", 0.05)
        async with asyncio.timeout(15):
            while not (found := await talk.bot.mailbox.take_over(5)):
                await asyncio.sleep(0.02)
    keys = talk.bot.keys
    ours = keys.pseudonym("telegram", "conversation", str(ADA))
    [entry] = [entry for entry in found if entry.conversation == ours]
    turn = await talk.turn(entry)
    await turn.run()
    assert await talk.shown() == [("The sky.", ["retry"])]
    assert await looks(talk) == 1


async def test_what_earlier_turns_said_is_not_taken_for_it(talk: Chat) -> None:
    talk.model.say("First.")
    talk.model.say("Second.")
    await talk.ask("One?")
    entry = await talk.entry()
    first = await talk.turn(entry)
    await talk.ask("Two?")  # before the answer to the first: its id is the lower one
    async with asyncio.timeout(15):
        while len(await talk.bot.mailbox.waiting(entry.conversation)) < 2:
            await asyncio.sleep(0.02)
    await first.run()
    senders_own = talk.bot._senders.pop("telegram")  # another worker, which knows nothing of the first answer
    assert senders_own is not talk.bot.sender("telegram")
    await telegram(talk).inject("sendMessage", "close_after")
    assert texts_of(await answer(talk)) == ["First.", "Second."]
    assert await looks(talk) == 1


async def test_what_was_not_sent_is_looked_for_in_vain_and_sent(talk: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(senders, "LOOKS", 3)
    await telegram(talk).inject("sendMessage", "close_before")
    talk.model.say("The sky.")
    await talk.ask("What is up?")
    assert await answer(talk) == [("The sky.", ["retry"])]
    assert await looks(talk) == 3


async def test_a_message_deep_among_those_of_others_is_found_within_the_looks(talk: Chat) -> None:
    real = telegram(talk).methods.handlers["sendmessage"]

    async def among_others(given: object) -> object:
        for number in range(2):
            await telegram(talk).say(BEN, BEN, f"{number}")
        await telegram(talk).say(ADA, ADA, "and another thing")
        return await real(given)  # type: ignore[arg-type]

    await telegram(talk).inject("sendMessage", "close_after")
    telegram(talk).add_method("sendMessage", among_others)
    talk.model.say("The sky.")
    await talk.ask("What is up?")
    assert texts_of(await answer(talk)) == ["The sky."]
    assert await looks(talk) == 4


async def test_what_waits_for_its_place_is_not_looked_for(talk: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that is killed meanwhile has sent nothing."""

    async def no_place(*_: object, **__: object) -> float:
        return 20.0

    talk.model.say("The sky.")
    await talk.ask("What is up?")
    monkeypatch.setattr(Places, "take", no_place)
    monkeypatch.setattr(Places, "take_interim", no_place)
    turn = await talk.turn()
    key = talk.bot.keys.turn(turn._claim.conversation)
    waiting = asyncio.create_task(turn.run())
    async with asyncio.timeout(15):
        while await talk.bot.store.command("HGET", key, "trying") != b"":
            await asyncio.sleep(0.02)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert await telegram(talk).calls("sendMessage") == []


async def test_ids_that_are_known_to_be_others_are_passed_over(talk: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    sender = talk.bot.sender("telegram")
    assert isinstance(sender, TelegramSender)
    ada = {"chat_id": ADA, "chat_type": "private", "message_id": 10}
    mark = sender.mark(ada)
    assert mark is not None
    assert sender.candidates(ada, mark, "") == ["11", "12", "13", "14", "15"], "as many as may be looked at"
    for known in (11, 13, 15, 16):
        sender.mark({"chat_id": BEN, "chat_type": "private", "message_id": known})
    assert sender.candidates(ada, mark, "") == ["12", "14", "17", "18", "19"]
    assert sender.candidates(ada, mark, "17") == ["18", "19", "20", "21", "22"]
    monkeypatch.setattr(senders, "LOOKS", 20)
    assert sender.candidates(ada, "16/20", "") == [str(16 + number) for number in range(1, BEYOND + 1)]


@pytest.mark.parametrize(
    "error",
    [
        {"ok": False, "error_code": 400, "description": "Bad Request: captions are gone with Bot API 12"},
        {"ok": False, "error_code": 404, "description": "Not Found: method not found"},
        {"ok": True, "result": True},
    ],
)
async def test_an_answer_in_other_words_tells_nothing_and_it_is_sent_again(talk: Chat, error: object) -> None:
    status = 200 if error == {"ok": True, "result": True} else error["error_code"]  # type: ignore[index]
    await telegram(talk).inject("sendMessage", "close_after")
    await telegram(talk).inject("editMessageCaption", "answer", status=status, body=error)
    talk.model.say("The sky.")
    await talk.ask("What is up?")
    assert texts_of(await answer(talk)) == ["The sky.", "The sky."]
    assert await looks(talk) == 1


async def test_trouble_while_looking_is_waited_for(talk: Chat) -> None:
    await telegram(talk).inject("sendMessage", "close_after")
    await telegram(talk).inject("editMessageCaption", "answer", status=502)
    await telegram(talk).inject("editMessageCaption", "close_before")
    talk.model.say("The sky.")
    await talk.ask("What is up?")
    assert await answer(talk) == [("The sky.", ["retry"])]


async def test_in_groups_nothing_is_looked_for(talk: Chat) -> None:
    await telegram(talk).add_group(GROUP)
    await telegram(talk).inject("sendMessage", "close_after")
    talk.model.say("The sky.")
    await telegram(talk).say(GROUP, ADA, "/retry@gptbot_test_bot")
    await telegram(talk).say(GROUP, ADA, "@gptbot_test_bot What is up?")
    await (await talk.turn()).run()
    assert await looks(talk) == 0


async def test_a_stop_with_nothing_to_stop_takes_its_keyboard_away(talk: Chat) -> None:
    talk.model.say("The sky.")
    await talk.ask("What is up?")
    await answer(talk)
    [message] = await telegram(talk).messages(ADA, from_bot=True)
    message.markup = {"inline_keyboard": [[{"text": "Stop", "callback_data": "!stop"}]]}
    await telegram(talk).press(ADA, ADA, message.id, "!stop")
    await (await talk.turn()).run()
    assert (await talk.shown())[0] == ("The sky.", [])
    await talk.ask("/stop")
    calls = len(await telegram(talk).calls("editMessageReplyMarkup"))
    await (await talk.turn()).run()
    assert len(await telegram(talk).calls("editMessageReplyMarkup")) == calls, "nothing was pressed"
