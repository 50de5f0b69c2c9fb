"""Which pod counts for a run, what its init container said, and whose hands were on its data."""

import pytest
from msgspec.structs import replace as with_fields

from controller.domain.objects import Pod, StateWaiting
from controller.domain.pods.run_pods import RunPods, view_pods
from controller.domain.record.record import OpenRun
from tests.fakes import EPOCH
from tests.machine_objects import bare, build, pinned, pod, word
from tests.unit.test_domain_record import RUN as RECORDED

RUN: OpenRun = RECORDED
ID, PIN = RUN.id, RUN.image
OTHER = "20261122t060000z-bbbbbbbb"
FRESH, RESUMED, FOREIGN = word(ID, "fresh"), word(ID, "resumed", resumes=2), word(ID, "foreign")


def view(*pods: Pod) -> RunPods:
    return view_pods(pods, RUN, "node")


def test_the_runs_own_pod_is_seen_whole() -> None:
    """Are word, life and start those of the pod that carries the run's id and image?"""
    found = view(pod(ID, PIN, said=RESUMED, restarts=3, uid="u"))
    assert found.pod is not None
    assert found.word is not None
    assert (found.word.data, found.word.resumes) == ("resumed", 2)
    assert found.life is not None
    assert (found.life.pod, found.life.restarts, found.life.started) == ("u", 3, EPOCH)
    assert found.started == EPOCH
    assert not found.foreign
    assert not found.several


@pytest.mark.parametrize(
    "other",
    [
        pod(OTHER, PIN, said=word(OTHER, "fresh")),  # of another run
        pod(None, bare(), said=None),  # of none yet
        pod(ID, bare(), said=None),  # of another image that waits
        pod(ID, PIN, said=FRESH, terminating=True),  # on its way out
    ],
)
def test_other_pods_do_not_count(other: Pod) -> None:
    """Does a pod without this run's id and image, or one that ends, say nothing of the run?"""
    found = view(other)
    assert (found.pod, found.life, found.word, found.started) == (None, None, None, None)
    assert not found.foreign


def test_an_old_pod_that_ends_beside_ours_changes_nothing() -> None:
    """Is the pod that is left the one that counts while another one terminates?"""
    old = pod(ID, PIN, said=FRESH, uid="old", terminating=True)
    found = view(old, pod(ID, PIN, said=RESUMED, uid="new"))
    assert found.life is not None
    assert found.life.pod == "new"


def test_several_pods_of_a_run_are_none() -> None:
    """Can no pass come from two pods that both claim the run?"""
    found = view(pod(ID, PIN, said=FRESH, uid="1"), pod(ID, PIN, said=FRESH, uid="2"))
    assert found.several
    assert found.pod is None
    assert found.life is None


def test_a_restart_is_another_life() -> None:
    """Is a restarted container told from the one before it?"""
    lives = {view(pod(ID, PIN, said=FRESH, restarts=n)).life for n in (0, 1)}
    assert len(lives) == 2


def test_a_container_between_two_restarts_lives_not() -> None:
    """Has a node that waits in its back-off no life, but a start?"""
    waiting = StateWaiting(reason="CrashLoopBackOff")
    found = view(pod(ID, PIN, said=FRESH, restarts=1, waiting=waiting))
    assert found.life is None
    assert found.started == EPOCH


@pytest.mark.parametrize(
    "said", ["", "not json", "[]", '{"run": ""}', "null", '{"run": 7}', "\x00"]
)
def test_a_word_that_is_none_is_not_heard(said: str) -> None:
    """Is whatever other init containers write harmless?"""
    assert view(pod(ID, PIN, said=said)).word is None


def test_our_own_pod_that_finds_foreign_data_voids_the_run() -> None:
    """Is data that another binary has begun told of by our own pod?"""
    found = view(pod(ID, PIN, said=FOREIGN, started=None))
    assert "another binary" in found.foreign


@pytest.mark.parametrize("terminating", [False, True])
@pytest.mark.parametrize(
    ("image", "said"),
    [
        (bare(), FRESH),  # it was quicker than our own pod
        (pinned("b"), FRESH),
        (pinned("b"), RESUMED),  # another build, whatever its binary looks like
        (bare(), word(OTHER, "resumed")),  # resumed what?
        ("Not A Reference", RESUMED),
    ],
)
def test_another_image_that_ran_on_the_data_voids_the_run(
    image: str, said: str, terminating: bool
) -> None:
    """Is a pod of another image that ran with the run's id seen, even while it ends?"""
    assert view(pod(ID, image, said=said, terminating=terminating)).foreign


