"""How the assistant does while it serves: figures of the log, drift, alerts, and what is done about them by itself."""

from __future__ import annotations

from tailorbird.serving.monitoring.figures import Figures, share
from tailorbird.serving.monitoring.overview import Watched, watch
from tailorbird.serving.monitoring.shadows import Beside

__all__ = ["Beside", "Figures", "Watched", "share", "watch"]
