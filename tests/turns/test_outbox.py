"""Messages that wait: kept until they are delivered, in order, tried again later, and the oldest delivered ones let go."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx2
import pytest
from standardwebhooks import Webhook

from tailorbird.serving.webhooks import deliver
from tailorbird.turns import Outbox
from tailorbird.workspace import Workspace


def later(**time: int) -> datetime:
    return datetime.now(UTC) + timedelta(**time)


def test_a_message_is_due_until_it_is_delivered(live: Workspace) -> None:
    outbox = Outbox(live)
    body = {"conversation": "chat-1", "summary": "“ü” \0", "turns": [{"role": "user", "n": 1.5, "whole": True, "none": None}]}
    first, second = outbox.put("waiting", body), outbox.put("closed", {})
    (one, other) = outbox.due()
    assert (one.id, one.event, one.attempts, other.id) == (first, "waiting", 0, second)
    assert one.body == body | {"summary": "“ü” \N{REPLACEMENT CHARACTER}"}
    assert [each.id for each in outbox.due(limit=1)] == [first]
    assert outbox.due(later(minutes=-5)) == []
    outbox.delivered(first)
    assert [each.id for each in Outbox(live).due()] == [second]


def test_what_failed_is_tried_again_later_or_given_up(live: Workspace) -> None:
    outbox = Outbox(live)
    first, second = outbox.put("waiting", {}), outbox.put("closed", {})
    again = later(minutes=5)
    outbox.failed(first, "503 " * 1000, again)
    assert [each.id for each in outbox.due()] == [second]
    waiting = outbox.due(later(minutes=6))
    assert [each.id for each in waiting] == [second, first]
    assert (waiting[1].attempts, waiting[1].next_at, len(waiting[1].last_error or "")) == (1, again, 500)
    outbox.failed(first, "410 gone", None)
    assert [each.id for each in outbox.due(later(days=400))] == [second]


def test_the_oldest_delivered_messages_go_and_no_other(live: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    from sqlalchemy import select

    from tailorbird.database import Database
    from tailorbird.database.tables import DELIVERIES

    monkeypatch.setattr("tailorbird.turns.outbox.KEPT", 3)
    outbox = Outbox(live)
    made = [outbox.put("waiting", {}) for _ in range(8)]
    for identity in made[2:]:
        outbox.delivered(identity)
    assert [each.id for each in outbox.due()] == made[:2]
    with Database(live).reading() as connection:
        assert connection is not None
        assert sorted(connection.execute(select(DELIVERIES.c.id)).scalars()) == [*made[:2], *made[5:]]


def test_a_message_is_known_by_an_id_that_no_other_has_also_after_the_database_was_lost(live: Workspace) -> None:
    ids: list[str] = []

    def receive(request: httpx2.Request) -> httpx2.Response:
        ids.append(request.headers["webhook-id"])
        return httpx2.Response(503)

    outbox, to = Outbox(live), ("shop", "http://receiver.example", Webhook("whsec_c2VjcmV0c2VjcmV0c2VjcmV0"))
    outbox.put("waiting", {})
    (one,) = outbox.due()
    with httpx2.Client(transport=httpx2.MockTransport(receive)) as client:
        for _ in range(2):
            deliver(client, outbox, one, to)
        deliver(client, outbox, one.model_copy(update={"created_at": later(days=1)}), to)
    assert ids[0] == ids[1] != ids[2]
