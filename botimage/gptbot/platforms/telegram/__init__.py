"""Telegram: long polling or a webhook in gateways (aiogram), plain REST in workers (aiohttp).

Read `mapping.py` for what a message becomes, `sender.py` for how answers go out, `limits.py` for the figures.
"""

from gptbot.platforms.telegram.platform import PLATFORM

__all__ = ["PLATFORM"]
