"""Messages in the order that strict templates take: after the system's, a user's and an answer in turn."""

from __future__ import annotations

from collections.abc import Sequence

from gptbot.llm.types import Message


def alternating(messages: Sequence[Message], *, system: bool = True) -> list[Message]:
    """The messages, those of one role that stand together as one. Linear.

    `system`: whether the system may speak. Else what it says stands in front of the first message of a user.
    """
    said: list[list[Message]] = []
    for message in messages:
        if said and said[-1][0]["role"] == message["role"]:
            said[-1].append(message)
        else:
            said.append([message])
    joined = [_joined(group) for group in said]
    if system or joined[0]["role"] != "system":
        return joined
    told: Message = {"role": "user", "content": joined[0]["content"]}
    return alternating([told, *joined[1:]])


def _joined(group: Sequence[Message]) -> Message:
    if len(group) == 1:
        return group[0]
    joined: Message = {**group[0]}
    joined["content"] = "\n\n".join(message["content"] for message in group)
    if images := [image for message in group for image in message.get("images", ())]:
        joined["images"] = images
    return joined
