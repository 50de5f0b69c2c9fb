"""Progress: counts outlive processes and controllers, and nothing is counted twice."""

import math
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from controller.domain.pace.noted_progress import BYTES, decode_progress, encode_progress
from controller.domain.pace.progress import Progress, Stage, after
from controller.domain.pace.speed import POINTS, Trail
from controller.domain.pace.stages import CHAINS, STAGES
from controller.domain.pace.words import describe_progress

KEYS = tuple(f"{chain}/{stage}" for chain in CHAINS for stage in STAGES)
NOTHING = Progress()


class Reader:
    """Reads a node as the prober does, every 30 seconds."""

    def __init__(self, progress: Progress = NOTHING) -> None:
        self.progress = progress
        self.at = 1000.0

    def read(
        self,
        counters: dict[str, float],
        heights: dict[str, int] | None = None,
        *,
        life: str = "one",
        counted: float = 30.0,
    ) -> Progress:
        self.at += 30.0
        self.progress = after(
            self.progress,
            counters=counters,
            heights=heights or {},
            life=life,
            at=self.at,
            counted=counted,
        )
        return self.progress

    def count(self, key: str = "P/executed") -> float:
        return self.progress.stages[key].count


def taken_up(progress: Progress) -> Reader:
    """Another controller, which has only what was saved."""
    saved = decode_progress(encode_progress(progress))
    assert saved is not None
    return Reader(saved)


def test_only_what_has_grown_since_the_last_reading_is_added() -> None:
    """Is a counter of one process counted once, however often it is read?"""
    reader = Reader()
    for value in (10.0, 10.0, 25.0):
        reader.read({"P/executed": value})
    assert reader.count() == 25


def test_another_process_begins_at_zero() -> None:
    """Is what each life did added up, though its counter may have passed the last one's already?"""
    reader = Reader()
    reader.read({"P/executed": 10, "P/fetched": 40})
    reader.read({"P/executed": 15, "P/fetched": 5}, life="two")
    assert (reader.count(), reader.count("P/fetched")) == (25, 45)


def test_a_counter_that_fell_began_anew_whatever_its_life_is_called() -> None:
    """Is a process that answers before the cluster has told of it counted from zero?"""
    reader = Reader()
    reader.read({"P/executed": 100})
    reader.read({"P/executed": 5})
    assert reader.count() == 105
    assert reader.progress.moved is None


def test_a_process_that_gets_its_name_late_is_not_counted_twice() -> None:
    """Does a process that answered below the old name go on when its own name comes?"""
    reader = Reader()
    reader.read({"P/executed": 100})
    reader.read({"P/executed": 5})
    reader.read({"P/executed": 9}, life="two")
    assert reader.count() == 109
    reader.read({"P/executed": 4}, life="three")
    assert reader.count() == 113


def test_only_one_name_can_come_late() -> None:
    """Is a life after the one whose name came late counted from zero again?"""
    reader = Reader()
    reader.read({"P/executed": 100})
    reader.read({"P/executed": 5})
    reader.read({"P/executed": 3}, life="two")
    reader.read({"P/executed": 10}, life="three")
    assert reader.count() == 118


def test_a_controller_that_meets_a_running_life_again_adds_only_what_is_new() -> None:
    """Does a restart of the controller cost no count, and double none?"""
    reader = Reader()
    reader.read({"P/executed": 100})
    again = taken_up(reader.progress)
    again.read({"P/executed": 130}, counted=0)
    assert again.count() == 130


def test_a_controller_that_meets_a_new_life_adds_all_of_it() -> None:
    """Does what a process did while no controller looked count for its run?"""
    reader = Reader()
    reader.read({"P/executed": 100})
    again = taken_up(reader.progress)
    again.read({"P/executed": 130}, life="two", counted=0)
    assert again.count() == 230


def test_a_fraction_survives_the_text() -> None:
    """Is a counter that is no whole number not rounded, so that it cannot seem to have fallen?"""
    reader = Reader()
    reader.read({"P/executed": 10.6})
    again = taken_up(reader.progress)
    again.read({"P/executed": 10.8})
    assert again.count() == pytest.approx(10.8)


