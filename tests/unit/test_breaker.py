"""When a system is left alone, for how long, and what shows that it is well again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hub.core.breaker import RULES, Circuit, Evidence, State, Way, Window, asked_to_wait, evidence, of_look, opened
from hub.errors import MappingFault, Misconfigured, Refused, Unavailable, Unclear
from hub.model import Receipt, ReplaySafety, StepKind

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
S = ReplaySafety


def later(**by: float) -> datetime:
    return NOW + timedelta(**by)


@pytest.mark.parametrize(
    ("result", "says"),
    [
        (Receipt(reference="C-1"), Evidence.WELL),
        (Refused(), Evidence.WELL),
        (Unavailable(), Evidence.SICK),
        (Unclear(), Evidence.SICK),
        (KeyError("a bug"), Evidence.SICK),
        (Misconfigured(), Evidence.NEUTRAL),
        (MappingFault("x", where="y"), Evidence.NEUTRAL),
        (Unavailable(code="store"), Evidence.NEUTRAL),
    ],
)
def test_what_a_result_says_of_the_system(result: Receipt | BaseException, says: Evidence) -> None:
    assert evidence(result, safety=S.UNSAFE, kind=StepKind.CREATE) is says


@pytest.mark.parametrize("safety", [S.LOOKUP, S.LISTING])
def test_a_doubt_that_will_be_looked_into_says_nothing_yet(safety: ReplaySafety) -> None:
    assert evidence(Unclear(), safety=safety, kind=StepKind.CREATE) is Evidence.NEUTRAL
    assert evidence(Unclear(), safety=safety, kind=StepKind.ATTACH) is Evidence.SICK


def test_a_doubt_is_no_passed_probe() -> None:
    assert evidence(Unclear(), safety=S.LOOKUP, kind=StepKind.CREATE, probe=True) is Evidence.SICK


def test_a_look_says_what_became_of_the_create() -> None:
    assert of_look(Receipt(reference="C-1")) is Evidence.WELL
    assert of_look(None, certain=True) is Evidence.SICK
    assert of_look(None) is of_look(None, certain=True, probe=True) is Evidence.NEUTRAL


def hears(window: Window, results: str, *, at: float = 0.0, every: float = 1.0) -> list[bool]:
    """`.` well, `x` sick, a second apart."""
    return [
        window.add(at + n * every, Evidence.SICK if each == "x" else Evidence.WELL) for n, each in enumerate(results)
    ]


def test_it_opens_when_half_of_ten_results_are_sick() -> None:
    assert not any(hears(Window(), "....." + "xxxx"))
    assert hears(Window(), "....." + "xxxxx")[-1]


def test_fewer_than_ten_results_prove_nothing() -> None:
    assert not any(hears(Window(), "xxxxxxxxx"))


def test_less_than_half_is_borne() -> None:
    assert not any(hears(Window(), "..x.x..x.x" * 5))


def test_what_is_a_minute_old_is_forgotten() -> None:
    assert not any(hears(Window(), "xxxxx" + "xxxxx", every=15))


def test_a_good_past_does_not_hide_a_bad_minute() -> None:
    window = Window()
    hears(window, "." * 5000, every=0.01)
    assert any(hears(window, "x" * 20, at=50, every=0.01))


def test_what_was_judged_is_not_counted_again() -> None:
    window = Window()
    hears(window, "x" * 10)
    window.clear()
    assert not any(hears(window, "x" * 9, at=10))


@pytest.mark.parametrize(("trips", "seconds"), [(1, 10), (2, 20), (3, 40), (5, 160), (6, 300), (99, 300)])
def test_each_time_it_stays_open_twice_as_long_up_to_five_minutes(trips: int, seconds: int) -> None:
    assert RULES.lasts(trips, dice=0.5) == timedelta(seconds=seconds)


def test_dice_spread_the_time_by_a_fifth_and_never_beyond_the_longest() -> None:
    assert RULES.lasts(1, dice=0.0) == timedelta(seconds=8)
    assert RULES.lasts(1, dice=0.999).total_seconds() == pytest.approx(12, abs=0.01)
    assert RULES.lasts(9, dice=0.999) == RULES.longest


def test_it_is_shut_while_open_and_then_lets_one_through() -> None:
    circuit = opened(NOW, dice=0.5)
    assert circuit.way(later(seconds=9)) is Way.SHUT
    assert circuit.way(later(seconds=10)) is Way.PROBE
    probing = circuit.probing("step", later(seconds=70))
    assert (probing.state, probing.way(later(seconds=11))) == (State.HALF_OPEN, Way.SHUT)


def test_a_probe_whose_worker_died_is_void_after_its_lease() -> None:
    probing = opened(NOW, dice=0.5).probing("step", later(seconds=70))
    assert probing.way(later(seconds=70)) is Way.PROBE


def test_two_good_probes_close_it() -> None:
    half = opened(NOW, dice=0.5).probing("one", later(seconds=70)).passed()
    assert half is not None and (half.well, half.probe, half.state) == (1, None, State.HALF_OPEN)
    assert half.probing("two", later(seconds=80)).passed() is None


def test_a_sick_probe_opens_it_again_for_longer_and_good_ones_are_counted_anew() -> None:
    half = opened(NOW, dice=0.5).probing("one", later(seconds=70)).passed()
    assert half is not None
    again = half.probing("two", later(seconds=80)).failed(later(seconds=12), dice=0.5)
    assert (again.trips, again.until, again.well, again.probe) == (2, later(seconds=32), 0, None)


def test_a_retry_after_is_kept_to_for_five_minutes_at_most() -> None:
    short = asked_to_wait(None, NOW, timedelta(seconds=30), probes=True)
    long = asked_to_wait(None, NOW, timedelta(days=1), probes=True)
    assert short is not None and (short.until, short.trips) == (later(seconds=30), 0)
    assert long is not None and long.until == later(minutes=5)


def test_a_shorter_retry_after_changes_nothing() -> None:
    circuit = asked_to_wait(None, NOW, timedelta(seconds=30), probes=True)
    assert asked_to_wait(circuit, NOW, timedelta(seconds=10), probes=True) is None
    longer = asked_to_wait(circuit, NOW, timedelta(seconds=60), probes=True)
    assert longer is not None and longer.until == later(seconds=60)


def test_with_the_breaker_off_all_come_back_when_the_system_said_so() -> None:
    circuit = asked_to_wait(None, NOW, timedelta(seconds=30), probes=False)
    assert circuit is not None
    assert (circuit.way(NOW), circuit.way(later(seconds=30))) == (Way.SHUT, Way.FREE)


def test_a_clock_that_was_set_back_keeps_nobody_out_for_hours() -> None:
    circuit = opened(later(hours=1), dice=0.5)
    assert circuit.way(NOW) is Way.PROBE


@pytest.mark.parametrize(
    "circuit",
    [
        opened(NOW, dice=0.3),
        opened(NOW, dice=0.3).probing("step", later(seconds=9)),
        Circuit(state=State.HALF_OPEN, need=1, trial=True),
        asked_to_wait(None, NOW, timedelta(seconds=3), probes=False),
    ],
)
def test_a_row_keeps_all_of_it(circuit: Circuit) -> None:
    assert Circuit.from_json(circuit.to_json()) == circuit
