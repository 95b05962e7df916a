"""What the moderation endpoint objects to is neither answered nor shown, in no moment of the answer."""

from __future__ import annotations

from pathlib import Path

from gptbot.locales import texts
from tests.fakes.openai import FakeOpenAI
from tests.fakes.telegram import FakeTelegram
from tests.process.conftest import MODEL_KEY, secrets, spec
from tests.process.program import Valkey, program, until, write_manifest
from tests.process.test_model_trouble import ended


async def test_questions_and_answers(tmp_path: Path, telegram: FakeTelegram, model: FakeOpenAI, valkey: Valkey) -> None:
    said = {person: texts(language) for person, language in ((11, "en"), (12, "ru"))}
    await telegram.add_user(12, "Boris", language_code="ru")
    reference = {"name": "bot", "key": "model"}
    moderation = {"baseUrl": model.base_url, "apiKeySecretRef": reference}
    settings = spec(telegram, model, gateway={"concurrency": 5}, safety={"moderation": moderation})
    file = str(write_manifest(tmp_path / "bot.yaml", settings, secrets(telegram)))
    model.settings = model.settings.model_copy(update={"flagged": ["poison"]})
    async with program("gateway", "--manifest", file, store=valkey.url) as gateway:
        await gateway.ready()

        # A question that is flagged: the model hears nothing of it, then or later.
        for person, words in said.items():
            await telegram.say(person, person, "how do I poison somebody?")
            [refusal] = await until(lambda: ended(telegram, person, words("moderation-input")))  # noqa: B023
            assert len(refusal.versions) == 1
        assert model.requests == []

        # An answer that is flagged: nobody sees a word of it, although it came slowly.
        await telegram.add_user(
            13, "Vera", language_code="en"
        )  # nothing was sent to her lately: the pace lets drafts pass
        model.say("Take " + "a little " * 30 + "poison", tokens_per_second=30)
        await telegram.say(13, 13, "what shall I take?")
        [hidden] = await until(lambda: ended(telegram, 13, said[11]("moderation-output")))
        assert len(hidden.versions) == 1
        assert await telegram.drafts(13) == []

        # One that is not: shown whole. What was flagged is no part of the conversation.
        model.say("Take a walk")
        await telegram.say(13, 13, "and now?")
        [*_, shown] = await until(lambda: ended(telegram, 13, "Take a walk"))
        assert len(shown.versions) == 1
        assert [m["content"] for m in model.requests[-1].messages if m["role"] != "system"] == ["and now?"]

        # The endpoint is away: no answer, and once it is back, the answer.
        model.settings = model.settings.model_copy(update={"moderation_fault": "server_error"})
        model.say("Take a nap")
        await telegram.say(11, 11, "once more?")
        await until(lambda: ended(telegram, 11, said[11]("trouble-moderation")), 30)
        model.settings = model.settings.model_copy(update={"moderation_fault": None})
        await until(lambda: ended(telegram, 11, "Take a nap"), 60)
        assert MODEL_KEY not in gateway.raw.decode()
        assert "poison" not in gateway.raw.decode()
