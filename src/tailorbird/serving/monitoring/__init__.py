"""How the assistant does while it serves: figures of the log, drift, alerts, and what is done about them by itself."""

from __future__ import annotations

from tailorbird.serving.monitoring.figures import Figures, Watched, share, watch

__all__ = ["Figures", "Watched", "share", "watch"]
