"""A broker that is away, half away, or gone mad."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime, timedelta
from functools import partial

from kombu.connection import Connection

from hub.broker.queues import RING, Names
from hub.gameday.council import EVERYWHERE, SLOW
from hub.gameday.network import RigFailed
from hub.gameday.scenario import IN_FLIGHT, Act, scenario
from hub.gameday.times import latencies, percentile

PER_SECOND = 20  #: submissions for each class: fewer than can be sent, so that what is measured is the bell
TICK = 1.0
_AWAY = IN_FLIGHT + 8  #: some come back while it strikes
ALLOWED = TICK + 0.5
LINES = 5  #: connections of one intake and two workers: three that ring, two that listen
_NOTICED_WITHIN = timedelta(seconds=60)
_BELLS = 5_000


@scenario("broker-stop-and-start", "the broker is stopped under load, and started again when all is delivered")
def stop_and_start(act: Act) -> None:
    broker = act.rig.servers.broker
    assert broker is not None
    _steady(act)
    broker.stop()
    act.note_fault()
    stopped_at = datetime.now(UTC)
    for publishing in act.publishings:
        publishing.wait()
    act.wrong += [f"{status} while the broker was away" for status in act.publishings[0].statuses if status != 202]
    act.checks.append(partial(_in_time, stopped_at=stopped_at))
    act.until_settled()


def _steady(act: Act) -> None:
    act.behave("slow", seconds=SLOW)
    act.publish(per_second=PER_SECOND * len(act.places))
    act.until_in_sending(_AWAY)


def _in_time(act: Act, *, stopped_at: datetime) -> None:
    """From accepted to there, for what was published while the broker was away."""
    waits = [wait for taken, wait in latencies(act) if taken.sent_at > stopped_at]
    act.told["delivery_p95_without_broker"] = round(percentile(waits, 0.95), 2)
    if percentile(waits, 0.95) > ALLOWED:
        act.wrong.append(f"without a broker the p95 of delivery was {percentile(waits, 0.95):.2f} s, not {ALLOWED} s")


@scenario("broker-half-open", "every connection to the broker falls silent, and is not closed", brief=False)
def half_open(act: Act) -> None:
    broker = act.rig.servers.broker
    assert broker is not None
    _steady(act)
    before = broker.taken
    broker.freeze()
    act.note_fault()
    began = time.monotonic()
    while (new := broker.taken - before) < LINES:
        if time.monotonic() - began > _NOTICED_WITHIN.total_seconds():
            raise RigFailed(f"Only {new} of {LINES} connections were made anew; the others do not notice.")
        time.sleep(0.1)
    act.told["noticed_within"] = round(time.monotonic() - began, 1)


@scenario("bell-storm", "thousands of bells: doubled, out of order, and for places that there are not", brief=False)
def storm(act: Act) -> None:
    act.behave("slow", seconds=SLOW)
    act.stream()
    act.until_in_sending()
    dice = random.Random(act.mark)
    places = [place.id for place in EVERYWHERE] + [f"gameday/none-{number}" for number in range(200)]
    with Connection(act.rig.servers.direct_broker) as connection:
        exchange = Names().bells(connection.channel())
        producer = connection.Producer(exchange=exchange, routing_key=RING, serializer="json", auto_declare=False)
        for number in range(_BELLS):
            some = dice.sample(places, dice.randint(1, 5))
            producer.publish({"destinations": some + some}, delivery_mode="transient")
            if number == _BELLS // 2:
                act.note_fault()
