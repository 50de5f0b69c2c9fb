"""The recorded scenes of a real kubelet (tests/recordings/kubelet-1.36/README.md)."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from controller.domain import names
from controller.domain.objects import Pod
from controller.kube.watch.decoding import Changed, ObjectDecoder

FOLDER = Path(__file__).parent / "recordings" / "kubelet-1.36"


@dataclass(frozen=True)
class KubeletScene:
    name: str

    @cached_property
    def lines(self) -> list[dict[str, Any]]:
        """The watch events; each object has the spec that only its first event has, and a machine
        once it was given one.
        """
        found: list[dict[str, Any]] = []
        specs: dict[str, Any] = {}
        for line in (FOLDER / f"{self.name}-pods.jsonl").read_text().splitlines():
            event = json.loads(line)
            made = event["object"]
            spec = specs.setdefault(made["metadata"]["uid"], made.get("spec", {}))
            placed = any(
                condition["type"] == "PodScheduled" and condition["status"] == "True"
                for condition in made["status"].get("conditions", ())
            )
            made["spec"] = {**spec, "nodeName": "node-1"} if placed else spec
            found.append(event)
        return found

    @cached_property
    def run(self) -> str:
        """The id of the recorded run."""
        annotations = (e["object"]["metadata"].get("annotations", {}) for e in self.lines)
        return next(str(a[names.RUN_ID]) for a in annotations if names.RUN_ID in a)

    def pods(self) -> Iterator[tuple[Pod, ...]]:
        """The pods that stand after each event, as our watch decodes them."""
        decoder, standing = ObjectDecoder(Pod), dict[str, Pod]()
        for line in self.lines:
            event = decoder.event(json.dumps(line).encode())
            uid = line["object"]["metadata"]["uid"]
            if isinstance(event, Changed):
                standing[uid] = event.object
            else:
                standing.pop(uid, None)
            yield tuple(standing.values())
