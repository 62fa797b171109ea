"""The log of conversations with customers, and messages to other systems that wait to be delivered. See docs/live-data.md.

It keeps the words that it is given: whoever writes here has taken personal data out before.
"""

from __future__ import annotations

from tailorbird.turns.log import TurnLog
from tailorbird.turns.logged import LoggedConversation, LoggedTurn, State
from tailorbird.turns.outbox import Delivery, Outbox
from tailorbird.turns.shadows import Shadowed, ShadowLog

__all__ = ["Delivery", "LoggedConversation", "LoggedTurn", "Outbox", "ShadowLog", "Shadowed", "State", "TurnLog"]
