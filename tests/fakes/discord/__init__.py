"""A Discord: REST API v10, gateway, slash commands, messages with their history, rate limits, faults on demand.

`FakeDiscord` is the server and the hand that writes in its channels; `RemoteDiscord` is the same hand over HTTP.
"""

from tests.fakes.discord.hand import Hand
from tests.fakes.discord.remote import RemoteDiscord
from tests.fakes.discord.server import FakeDiscord

__all__ = ["FakeDiscord", "Hand", "RemoteDiscord"]
