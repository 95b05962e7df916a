"""Files on the page: by the button, dropped and pasted, through the door and a worker to a model that sees."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest
import pytest_asyncio
from playwright.async_api import FilePayload, Page, expect

from gptbot.inbox.store import Store
from gptbot.locales import texts
from tests.browser.conftest import ask, shoot
from tests.fakes.openai import FakeOpenAI, Settings
from tests.files.pictures import SECRET, jpeg, png
from tests.process.program import Program, program, write_manifest
from tests.process.residue import dump

pytestmark = pytest.mark.asyncio(loop_scope="session")

CODE = b"# mail me at ada@example.org\nprint('hello')\n"
CAN = "text and code files, images, voice messages"


def payload(name: str, mime: str, content: bytes) -> FilePayload:
    return {"name": name, "mimeType": mime, "buffer": content}


@dataclass
class Chat:
    tab: Page
    model: FakeOpenAI
    process: Program

    async def answered(self, text: str) -> None:
        await expect(self.tab.locator("#log .bot").last).to_contain_text(text)


@pytest_asyncio.fixture(loop_scope="session")
async def chat(tab: Page, tmp_path: Path, store_url: str) -> AsyncIterator[Chat]:
    """A bot that sees and listens, as a real program, and its page."""
    async with FakeOpenAI(Settings()) as model:
        spec = {
            "platforms": {"web": {"title": "Appliance store"}},
            "llm": {
                "baseUrl": model.base_url, "model": "scripted", "vision": True,
                "transcription": {"baseUrl": model.base_url, "model": "ear"},
            },
        }  # fmt: skip
        manifest = write_manifest(tmp_path / "bot.yaml", spec, {}, name=f"files-{tmp_path.name}".replace("_", "-")[:50])
        data = tmp_path / "data"
        arguments = ("run", "-f", str(manifest), "--data-dir", str(data), "--http-port", "0")
        async with program(*arguments, store=store_url) as process:
            await process.ready()
            port = orjson.loads((data / "running.json").read_bytes())["port"]
            await tab.goto(f"http://127.0.0.1:{port}/")
            yield Chat(tab, model, process)
            await tab.goto("about:blank")
            assert await process.stop() == 0
            assert b"Lovelace" not in process.raw


async def drop(tab: Page, *names: str) -> None:
    """Drop files of these names on the page, as a hand from the desktop does."""
    transfer = await tab.evaluate_handle(
        """names => {
            const transfer = new DataTransfer();
            for (const name of names) transfer.items.add(new File(["of " + name], name, { type: "text/plain" }));
            return transfer;
        }""",
        list(names),
    )
    for event in ("dragover", "drop"):
        await tab.dispatch_event("body", event, {"dataTransfer": transfer})


async def test_a_picture_a_text_and_a_recording(chat: Chat, store: Store) -> None:
    tab, model = chat.tab, chat.model
    model.say("A red pixel and a greeting.", match="What are these?")
    await tab.set_input_files("#files", [
        payload("Ada Lovelace at home.jpg", "image/jpeg", jpeg(orientation=6)), payload("a.py", "text/x-python", CODE),
    ])  # fmt: skip
    picked = tab.get_by_role("list", name="Attached files").get_by_role("listitem")
    await expect(picked).to_contain_text(["Ada Lovelace at home.jpg", "a.py"])
    await expect(tab.locator("#attached")).to_have_text("Attached: Ada Lovelace at home.jpg, a.py")
    await shoot(tab, "files")
    await ask(tab, "What are these?")
    await expect(picked).to_have_count(0)
    await expect(tab.locator("#log .user .files li")).to_have_text(["Image", "Text file"])
    await chat.answered("A red pixel and a greeting.")
    request = model.requests[-1]
    assert request.last_user_message == (
        "What are these?\n\n[image]\n\n[file: python]\n```python\n# mail me at [email]\nprint('hello')\n```"
    )
    [image] = request.images
    assert image.startswith(b"\xff\xd8")
    assert SECRET not in image
    await tab.reload()
    await expect(tab.locator("#log .user .files li")).to_have_text(["Image", "Text file"])
    await shoot(tab, "files-answered")

    # Without a word: a recording is what was said.
    model.ear.says = "What is the time?"
    model.say("Noon.", match="What is the time?")
    await tab.set_input_files("#files", [payload("v.ogg", "audio/ogg", b"OggS and a voice")])
    await tab.get_by_role("button", name="Send").click()
    await chat.answered("Noon.")
    [recording] = model.ear.recordings
    assert recording.content == b"OggS and a voice"

    kept = await dump(store)
    for words in (b"Lovelace", b"OggS and a voice", b"ada@example.org", image, SECRET):
        assert not any(words in value for each in kept for value in each.values), words


async def test_what_cannot_be_read_is_said_as_everywhere(chat: Chat) -> None:
    tab = chat.tab
    said = texts("en")
    for file, sentence in (
        (payload("film.mp4", "video/mp4", b"film"), said("file-kind", can=CAN)),
        (payload("a.png", "image/png", b"\x7fELF\x02"), said("file-broken", can=CAN)),
        (payload("a.txt", "text/plain", b"\x7fELF\x02\0\0\1"), said("file-broken", can=CAN)),
        (payload("b.txt", "text/plain", b"a" * 1_000_001), said("file-large", text=1, image=5, audio=20, minutes=15)),
    ):
        await tab.set_input_files("#files", [file])
        await tab.get_by_role("button", name="Send").click()
        await chat.answered(sentence)
    assert chat.model.requests == []
    await tab.set_input_files("#files", [payload(f"{number}.png", "image/png", png()) for number in range(11)])
    await expect(tab.locator("#error")).to_have_text(
        "10 files fit into one message. Please send the others with another."
    )
    await expect(tab.locator("#picked li")).to_have_count(0)


async def test_dropped_pasted_and_by_keyboard(chat: Chat) -> None:
    tab = chat.tab
    box = tab.get_by_label("Message", exact=True)
    await drop(tab, "one.txt", "two.txt")
    await expect(tab.locator("#picked li span")).to_have_text(["one.txt", "two.txt"])
    await expect(box).to_be_focused()
    await tab.evaluate(
        """() => {
            const clipboardData = new DataTransfer();
            clipboardData.items.add(new File(["of three"], "three.txt", { type: "text/plain" }));
            document.querySelector("#message").dispatchEvent(
                new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
        }"""
    )
    await expect(tab.locator("#picked li span")).to_have_text(["one.txt", "two.txt", "three.txt"])
    # From the box back over the button to the files, one of which is taken out again.
    await tab.keyboard.press("Shift+Tab")
    await expect(tab.get_by_label("Attach files")).to_be_focused()
    await tab.keyboard.press("Shift+Tab")
    await expect(tab.get_by_role("button", name="Remove: three.txt")).to_be_focused()
    await tab.keyboard.press("Shift+Tab")
    await tab.keyboard.press("Enter")
    await expect(tab.locator("#picked li span")).to_have_text(["one.txt", "three.txt"])
    chat.model.say("Both read.", match="Compare")
    await ask(tab, "Compare")
    await chat.answered("Both read.")
    asked = chat.model.requests[-1].last_user_message
    assert ("of one.txt" in asked, "of two.txt" in asked, "of three" in asked) == (True, False, True)
    await ask(tab, "!forget me")
    await chat.answered("Done.")
