"""Guards of the server: small named rules that read what customers write, what documents say, and what the model answers.

They find and say what is to be done; the server does it. Nothing here knows the model or the web.
"""

from __future__ import annotations

from tailorbird.serving.guards.alarms import Action, Alarm, Span, kept, masked, sent, shown, stopped
from tailorbird.serving.guards.guarding import Facts, Guards

__all__ = ["Action", "Alarm", "Facts", "Guards", "Span", "kept", "masked", "sent", "shown", "stopped"]