def test_a_name_that_is_missing_once_keeps_its_place() -> None:
    """Is a metric that one reading lacks neither an error nor a beginning?"""
    reader = Reader()
    reader.read({"P/executed": 10, "P/fetched": 7})
    reader.read({"P/fetched": 8})
    assert reader.count() == 10
    reader.read({"P/executed": 12, "P/fetched": 8})
    assert reader.count() == 12


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -1.0, 1e300, 2.0**54])
def test_what_is_no_count_is_ignored(value: float) -> None:
    """Is a value that no counter can have left out, and the counter not lost by it?"""
    reader = Reader()
    reader.read({"P/executed": 10})
    reader.read({"P/executed": value, "X/executed": value}, {"P": -1, "X": 2**60})
    reader.read({"P/executed": 11})
    assert reader.progress.stages.keys() == {"P/executed"}
    assert reader.count() == 11
    assert reader.progress.heights == {}


def test_seconds_are_those_in_which_a_stage_moved() -> None:
    """Does a stage that stands still, or a gap in observation, cost no time?"""
    reader = Reader()
    reader.read({"P/executed": 1, "P/fetched": 1})
    reader.read({"P/executed": 2, "P/fetched": 1})
    reader.read({"P/executed": 3, "P/fetched": 1}, counted=0)
    reader.read({"P/executed": 4, "P/fetched": 2})
    stages = reader.progress.stages
    assert (stages["P/executed"].seconds, stages["P/fetched"].seconds) == (60, 30)


def test_movement_needs_two_readings_of_one_life() -> None:
    """Is it unknown at the first reading of each life whether anything moves?"""
    reader = Reader()
    assert NOTHING.moved is None
    assert reader.read({"P/executed": 5}).moved is None
    assert reader.read({"P/executed": 5}).moved is False
    assert reader.read({"P/executed": 6}).moved is True
    assert reader.read({"P/executed": 7}, life="two").moved is None


def test_a_restarted_controller_knows_at_once_whether_the_life_moved() -> None:
    """Is the saved reading one to compare with?"""
    reader = Reader()
    reader.read({"P/executed": 5})
    assert taken_up(reader.progress).read({"P/executed": 5}).moved is False
    assert taken_up(reader.progress).read({"P/executed": 6}).moved is True


def test_heights_that_rise_are_movement() -> None:
    """Does a chain that accepts blocks move, though no counter does; and one that appears, not?"""
    reader = Reader()
    reader.read({"P/executed": 5}, {"P": 10})
    assert reader.read({"P/executed": 5}, {"P": 11}).moved is True
    assert reader.read({"P/executed": 5}, {"P": 11, "C": 3}).moved is False
    assert reader.read({"P/executed": 5}, {"P": 9}).moved is False
    assert reader.progress.heights == {"P": 9, "C": 3}


def test_what_the_node_does_is_the_latest_stage_that_moves() -> None:
    """Of stages that move together, is the one named that comes last in the order of work?"""
    reader = Reader()
    assert reader.read({"P/fetched": 0}).doing == ""
    assert reader.read({"P/fetched": 5, "P/executed": 0}).doing == "P/fetched"
    assert reader.read({"P/fetched": 6, "P/executed": 1}).doing == "P/executed"
    assert reader.read({"P/fetched": 6, "P/executed": 1}).doing == "P/executed"
    assert reader.read({"P/fetched": 6, "P/executed": 1, "Q/new-one": 3}).doing == "Q/new-one"


def test_a_rate_is_of_the_last_ten_minutes() -> None:
    """Is the speed told after a minute, as it has been lately and not since the beginning?"""
    reader = Reader()
    value = 0.0
    rates = []
    for speed in (10.0,) * 30 + (2.0,) * 30:
        rates.append(reader.read({"P/executed": value}).stages["P/executed"].rate)
        value += speed * 30
    assert rates[:2] == [None, None]
    assert rates[2:31] == [pytest.approx(10)] * 29
    assert rates[40] == pytest.approx(6)
    assert rates[59] == pytest.approx(2)
    for _ in range(30):
        reader.read({"P/executed": value})
    assert reader.progress.stages["P/executed"].rate == 0


def test_a_rate_goes_over_a_restart_of_the_node() -> None:
    """Is what the next process does part of the speed of the last minutes?"""
    reader = Reader()
    for value in (0, 300, 600):
        reader.read({"P/executed": value})
    reader.read({"P/executed": 300}, life="two")
    assert reader.progress.stages["P/executed"].rate == pytest.approx(10)


