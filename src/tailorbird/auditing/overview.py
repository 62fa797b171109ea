"""What an audit came to, in one piece that the report shows as a page, as Markdown and as JSON."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from pydantic import BaseModel, Field

from tailorbird.artifacts import Conversation, Dataset
from tailorbird.auditing.examples import Example
from tailorbird.auditing.findings import RULES, Finding, action
from tailorbird.auditing.topics import Case, Topic, case, topics
from tailorbird.auditing.treatment import Difference, Treatment
from tailorbird.settings import AuditSettings

_EXAMPLES = 3
_EXCERPT = 160  # characters
_ENOUGH = 200  # conversations: fewer train a tone, hardly any facts
_FEW_IN_TOPIC = 15
_FEW_IN_LANGUAGE = 50


class Shown(BaseModel):
    """One conversation that a rule found, its words redacted."""

    conversation: str
    detail: str
    excerpt: str


class Problem(BaseModel):
    """What a rule found, how often, and what was done about it."""

    rule: str
    title: str
    action: str
    conversations: int = 0
    examples: list[Shown] = Field(default_factory=list)


class Month(BaseModel):
    """A month's conversations, and the mean of those that were rated."""

    month: str
    conversations: int
    rated: int
    rating: float | None


class Overview(BaseModel):
    """Everything that the report tells."""

    business: str
    sources: list[dict[str, str]]
    imported: int
    rejected: int
    kept: int
    redacted_conversations: int
    quarantined: int
    redacted: dict[str, int]
    splits: dict[str, int]
    languages: dict[str, int]
    problems: list[Problem]
    topics: list[Topic]
    months: list[Month]
    differences: list[Difference]
    rated: int
    advice: list[str]


class Collector:
    """Takes in one conversation after the other and keeps counts, short excerpts and beginnings."""

    def __init__(self, settings: AuditSettings) -> None:
        self._settings = settings
        self._problems: dict[str, Problem] = {}
        self._months: dict[str, list[float | None]] = defaultdict(list)
        self._cases: list[Case] = []
        self._treatment = Treatment(settings.infer_groups)
        self.counts: dict[str, Counter[str]] = {name: Counter() for name in ("quarantined", "noted", "redacted", "languages")}
        self.redacted_conversations = self.rated = 0

    def add(
        self, prepared: Conversation, spoke: str, findings: Sequence[Finding], refused: bool, redacted: dict[str, int]
    ) -> None:
        """A conversation as it may be shown, what was found in it (the reason first), and whether it was set aside."""
        self.counts["languages"][spoke or "unknown"] += 1
        self._cases.append(case(prepared))
        self._treatment.add(prepared, spoke)
        self._months[(prepared.created_at or "")[:7]].append(prepared.rating)
        self.rated += prepared.rating is not None
        if refused:
            self.counts["quarantined"][findings[0].rule] += 1
        else:
            self.counts["noted"].update({found.rule for found in findings})
            self.counts["redacted"].update(redacted)
            self.redacted_conversations += bool(redacted)
        for found in {one.rule: one for one in reversed(findings)}.values():
            rule = RULES[found.rule]
            does = action(found.rule, self._settings.rules)
            problem = self._problems.setdefault(found.rule, Problem(rule=found.rule, title=rule.title, action=does))
            problem.conversations += 1
            if len(problem.examples) < _EXAMPLES:
                problem.examples.append(Shown(conversation=prepared.id, detail=found.detail, excerpt=_excerpt(prepared, found)))

    def overview(self, business: str, dataset: Dataset, examples: Sequence[Example], splits: dict[str, int]) -> Overview:
        """All of it, with topics and advice; `examples` hold the embeddings that topics are made from."""
        found = topics(self._cases, examples)
        languages = dict(self.counts["languages"].most_common())
        months = [
            Month(month=month, conversations=len(all_), rated=len(rated := [r for r in all_ if r is not None]),
                  rating=round(sum(rated) / len(rated), 2) if rated else None)
            for month, all_ in sorted(self._months.items()) if month
        ]  # fmt: skip
        return Overview(
            business=business,
            sources=[{"name": one.name, "format": one.format, "recognised by": one.why} for one in dataset.sources],
            imported=dataset.conversations,
            rejected=dataset.rejected,
            kept=sum(splits.values()),
            redacted_conversations=self.redacted_conversations,
            quarantined=self.counts["quarantined"].total(),
            redacted=dict(self.counts["redacted"].most_common()),
            splits=splits,
            languages=languages,
            problems=sorted(self._problems.values(), key=lambda p: (p.action != "quarantine", -p.conversations)),
            topics=found,
            months=months,
            differences=self._treatment.differences(),
            rated=self.rated,
            advice=_advice(splits.get("train", 0), found, languages, self.rated, dataset.conversations),
        )


def _excerpt(prepared: Conversation, found: Finding) -> str:
    """The turn that was found, or the beginning of the conversation."""
    said = [turn for turn in prepared.turns if turn.role != "system"]
    turn = said[found.turn - 1] if 0 < found.turn <= len(said) else said[0]
    who = "agent" if turn.role == "assistant" else "customer"
    words = " ".join(turn.content.split())
    return f"{who}: {words[:_EXCERPT]}{'…' if len(words) > _EXCERPT else ''}"


def _advice(train: int, found: list[Topic], languages: dict[str, int], rated: int, total: int) -> list[str]:
    """What to collect next."""
    advice = []
    if train < _ENOUGH:
        advice.append(f"There are {train} conversations to train on. From {_ENOUGH} on, answers get your facts right more often.")
    if thin := [topic.label for topic in found if topic.conversations < _FEW_IN_TOPIC]:
        advice.append(f"Few examples of: {'; '.join(thin[:5])}. Export older conversations about them, or write some.")
    if rare := [name for name, count in languages.items() if count < _FEW_IN_LANGUAGE and name != "unknown"]:
        advice.append(f"Few conversations in {', '.join(rare[:6])}: answers in them will be weak.")
    if rated < total / 10:
        advice.append(
            "Hardly any conversation is rated. Ratings tell which answers to learn from: turn them on in your help desk."
        )
    if poor := [topic.label for topic in found if topic.advice.startswith("improve")]:
        advice.append(f"Customers rate the answers badly about: {'; '.join(poor)}. Correct these before you train on them.")
    return advice
