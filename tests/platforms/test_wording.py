"""What platforms say of errors is told without what they quote."""

import pytest

from gptbot.platforms.wording import wording


@pytest.mark.parametrize(
    "text",
    [
        "Forbidden: bot was blocked by the user",
        "Forbidden: bot was kicked from the supergroup chat",
        "Bad Request: TOPIC_CLOSED",
        "Bad Request: message thread not found",
        "Bad Request: chat not found",
        "Missing Permissions",
        "Cannot send messages to this user",
        "Unknown Channel",
    ],
)
def test_what_errors_are_made_of_stays(text: str) -> None:
    assert wording(text) == text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Bad Request: can't parse entities: unsupported start tag \"Zebu\" at byte offset 77",
         "Bad Request: can't parse entities: unsupported start tag … at byte offset …"),
        ("Forbidden: Anna Petrova wrote 4111 1111 1111 1111", "Forbidden: …"),
        ("Unknown User 123456789012345678", "Unknown User …"),
    ],
)  # fmt: skip
def test_what_they_quote_does_not(text: str, told: str) -> None:
    assert wording(text) == told