def test_rates_begin_anew_after_a_gap_and_with_another_controller() -> None:
    """Is no speed told over time that nobody observed?"""
    reader = Reader()
    for value in (0, 300, 600, 900):
        reader.read({"P/executed": value})
    assert taken_up(reader.progress).progress.stages["P/executed"].rate is None
    assert reader.read({"P/executed": 1200}, counted=0).stages["P/executed"].rate is None


def test_a_node_that_gave_no_metrics_for_long_has_no_rate() -> None:
    """Is a speed not told over more than the window, though the run was looked at all the time?"""
    reader = Reader()
    for value in (0, 300, 600, 900):
        reader.read({"P/executed": value})
    reader.at += 900
    assert reader.read({"P/executed": 1200}).stages["P/executed"].rate is None


def test_a_stage_that_is_not_read_has_no_rate() -> None:
    """Is an old speed not shown as today's?"""
    reader = Reader()
    for value in (0, 300, 600, 900):
        reader.read({"P/executed": value, "P/fetched": 1})
    assert reader.read({"P/fetched": 1}).stages["P/executed"].rate is None


def test_how_a_stage_went_is_kept_with_it() -> None:
    """Is it known of each stage how its count grew with the seconds in which it moved, also after
    it stood still, and by another controller?
    """
    reader = Reader()
    for turn in range(41):
        reader.read({"P/executed": turn * turn})
        reader.read({"P/executed": turn * turn})
    trail = Trail(300.0, (10.0**2, 20.0**2, 30.0**2, 40.0**2))
    assert reader.progress.stages["P/executed"].trail == trail
    assert taken_up(reader.progress).progress.stages["P/executed"].trail == trail


def test_what_is_kept_is_bounded() -> None:
    """Do a node that invents stages, and months of readings, keep memory and text small?"""
    reader = Reader()
    for turn in range(200):
        names = {f"{'c' * 50}{n}/{turn % 20}{'s' * 20}": turn + 0.123456789 for n in range(30)}
        reader.read(
            {"P/executed": turn, **names},
            {f"chain {turn} {n}": turn for n in range(30)},
            life='"' * 1000,
        )
    progress = reader.progress
    assert len(progress.stages) <= 64
    assert len(progress.heights) <= 16
    assert len(progress.samples.taken) <= 12
    text = encode_progress(progress)
    assert len(text.encode()) <= BYTES
    again = taken_up(progress)
    assert again.count() == 199  # it has moved longest, so it is the last to be left out
    again.read({"P/executed": 200}, life='"' * 1000)
    assert again.count() == 200


def test_names_that_could_not_be_shown_are_left_out() -> None:
    """Is a name that no metric has not kept, whether it is a stage's or a chain's?"""
    names = ("", "\x00/executed", "é/executed", "k" * 81)
    reader = Reader()
    reader.read(dict.fromkeys(names, 1.0), dict.fromkeys(names, 1))
    assert (reader.progress.stages, reader.progress.heights) == ({}, {})


def test_counts_of_many_lives_stay_numbers_that_can_be_read() -> None:
    """Is a sum that no counter could reach cut, so that its text is not refused?"""
    reader = Reader()
    for life in ("one", "two"):
        reader.read({"P/executed": 2.0**53}, life=life)
    assert taken_up(reader.progress).count() == 2**53


def test_all_real_stages_fit_whatever_their_counts() -> None:
    """After a month, is nothing left out of the text for the sixteen stages that P and C have, and
    no stage, though some trails, if X had as many?
    """
    trail = Trail(307200.0, (1234567890.0,) * POINTS)
    stages = dict.fromkeys(KEYS, Stage(1234567890.0, 2592000.5, None, trail))
    raw = dict.fromkeys(KEYS, 1234567890.0)
    progress = Progress(
        stages=stages,
        heights=dict.fromkeys(CHAINS, 123456789),
        doing=KEYS[0],
        life="01234567-0123-0123-0123-0123456789ab/12/2026-11-23T06:00:00+00:00",
        raw=raw,
    )
    saved = decode_progress(encode_progress(progress))
    assert saved is not None
    assert saved.stages.keys() == set(KEYS)
    for key in KEYS:
        if key.startswith("X/"):
            del stages[key], raw[key]
    assert decode_progress(encode_progress(progress)) == progress


