"""Lists of as many objects as one wants, each as a real API server sent one of its kind
(tests/recordings), with managedFields: Deployments at rest, each with its pod and its Service.

What differs between real ones differs between these: name, uid, version, hash, addresses, times,
the claim of the volume. What is equal for all targets of a fleet is equal.
"""

import json
import uuid
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.bench.recorded_events import recorded_events
from tests.fakes import EPOCH

PAGE = 500  # objects
_RECORDINGS = Path(__file__).parents[1] / "recordings"
_LABEL = {"bootstrap.avax.network/test": "true"}
_IP = "10.1.2.3"  # of the recorded pod


def pages(count: int) -> Mapping[str, list[bytes]]:
    """So many Deployments, Pods and Services: plural to pages, as an API server writes them."""
    templates = {"deployments": _deployment(), "pods": _pod(), "services": _service()}
    return {plural: _paged(template, count) for plural, template in templates.items()}


def _paged(template: str, count: int) -> list[bytes]:
    found = []
    for first in range(0, count, PAGE):
        last = first + PAGE >= count
        head = {"resourceVersion": "9000000"} | ({} if last else {"continue": str(len(found) + 1)})
        items = ",".join(_one(template, n) for n in range(first, min(first + PAGE, count)))
        found.append(f'{{"kind":"List","metadata":{json.dumps(head)},"items":[{items}]}}'.encode())
    return found


def _one(template: str, number: int) -> str:
    moment = EPOCH + timedelta(seconds=7 * number)
    told = {
        "@name@": f"node-{number:05}",
        "@uid@": str(uuid.UUID(int=0xDA7A << 64 | number)),
        "@owner@": str(uuid.UUID(int=0x0DD << 64 | number)),
        "@version@": str(1_000_000 + number),
        "@hash@": f"{number * 2654435761 % 2**32:08x}",
        "@tail@": f"{number * 40503 % 2**20:05x}",
        "@ip@": f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}",
        "@time@": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    for marker, value in told.items():
        template = template.replace(marker, value)
    return template


def _deployment() -> str:
    """Its recorded name is `node-00100`, and parts of names that go with it have the number."""
    found = json.loads(recorded_events()[100])["object"]
    old = found["metadata"]["name"]
    return _marked(found, {old: "@name@", old.replace("node", "data"): "data-@name@"})


def _pod() -> str:
    """Spec and status are of the kubelet's scene `pass`; managedFields of another recording."""
    lines = (_RECORDINGS / "kubelet-1.36/pass-pods.jsonl").read_text().splitlines()
    told = [json.loads(line)["object"] for line in lines]
    names = [each["metadata"]["name"] for each in told]
    first = told[names.index(names[-1])]
    found = first | told[-1] | {"spec": first["spec"]}
    kept = _recorded("42-pod-status-running")["metadata"]
    found["metadata"]["managedFields"] = kept["managedFields"]
    owner = kept["ownerReferences"][0]["uid"]
    hash_ = found["metadata"]["labels"]["pod-template-hash"]
    head, tail = names[-1].split("-" + hash_ + "-")
    old = {
        owner: "@owner@",
        found["metadata"]["ownerReferences"][0]["uid"]: "@owner@",
        names[-1]: "@name@-@hash@-@tail@",
        f"{head}-{hash_}": "@name@-@hash@",
        hash_: "@hash@",
        _IP: "@ip@",
        found["status"]["podIP"]: "@ip@",
    }
    assert tail
    found["metadata"]["labels"]["app.kubernetes.io/instance"] = "@name@"
    return _marked(found, old)


def _service() -> str:
    found = _recorded("45-create-service")
    found["metadata"]["labels"] = dict(_LABEL)
    old = {found["metadata"]["name"]: "@name@", found["spec"]["clusterIP"]: "@ip@"}
    return _marked(found, old)


def _recorded(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((_RECORDINGS / f"{name}.json").read_text())
    return found["response"]["body"]


def _marked(found: dict[str, Any], old: Mapping[str, str]) -> str:
    """Its text, with a marker for each of what differs. Items of a list do not say their kind."""
    metadata = found["metadata"]
    times = {metadata["creationTimestamp"]}
    times |= {entry["time"] for entry in metadata.get("managedFields", ())}
    ours = {"namespace": "bench", "uid": "@uid@", "resourceVersion": "@version@"}
    told = {key: value for key, value in found.items() if key not in ("kind", "apiVersion")}
    text = json.dumps(told | {"metadata": metadata | ours}, separators=(",", ":"))
    for value, marker in (old | dict.fromkeys(times, "@time@")).items():
        text = text.replace(value, marker)
    return text
