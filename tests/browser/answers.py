"""Answers that a worker could give, with everything Markdown has."""

from __future__ import annotations

import asyncio

from gptbot.platforms.inbound import Inbound
from gptbot.platforms.web.sender import WebSender

ANSWER = """\
For a family of four I would look at **8 to 9 kg**. Two that people keep for years:

| Model | Load | Noise | Price |
|:------|-----:|------:|------:|
| Siltal A900 | 9 kg | 47 dB | 549 € |
| Norda Eco 8 | 8 kg | 51 dB | 429 € |

What to check before you buy:

1. **Measure the door** it has to pass: both need 60 cm.
2. Ask for the *energy label* — the first is class A, see [how the label works](https://example.org/label).
3. Keep the transport bolts.

To compare what they cost over ten years:

```python
def total(price, kwh_per_year, years=10, euro_per_kwh=0.32):
    return price + kwh_per_year * years * euro_per_kwh

print(total(549, 98), total(429, 142))
```

Shall I check which of them `fits` under a worktop?
"""


class Typist:
    """Writes the answer bit by bit; stops before the end until it is let go."""

    def __init__(self, answer: str = ANSWER) -> None:
        self.answer = answer
        self.go_on = asyncio.Event()
        self.go_on.set()

    async def __call__(self, sender: WebSender, message: Inbound) -> None:
        await sender.typing(message.address)
        nonce = message.event[-25:]
        half = len(self.answer) // 2
        sent = await sender.send(message.address, self.answer[:20], nonce=nonce, first=True, final=False)
        for end in range(40, half, 40):
            await sender.edit(message.address, sent, self.answer[:end], final=False)
        await self.go_on.wait()
        for end in range(half, len(self.answer), 80):
            await sender.edit(message.address, sent, self.answer[:end], final=False)
        await sender.edit(message.address, sent, self.answer, final=True)