counts = st.one_of(st.integers(0, 2**53).map(float), st.floats(0, 2.0**53))
keys = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=80)
wholes = st.integers(0, 2**53).map(float)
trails = st.just(Trail()) | st.builds(
    Trail,
    st.integers(1, 10**9).map(float),
    st.lists(wholes, min_size=1, max_size=POINTS).map(tuple),
)
stages = st.dictionaries(
    keys,
    st.tuples(
        st.builds(Stage, counts, st.floats(0, 1e8), trail=trails),
        st.none() | counts,
    ),
    max_size=30,
)
progresses = st.builds(
    lambda rows, heights, life, doing: Progress(
        stages={key: stage for key, (stage, _) in rows.items()},
        raw={key: raw for key, (_, raw) in rows.items() if raw is not None},
        heights=heights,
        life=life,
        doing=doing,
    ),
    stages,
    st.dictionaries(keys, st.integers(0, 2**53), max_size=8),
    st.text(max_size=200),
    keys,
)


@given(progresses)
def test_what_is_written_is_what_is_read(progress: Progress) -> None:
    """Does everything that is kept survive the text, within its size; or else trails not, and then
    the shortest stages?
    """
    text = encode_progress(progress)
    assert len(text.encode()) <= BYTES
    saved = decode_progress(text)
    assert saved is not None
    kept = {k: replace(s, seconds=round(s.seconds, 1)) for k, s in progress.stages.items()}
    for key, stage in saved.stages.items():
        without = replace(kept[key], trail=Trail())
        assert stage == kept[key] or (stage == without and len(text) > BYTES - 500)
    if left_out := kept.keys() - saved.stages.keys():
        assert not any(stage.trail.counts for stage in saved.stages.values())
        longest = max(progress.stages[k].seconds for k in left_out)
        assert all(progress.stages[k].seconds >= longest for k in saved.stages)
    else:
        assert replace(saved, stages={}) == replace(progress, stages={})
    assert encode_progress(saved) == text


@given(st.one_of(st.text(), st.text('{}[]":,019.e-NaN stages', max_size=60)))
@example("[" * 100_000)
@example("{}")
@example("null")
@example('{"schema":1,"stages":{"a":[1]}}')
@example('{"schema":1,"stages":{"a":[1,-2]}}')
@example('{"schema":1,"stages":{"a":[true,2]}}')
@example('{"schema":1,"stages":{"a":[1,2]},"trails":{"a":[1]}}')
@example('{"schema":1,"stages":{"a":[1,2]},"trails":{"a":[1,2,3,4,5,6,7,8,9,10]}}')
@example('{"schema":1,"stages":{"a":[1,2,1e999]}}')
@example('{"schema":2,"stages":{}}')
@example('{"schema":1,"stages":{},"heights":{"P":1.5}}')
@example('{"schema":1,"stages":{' + ",".join(f'"{n}":[1,1]' for n in range(65)) + "}}")
@example('{"schema":1,"stages":{}}\ud800')
def test_garbage_is_no_progress(text: str) -> None:
    """Is text that this controller did not write refused without an error?"""
    assert decode_progress(text) is None


def test_a_trail_that_goes_nowhere_does_no_harm() -> None:
    """Can a controller go on from a text whose trail has points no time apart?"""
    saved = decode_progress(
        '{"schema":1,"stages":{"a":[1,9000]},"trails":{"a":[0,1]},"life":"one"}'
    )
    assert saved is not None
    assert Reader(saved).read({"a": 5}).stages["a"].seconds == 9030


def test_fields_of_the_future_are_skipped() -> None:
    """Can a text of the same schema with more fields, or fewer, still be read?"""
    assert decode_progress('{"schema":1,"stages":{"a":[1,2]},"colour":"red"}') == Progress(
        stages={"a": Stage(1, 2)}
    )


steps = st.lists(
    st.tuples(
        st.sampled_from(["work", "restart", "read", "read", "save", "controller"]),
        st.integers(0, 1000),
    ),
    max_size=60,
)


