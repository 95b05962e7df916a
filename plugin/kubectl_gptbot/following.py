"""`kubectl gptbot logs --follow`: one kubectl reads the pods that are there, and one each those that come later."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from types import TracebackType
from typing import Any

from kubectl_gptbot.kubectl import CONTAINER, KIND, ClusterError, Document, Kubectl
from kubectl_gptbot.objects import name, status

_LOOK_SECONDS = 2.0
"""Between two looks at which pods there are."""
_TOGETHER = 0.3
"""Seconds in which lines of several pods are put into the order of their times."""

_End = ClusterError | None


class Following:
    """Reads logs of a bot's pods until the bot is gone, the cluster does not answer, or the block ends."""

    def __init__(self, kubectl: Kubectl, bot: str, selector: str, flags: list[str]) -> None:
        self._kubectl = kubectl
        self._bot = bot
        self._selector = selector
        self._flags = flags
        self._lines: queue.Queue[str | _End] = queue.Queue()
        self._known: set[str] = set()
        self._left = threading.Event()
        self._looking: threading.Thread | None = None
        self._processes = ExitStack()

    def __enter__(self) -> Following:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._left.set()
        if self._looking is not None:
            self._looking.join()
        self._processes.close()

    def start(self, pods: Iterable[Document], arguments: list[str]) -> None:
        """Read what those pods say, by one kubectl with these arguments, and look for others."""
        self._known = set(_runs(pods))
        self._read(arguments)
        self._looking = threading.Thread(target=self._look, daemon=True)
        self._looking.start()

    def groups(self) -> Iterator[list[str]]:
        """Lines that came close together, until the end. Raises ClusterError when the cluster does not answer."""
        while True:
            line = self._lines.get()
            group: list[str] = []
            try:
                while isinstance(line, str):
                    group.append(line)
                    line = self._lines.get(timeout=_TOGETHER)
            except queue.Empty:
                yield group
                continue
            if group:
                yield group
            if isinstance(line, ClusterError):
                raise line
            return

    def _look(self) -> None:
        """Until the bot is gone: read each container that runs and was not there before, from its first line."""
        end: _End = None
        try:
            while not self._left.wait(_LOOK_SECONDS):
                pods = self._kubectl.items("pods", f"--selector={self._selector}")
                if not pods and self._kubectl.get(KIND, self._bot) is None:
                    break
                for run, pod in _runs(pods).items():
                    if run not in self._known:
                        self._known.add(run)
                        self._read([name(pod), *self._flags, "--follow"])
        except ClusterError as error:
            end = error
        self._lines.put(end)

    def _read(self, arguments: list[str]) -> None:
        process = self._processes.enter_context(self._kubectl.output("logs", *arguments))

        def pass_on() -> None:
            assert process.stdout
            for line in process.stdout:
                self._lines.put(line)

        threading.Thread(target=pass_on, daemon=True).start()


def _runs(pods: Iterable[Document]) -> dict[str, Document]:
    """Pods whose bot runs or ran, by what tells one start of it from the next."""
    found: dict[str, Document] = {}
    for pod in pods:
        containers: list[dict[str, Any]] = status(pod).get("containerStatuses") or []
        own = next((each for each in containers if each["name"] == CONTAINER), {})
        if own.get("containerID"):
            found[f"{pod['metadata']['uid']} {own['containerID']}"] = pod
    return found
