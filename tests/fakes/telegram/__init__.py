"""A Bot API server: long polling, webhooks, messages with their history, entities, rate limits, faults on demand.

`FakeTelegram` is the server and the hand that writes in its chats; `RemoteTelegram` is the same hand over HTTP.
"""

from tests.fakes.telegram.remote import RemoteTelegram
from tests.fakes.telegram.server import FakeTelegram

__all__ = ["FakeTelegram", "RemoteTelegram"]
