"""A scripted OpenAI-compatible API: Chat Completions, as strict as the real one, with every way it can fail.

`FakeOpenAI` in tests; `python -m tests.fakes.openai` as a server that is scripted over HTTP under `/control/`.
"""

from tests.fakes.openai.record import Recorded
from tests.fakes.openai.script import Fault, Script, Settings
from tests.fakes.openai.server import FakeOpenAI

__all__ = ["FakeOpenAI", "Fault", "Recorded", "Script", "Settings"]
