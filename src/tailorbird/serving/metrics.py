"""Figures of a running server in Prometheus's text format; of each business only those that a request may see."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from tailorbird.serving.answered import Answered

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2)


class Metrics:
    """Counts what a server answers; forgets it when the process ends, as Prometheus expects."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()

        def counter(name: str, told: str, *labels: str) -> Counter:
            return Counter(f"tailorbird_{name}", told, ["business", *labels], registry=self._registry)

        def histogram(name: str, told: str) -> Histogram:
            return Histogram(f"tailorbird_{name}", told, ["business"], registry=self._registry, buckets=_SECONDS)

        self._answers = counter("answers", "Answers by version, action and how they ended.", "model", "action", "ended")
        self._tokens = counter("tokens", "Tokens read (prompt) and written (completion).", "kind")
        self._guards = counter("guards", "Guards that fired, and what they did.", "guard", "action")
        self._refused = counter("refused_requests", "Requests that were turned away, by HTTP status.", "status")
        self._first = histogram("first_word_seconds", "Until the first word after the disclosure.")
        self._whole = histogram("answer_seconds", "Until an answer was whole.")
        self._running = Gauge(
            "tailorbird_answers_in_progress", "Answers that are being written.", ["business"], registry=self._registry
        )

    def begins(self, business: str) -> None:
        """An answer is being written."""
        self._running.labels(business).inc()

    def ends(self, business: str, model: str, answered: Answered) -> None:
        """An answer is written, or broken off."""
        last = answered.last
        self._running.labels(business).dec()
        self._answers.labels(business, model, last.action, last.finish_reason or "broken off").inc()
        self._tokens.labels(business, "prompt").inc(last.prompt_tokens)
        self._tokens.labels(business, "completion").inc(last.completion_tokens)
        for fired in last.guards:
            guard, _, action = fired.partition(": ")
            self._guards.labels(business, guard, action).inc()
        if answered.first_word is not None:
            self._first.labels(business).observe(answered.first_word)
        if answered.whole:
            self._whole.labels(business).observe(answered.seconds)

    def is_busy(self) -> bool:
        """Whether an answer is being written."""
        return any(sample.value for metric in self._running.collect() for sample in metric.samples)

    def refuses(self, business: str, status: int) -> None:
        """A request is turned away."""
        self._refused.labels(business, status).inc()

    def page(self, businesses: Collection[str]) -> bytes:
        """All figures of these businesses, and of requests that were of none."""
        return generate_latest(_Visible(self._registry, {*businesses, ""}))


class _Visible(Collector):
    """What a registry has on some businesses."""

    def __init__(self, registry: CollectorRegistry, businesses: Collection[str]) -> None:
        self._registry, self._businesses = registry, businesses

    def collect(self) -> Iterator[Metric]:
        for metric in self._registry.collect():
            seen = Metric(metric.name, metric.documentation, metric.type)
            seen.samples = [sample for sample in metric.samples if sample.labels["business"] in self._businesses]
            yield seen
