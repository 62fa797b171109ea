"""Delivers what waits in the outbox to the owner's webhook: signed, tried again for hours, each message with one id for ever.

Signed as Standard Webhooks has it (standardwebhooks.com). A receiver may see a message twice and knows it by `webhook-id`.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import httpx2
from standardwebhooks import Webhook

from tailorbird.errors import SettingsError
from tailorbird.serving.desk import Desk
from tailorbird.settings import WebhookSettings
from tailorbird.turns import Delivery, Outbox

EVERY = 1.0
"""Seconds between looks into the outboxes."""
_PATIENCE = 10.0  # seconds
_FIRST, _LONGEST = timedelta(seconds=5), timedelta(hours=1)
_TRIES = 14  # the last one after about six hours
_told = logging.getLogger("tailorbird.webhooks")


class Courier:
    """Delivers for every business with a webhook; `deliver` is called again and again."""

    def __init__(self, desks: Sequence[Desk]) -> None:
        """Raises SettingsError where the secret to sign with is missing or none."""
        settings = [(desk, desk.workspace.settings.serving.webhook) for desk in desks]
        self._receivers = [(desk.business, desk.conversations.outbox, told.url, _signer(told)) for desk, told in settings if told]

    def __bool__(self) -> bool:
        """Whether there is anybody to deliver to."""
        return bool(self._receivers)

    def deliver(self) -> None:
        """Tries what is due; raises WorkspaceError where an outbox cannot be read or written."""
        with httpx2.Client(timeout=_PATIENCE) as client:
            for business, outbox, url, signer in self._receivers:
                for one in outbox.due():
                    deliver(client, outbox, one, (business, url, signer))


def _signer(settings: WebhookSettings) -> Webhook:
    secret = os.environ.get(settings.secret_variable, "")
    try:
        if not secret:
            raise ValueError("it is empty")
        return Webhook(secret)
    except Exception as problem:
        raise SettingsError(
            f"The environment variable {settings.secret_variable} has no secret to sign webhooks with.",
            fix="Make one with `python -c \"import base64, os; print('whsec_' + base64.b64encode(os.urandom(32)).decode())\"`, "
            "set the variable to it, and give it to the receiver.",
        ) from problem


def deliver(client: httpx2.Client, outbox: Outbox, one: Delivery, to: tuple[str, str, Webhook]) -> None:
    """Tries once to deliver a message to (business, address, signer), and notes what came of it."""
    business, url, signer = to
    moment = datetime.now(UTC)
    # With its time, since a database that is made anew or restored counts from a number that was sent before.
    identity = f"msg_{business}_{one.id}_{int(one.created_at.timestamp() * 1e6)}"
    body = json.dumps({"type": one.event, "timestamp": one.created_at.isoformat(), "data": {"business": business, **one.body}})
    headers = {
        "content-type": "application/json",
        "webhook-id": identity,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": signer.sign(identity, moment, body),
    }
    try:
        status = client.post(url, content=body, headers=headers).status_code
        problem = "" if 200 <= status < 300 else f"it answered {status}"
    except httpx2.HTTPError as error:
        problem = str(error) or type(error).__name__
    if not problem:
        outbox.delivered(one.id)
        return
    tries = one.attempts + 1
    wait = min(_FIRST * 2**one.attempts, _LONGEST)
    outbox.failed(one.id, problem, moment + wait if tries < _TRIES else None)
    _told.warning("The webhook of %s did not take %s (%s); try %d of %d.", business, identity, problem, tries, _TRIES)