@given(steps)
@example([("work", 9), ("read", 0), ("save", 0), ("work", 5), ("read", 0), ("controller", 0)])
def test_nothing_is_counted_twice_in_any_history(history: list[tuple[str, int]]) -> None:
    """However lives and controllers follow each other: is all counted that was read in the end of
    each life, and never more than was done?
    """
    reader, saved = Reader(), NOTHING
    done, life, value = 0.0, 0, 0.0
    unseen = 0.0  # at most: what lives did that ended unread, or whose reading was lost
    read = saved_value = 0.0
    saved_life = 0
    for what, number in history:
        if what == "work":
            value, done = value + number, done + number
        elif what == "restart":
            unseen += value - read
            life, value, read = life + 1, 0.0, 0.0
        elif what == "read":
            reader.read({"P/executed": value}, life=f"life {life}")
            read = value
        elif what == "save":
            saved, saved_life, saved_value = reader.progress, life, read
        else:
            if saved_life != life:
                unseen = math.inf  # readings of lives that are over were lost
            elif read > saved_value:
                read = saved_value
            reader = taken_up(saved)
    reader.read({"P/executed": value}, life=f"life {life}")
    assert done - unseen <= reader.count() <= done


def test_lines_for_people() -> None:
    """Is each stage that has begun said in a line, with its speed, the one that moves first?"""
    progress = Progress(
        stages={
            "P/fetched": Stage(24000, 60, 0.0),
            "P/executed": Stage(24000, 60, 12.4),
            "X/fetched": Stage(0),
            "C/state-synced": Stage(5e6, 60, 2.25),
            "C/code-synced": Stage(12, 60, 0.01),
        },
        doing="P/executed",
    )
    assert describe_progress(progress) == (
        "P executed 24000 (12/s)",
        "C state-synced 5000000 (2.2/s)",
        "C code-synced 12 (36/h)",
        "P fetched 24000",
    )
    assert describe_progress(NOTHING) == ()


def test_a_stage_that_stands_says_so() -> None:
    """Can slow be told from stalled by the line of the stage that moved last, and since when, until
    the node has bootstrapped?
    """
    standing = Stage(7, 60, 0.0, rests=4, rested=300)
    progress = Progress(stages={"C/executed": standing}, doing="C/executed")
    assert describe_progress(progress) == ("C executed 7 (stands for 5m)",)
    assert describe_progress(progress, finished=True) == ("C executed 7",)


def test_a_counter_that_hangs_has_no_speed() -> None:
    """C ran at 17 a second and hangs at block 4,999: is it said to stand from the second look on,
    and not given the average of its last minutes, though P's counters move for ever?
    """
    reader = Reader()
    for block in range(0, 5000, 500):
        reader.read({"P/executed": block, "C/executed": block})
    reader.read({"P/executed": 5000, "C/executed": 4999})
    reader.read({"P/executed": 5100, "C/executed": 4999})
    assert describe_progress(reader.progress)[1] == "C executed 4999 (15/s)"
    reader.read({"P/executed": 5200, "C/executed": 4999})
    assert describe_progress(reader.progress)[1] == "C executed 4999 (stands for 1m)"
    for more in range(8):
        reader.read({"P/executed": 5300 + more, "C/executed": 4999})
    assert describe_progress(reader.progress)[1] == "C executed 4999 (stands for 5m)"
    assert reader.progress.stages["C/executed"].rate == 0
    reader.read({"P/executed": 6000, "C/executed": 5000})
    assert "stands" not in describe_progress(reader.progress)[1]


@pytest.mark.parametrize("counted", [(60.0,), (1.0, 1.0, 1.0)])
def test_one_look_says_nothing_of_standing(counted: tuple[float, ...]) -> None:
    """One look after a minute, or three within seconds, as when a pod changes: is a counter that
    has not moved meanwhile not said to stand yet?
    """
    reader = Reader()
    reader.read({"C/executed": 7})
    for seconds in counted:
        reader.read({"C/executed": 7}, counted=seconds)
    assert not reader.progress.stages["C/executed"].stands


def test_how_long_a_counter_stands_goes_on_with_the_next_controller() -> None:
    """Is it noted, and read where an older controller has not noted it?"""
    reader = Reader()
    for blocks in (5, 7, 7, 7, 7):
        reader.read({"C/executed": blocks})
    text = encode_progress(reader.progress)
    reader.progress = decode_progress(text) or NOTHING
    reader.read({"C/executed": 7})
    assert describe_progress(reader.progress) == ("C executed 7 (stands for 2m)",)
    older = text.replace('"standing":{"C/executed":90},', "")
    assert older != text
    reader.progress = decode_progress(older) or NOTHING
    reader.read({"C/executed": 7})
    assert describe_progress(reader.progress) == ("C executed 7",)
