"""Leases on a clock the test moves (rule 9); wall clocks play no part."""

import pytest

from tests.store.scenario import Clock
from torc.store.leases import START_WITHIN_S, Leases

LEASE_S = 300.0


@pytest.fixture
def leases(clock: Clock) -> Leases:
    return Leases(LEASE_S, tick_s=1.0, clock=clock)


def let_pass(leases: Leases, clock: Clock, seconds: int, *, heard: tuple[int, ...] = ()) -> None:
    """Housekeeping ticks every second; the nodes in ``heard`` renew as often."""
    for _ in range(seconds):
        clock.advance(1)
        for node_id in heard:
            leases.renew(node_id)
        leases.expired()


def test_a_silent_node_expires_while_others_are_heard(leases, clock):
    leases.renew(1)
    leases.renew(2)
    let_pass(leases, clock, 299, heard=(2,))
    assert leases.expired() == []
    let_pass(leases, clock, 1, heard=(2,))
    assert leases.expired() == [1]
    assert leases.is_expired(1)
    assert not leases.is_expired(2)


def test_a_renewal_gives_a_full_lease(leases, clock):
    leases.renew(1)
    let_pass(leases, clock, 200, heard=(2,))
    leases.renew(1)
    let_pass(leases, clock, 299, heard=(2,))
    assert leases.expired() == []


def test_a_tick_that_comes_late_extends_every_lease_by_the_delay(leases, clock):
    leases.renew(1)
    leases.renew(2)
    let_pass(leases, clock, 200, heard=(2,))
    clock.advance(600)  # SIGSTOP, a suspended laptop, a long write
    assert leases.expired() == []
    let_pass(leases, clock, 90, heard=(2,))
    assert leases.expired() == []
    let_pass(leases, clock, 10, heard=(2,))
    assert leases.expired() == [1]


def test_nobody_expires_when_nobody_was_heard_for_half_a_lease(leases, clock):
    leases.renew(1)
    leases.renew(2)
    let_pass(leases, clock, 1000)
    assert leases.expired() == []


def test_the_first_node_back_does_not_inherit_the_jobs_of_the_others(leases, clock):
    leases.renew(1)
    leases.renew(2)
    let_pass(leases, clock, 1000)
    leases.renew(1)
    assert leases.expired() == []
    let_pass(leases, clock, 299, heard=(1,))
    assert leases.expired() == []
    let_pass(leases, clock, 1, heard=(1,))
    assert leases.expired() == [2]


def test_a_pause_shorter_than_half_a_lease_gives_nobody_more_time(leases, clock):
    leases.renew(1)
    leases.renew(2)
    let_pass(leases, clock, 149)
    leases.renew(2)
    let_pass(leases, clock, 151, heard=(2,))
    assert leases.expired() == [1]


def test_nodes_found_at_start_get_a_full_lease(leases, clock):
    leases.adopt([1, 2])
    let_pass(leases, clock, 299, heard=(2,))
    assert leases.expired() == []
    let_pass(leases, clock, 1, heard=(2,))
    assert leases.expired() == [1]


def test_a_node_that_left_does_not_expire(leases, clock):
    leases.renew(1)
    leases.hold(1, 5)
    leases.forget(1)
    let_pass(leases, clock, 400, heard=(2,))
    assert leases.expired() == []
    assert not leases.has(1)
    assert leases.held([1]) == 0


def test_jobs_held_are_summed_over_the_nodes_asked_for(leases):
    leases.hold(1, 5)
    leases.hold(2, 7)
    assert leases.held([1, 2, 3]) == 12
    assert leases.held([2]) == 7


def test_a_claim_without_a_node_must_start_in_time(leases, clock):
    leases.claimed_unowned([7, 8])
    clock.advance(START_WITHIN_S - 1)
    assert leases.never_started() == []
    leases.forget_unowned([8])
    clock.advance(1)
    assert leases.never_started() == [7]


def test_a_job_claimed_again_gets_its_full_time_to_start(leases, clock):
    leases.claimed_unowned([7])
    clock.advance(START_WITHIN_S - 10)
    leases.claimed_unowned([7])
    clock.advance(20)
    assert leases.never_started() == []
