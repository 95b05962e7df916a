"""Which of the workers of `pytest -n N` runs which test."""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

PLANES = 2
"""Workers that start a control plane. One at rest takes a quarter of a core, and its tests are the longest."""


class Dealing(LoadScopeScheduling):
    """Tests go one by one to whoever is free, those on a control plane to the first PLANES workers only.

    xdist's own groups (`--dist loadgroup`) would give all tests of a plane to one worker at the start; these share one
    queue, so that the workers end together.
    """

    def _split_scope(self, nodeid: str) -> str:
        return nodeid

    def _assign_work_unit(self, node: WorkerController) -> None:
        serves_plane = node in self.nodes[:PLANES]
        unit = next((unit for unit in self.workqueue if _needs_plane(unit) == serves_plane), None)
        if unit is None and serves_plane:
            unit = next(iter(self.workqueue))
        if unit is None:
            node.shutdown()  # after what it has; the rest waits for a plane
            return
        self.workqueue.move_to_end(unit, last=False)
        super()._assign_work_unit(node)


def _needs_plane(nodeid: str) -> bool:
    return nodeid.startswith("tests/controlplane/")
