"""aiogram is imported without building all of its types, and each can be built afterwards."""

from __future__ import annotations

import json
import subprocess
import sys

BUILT_BEFORE = """
import json
from gptbot.platforms.telegram import loading
loading.load()
from aiogram import methods, types
from aiogram.client.default import Default
from pydantic import BaseModel
models = [getattr(types, name) for name in types.__all__]
models = [each for each in models if isinstance(each, type) and issubclass(each, BaseModel)]
before = sum(each.__pydantic_complete__ for each in models)
update = types.Update.model_validate({
    "update_id": 1,
    "message": {"message_id": 1, "date": 1, "chat": {"id": 1, "type": "private"}, "photo": [
        {"file_id": "a", "file_unique_id": "b", "width": 1, "height": 1}],
        "reply_to_message": {"message_id": 2, "date": 1, "chat": {"id": 1, "type": "private"}, "text": "hi"}},
})
assert isinstance(update.message.photo[0], types.PhotoSize), update
assert isinstance(update.message.reply_to_message, types.Message), update
others = [getattr(methods, name) for name in methods.__all__ if name not in ("Request", "Response", "TelegramMethod")]
for each in models + others:
    each.model_rebuild(force=True, raise_errors=True)
    assert each.__pydantic_complete__, each
print(json.dumps([len(models), before, len(others)]))
"""
EAGER = """
from aiogram import types
from gptbot.platforms.telegram import loading
loading.load()
assert types.Message.__pydantic_complete__
"""


def _run(program: str) -> str:
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_types_are_built_when_they_are_used_and_all_can_be() -> None:
    types, before, methods = json.loads(_run(BUILT_BEFORE))
    assert types > 300
    assert methods > 150
    assert before < types / 10


def test_what_is_imported_already_is_left_alone() -> None:
    _run(EAGER)
