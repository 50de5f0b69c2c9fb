"""The recorded scenes of a real kubelet (tests/recordings/kubelet-1.36/README.md)."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "recordings" / "kubelet-1.36"


@dataclass(frozen=True)
class KubeletScene:
    name: str

    @cached_property
    def lines(self) -> list[dict[str, Any]]:
        """The watch events, each object with the spec that only its first event has."""
        found, specs = [], {}
        for line in (FOLDER / f"{self.name}-pods.jsonl").read_text().splitlines():
            event = json.loads(line)
            made, uid = event["object"], event["object"]["metadata"]["uid"]
            specs.setdefault(uid, made.get("spec", {}))
            made["spec"] = dict(specs[uid])
            if any(
                c["type"] == "PodScheduled" and c["status"] == "True"
                for c in made["status"].get("conditions", ())
            ):
                made["spec"].setdefault("nodeName", "node-1")
            found.append(event)
        return found
