"""From losses and answers to figures with intervals, over all that was held out or a part of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tailorbird import engine, language
from tailorbird.artifacts import Conversation, Figure, Interval
from tailorbird.evaluating import intervals
from tailorbird.evaluating.answering import Question

SEED = 7
_SURE = 0.5  # of a language
_FEWEST = 3  # conversations that make a language worth a figure
Losses = Sequence[tuple[float, int] | None]


class Metric(NamedTuple):
    """What a figure is measured in, and which way is better."""

    unit: str
    better: str


METRICS = {
    "loss": Metric("nats per token", "lower"),
    "chrf": Metric("0 to 1", "higher"),
    "rouge_l": Metric("0 to 1", "higher"),
    "embedding_similarity": Metric("cosine", "higher"),
    "right_language": Metric("share", "higher"),
    "preference": Metric("share of pairs", "higher"),
    "accuracy": Metric("share", "higher"),
    "macro_f1": Metric("0 to 1", "higher"),
}


def everything(conversation: Conversation) -> bool:
    """The whole of what was held out."""
    return True


@dataclass(frozen=True)
class Sheet:
    """Scores of systems on the same held-out conversations: losses by conversation, the rest by answer."""

    conversations: Sequence[Conversation]
    losses: Mapping[str, Losses]
    questions: Sequence[Question]
    scores: Mapping[str, Mapping[str, list[float]]]

    def figures(self, chosen: Callable[[Conversation], bool] = everything) -> dict[str, dict[str, Figure]]:
        """Every system's figures on the chosen conversations; what has no value there is left out."""
        return {
            system: {name: figure(name, sums) for name, sums in self._sums(system, chosen).items() if sums}
            for system in self.losses
        }

    def differences(self, one: str, other: str, chosen: Callable[[Conversation], bool] = everything) -> dict[str, Interval]:
        """How far the first system's figures are from the other's, paired by conversation."""
        first, second = self._sums(one, chosen), self._sums(other, chosen)
        return {name: intervals.difference(sums, second[name], SEED) for name, sums in first.items() if sums}

    def _sums(self, system: str, chosen: Callable[[Conversation], bool]) -> dict[str, intervals.Sums]:
        known = [place for place, loss in enumerate(self.losses[system]) if loss and chosen(self.conversations[place])]
        sums: dict[str, intervals.Sums] = {"loss": [loss for place in known if (loss := self.losses[system][place])]}
        places = [place for place, question in enumerate(self.questions) if chosen(question.conversation)]
        groups = [self.questions[place].conversation.id for place in places]
        for name, values in self.scores.get(system, {}).items():
            sums[name] = intervals.by_group([values[place] for place in places], groups)
        return sums


def figure(name: str, sums: intervals.Sums) -> Figure:
    """A metric's mean with its interval."""
    metric = METRICS[name]
    return Figure(**intervals.mean(sums, SEED).model_dump(), unit=metric.unit, better=metric.better)


def scored(asked: Sequence[Question], said: Mapping[str, list[str]]) -> dict[str, dict[str, list[float]]]:
    """system -> metric -> one score for each answer; the language is scored where customers write in several."""
    agents = [question.agent for question in asked]
    several = len(languages(question.conversation for question in asked)) > 1
    scores: dict[str, dict[str, list[float]]] = {}
    for system, texts in said.items():
        scores[system] = {
            "chrf": [language.chrf(text, agent) for text, agent in zip(texts, agents, strict=True)],
            "rouge_l": [language.rouge_l(text, agent) for text, agent in zip(texts, agents, strict=True)],
            "embedding_similarity": _closeness(texts, agents),
        }
        if several:
            scores[system]["right_language"] = [
                _in_language(text, question.conversation.language) for text, question in zip(texts, asked, strict=True)
            ]
    return scores


def languages(conversations: Iterable[Conversation]) -> list[str]:
    """The languages of customers that are worth a figure, the most frequent first."""
    counts = Counter(one.language for one in conversations if one.language and not one.task)
    return [name for name, count in counts.most_common() if count >= _FEWEST]


def verdict(differences: Mapping[str, Interval]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The metrics whose difference is better, and worse, with an interval that excludes zero."""
    better: list[str] = []
    worse: list[str] = []
    for name, difference in differences.items():
        if difference.low > 0 or difference.high < 0:
            improved = (difference.high < 0) == (METRICS[name].better == "lower")
            (better if improved else worse).append(name)
    return tuple(better), tuple(worse)


def _closeness(said: list[str], agents: list[str]) -> list[float]:
    """The cosine of the meanings of each answer and the agent's, -1 to 1; 0 for no answer."""
    if not said:
        return []
    cosines: list[float] = (engine.embed(said) * engine.embed(agents)).sum(axis=1).tolist()
    return [cosine if text.strip() else 0.0 for text, cosine in zip(said, cosines, strict=True)]


def _in_language(text: str, wanted: str) -> float:
    """1 unless the text is surely in another language than the customer's, or empty."""
    found, sure = language.identify(text)
    return float(bool(text.strip()) and (not wanted or found == wanted or sure < _SURE))
