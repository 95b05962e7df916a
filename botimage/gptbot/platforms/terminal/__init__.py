"""`gptbot chat`: a conversation from a shell, through the same inbox and workers as all others.

The sender (`sender.py`) writes the live message to a stream of the session, which `chat.py` prints.
"""

from __future__ import annotations

from gptbot.platforms.base import GatewayContext, PlatformGateway, Sender, SenderContext


class _Terminal:
    name = "terminal"

    def gateway(self, context: GatewayContext) -> PlatformGateway:
        raise LookupError("the terminal has no gateway: gptbot chat hands messages in itself")

    def sender(self, context: SenderContext) -> Sender:
        from gptbot.platforms.terminal.sender import TerminalSender

        return TerminalSender(context)


PLATFORM = _Terminal()