def test_another_image_is_named() -> None:
    """Does the sentence say which image it was, for whoever wrote it to know it again?"""
    assert view(pod(ID, bare("v1.13.0"), said=FRESH)).foreign.endswith(f"{bare('v1.13.0')})")


MIRROR = "mirror.example/cache/avalanchego"
OUR_DIGEST = RUN.build


def with_image_id(found: Pod, image_id: str) -> Pod:
    """image_id: what the runtime says that the node's container runs."""
    assert found.status.container_statuses
    status = with_fields(found.status.container_statuses[0], image_id=image_id)
    return with_fields(found, status=with_fields(found.status, container_statuses=[status]))


@pytest.mark.parametrize(
    ("image", "image_id"),
    [
        (f"{MIRROR}:latest@{OUR_DIGEST}", ""),
        (f"{MIRROR}@{OUR_DIGEST}", f"{MIRROR}@{OUR_DIGEST}"),
        # What the runtime says may be the digest of an index, or of the configuration: neither is
        # the manifest's, and neither says that something else runs.
        (PIN, f"docker.io/avaplatform/avalanchego@{build('e')}"),
        (f"{MIRROR}@{OUR_DIGEST}", build("e")),
        # The digest is gone from the spec; the runtime says what was pulled all the same.
        (f"{MIRROR}:latest", f"{MIRROR}@{OUR_DIGEST}"),
        (f"{MIRROR}:latest", f"docker-pullable://{MIRROR}@{OUR_DIGEST}"),
    ],
)
def test_the_runs_build_under_another_name_is_its_own(image: str, image_id: str) -> None:
    """Is a pod that a webhook has pull from a mirror the run's own, by the digest?"""
    found = view(with_image_id(pod(ID, image, said=FRESH), image_id))
    assert not found.foreign
    assert found.life is not None
    assert found.word is not None


@pytest.mark.parametrize(
    ("image", "image_id"),
    [
        (f"{MIRROR}:latest", f"{MIRROR}@{build('e')}"),
        (f"{MIRROR}:latest@{build('e')}", f"{MIRROR}@{build('e')}"),
        (bare(), ""),
    ],
)
def test_another_build_under_any_name_is_foreign(image: str, image_id: str) -> None:
    """Is a pod that neither names nor runs the run's digest no pod of the run's?"""
    found = view(with_image_id(pod(ID, image, said=FRESH), image_id))
    assert found.foreign
    assert found.pod is None


def test_the_runs_own_name_without_its_digest_is_a_pin_taken_back() -> None:
    """Does nothing pass on a bare tag, though the runtime says that it runs our digest for now?"""
    ours = f"docker.io/avaplatform/avalanchego@{OUR_DIGEST}"
    found = view(with_image_id(pod(ID, bare(), said=RESUMED), ours))
    assert found.pod is None
    assert not found.foreign


@pytest.mark.parametrize("image", [bare(), pinned("b")])
@pytest.mark.parametrize("said", [None, FOREIGN])
def test_another_image_that_was_refused_has_touched_nothing(image: str, said: str | None) -> None:
    """Is the init container's refusal the protection at work, and no damage?"""
    assert not view(pod(ID, image, said=said, started=None)).foreign


def test_the_same_binary_under_the_bare_tag_has_done_no_harm() -> None:
    """Does a pin that was taken back for a moment, while the tag still stands for the run's build,
    leave the run its data? The init container resumed it, so it is the binary that began it.
    """
    assert not view(pod(ID, bare(), said=RESUMED)).foreign


@pytest.mark.parametrize("reason", ["ErrImagePull", "ImagePullBackOff", "InvalidImageName"])
def test_an_image_that_does_not_come_is_seen(reason: str) -> None:
    """Is the kubelet's own sentence passed on?"""
    waiting = StateWaiting(reason=reason, message="manifest unknown")
    assert view(pod(ID, PIN, waiting=waiting)).obstacles.pulling == "manifest unknown"


def test_a_crash_loop_is_not_an_image_that_does_not_come() -> None:
    """Is only trouble with the image taken for it?"""
    assert not view(pod(ID, PIN, waiting=StateWaiting(reason="CrashLoopBackOff"))).obstacles.pulling
