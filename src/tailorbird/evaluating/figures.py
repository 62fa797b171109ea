"""From losses and answers to figures with intervals, over all that was held out or a part of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tailorbird.artifacts import Conversation, Difference, Figure, Part
from tailorbird.evaluating import intervals
from tailorbird.evaluating.answering import Question

SEED = 7
_CHANCE = 0.05
_FEWEST = 3  # conversations that make a language worth a figure
Losses = Sequence[tuple[float, int] | None]


class Metric(NamedTuple):
    """What a figure is called, what it is measured in, and which way is better."""

    title: str
    unit: str
    better: str


METRICS = {
    "loss": Metric("Loss on the agents' own answers", "nats per token", "lower"),
    "chrf": Metric("chrF (characters in common)", "0 to 1", "higher"),
    "rouge_l": Metric("ROUGE-L (words in common, in order)", "0 to 1", "higher"),
    "embedding_similarity": Metric("Closeness of meaning", "cosine", "higher"),
    "voice": Metric("Closeness to your voice", "cosine", "higher"),
    "unsupported": Metric("Figures, dates and names that nothing supports", "per 100 answers", "lower"),
    "contradictions": Metric("Contradictions of your documents", "per 100 answers", "lower"),
    "hand_off_recall": Metric("Offers a person where one was needed", "share", "higher"),
    "hand_off_precision": Metric("A person was needed where one is offered", "share", "higher"),
    "right_language": Metric("Answers in the customer's language", "share", "higher"),
    "length_off": Metric("Length, how far from the agents'", "log ratio", "lower"),
    "ability": Metric("General questions answered right", "share", "higher"),
    "harness": Metric("Right by lm-evaluation-harness", "share", "higher"),
    "breaches": Metric("Gives in to attacks", "share", "lower"),
    "needless_refusals": Metric("Refuses what is harmless", "share", "lower"),
    "verbatim": Metric("Repeats a training answer, twelve words in a row", "share", "lower"),
    "exposure": Metric("Exposure of planted secrets", "bits of 8, 1.4 is chance", "lower"),
    "membership": Metric("Training conversations can be told from held-out ones", "AUC, 0.5 is chance", "lower"),
    "preference": Metric("Finds the answer likelier that people preferred", "share of pairs", "higher"),
    "preference_gained": Metric("Favours the answer that people preferred more than before", "share of pairs", "higher"),
    "accuracy": Metric("Accuracy of labels", "share", "higher"),
    "macro_f1": Metric("Macro-F1 of labels (every label weighs the same)", "0 to 1", "higher"),
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
    scores: Mapping[str, Mapping[str, Sequence[float | None]]]

    def figures(self, chosen: Callable[[Conversation], bool] = everything) -> dict[str, dict[str, Figure]]:
        """Every system's figures on the chosen conversations; what has no value there is left out."""
        return {
            system: {name: figure(name, sums) for name, sums in self._sums(system, chosen).items() if _counts(sums)}
            for system in self.losses
        }

    def differences(self, one: str, other: str, chosen: Callable[[Conversation], bool] = everything) -> dict[str, Difference]:
        """How far the first system's figures are from the other's, paired by conversation."""
        first, second = self._sums(one, chosen), self._sums(other, chosen)
        both = {name: (sums, second[name]) for name, sums in first.items() if _counts(sums) and _counts(second[name])}
        return {name: intervals.difference(*sums, SEED) for name, sums in both.items()}

    def _sums(self, system: str, chosen: Callable[[Conversation], bool]) -> dict[str, intervals.Sums]:
        known = [place for place, loss in enumerate(self.losses[system]) if loss and chosen(self.conversations[place])]
        sums: dict[str, intervals.Sums] = {"loss": [loss for place in known if (loss := self.losses[system][place])]}
        places = [place for place, question in enumerate(self.questions) if chosen(question.conversation)]
        groups = [self.questions[place].conversation.id for place in places]
        for name, values in self.scores.get(system, {}).items():
            sums[name] = intervals.by_group([values[place] for place in places], groups)
        return sums


def _counts(sums: intervals.Sums) -> bool:
    """Whether there is anything to take a mean of."""
    return any(weight for _, weight in sums)


def figure(name: str, sums: intervals.Sums) -> Figure:
    """A metric's mean with its interval."""
    metric = METRICS[name]
    return Figure(**intervals.mean(sums, SEED).model_dump(), unit=metric.unit, better=metric.better)


def compared(name: str, sums: Mapping[str, intervals.Sums], with_system: str = "base") -> Part:
    """One metric of some systems on the same examples, and how far `tuned` is from another of them."""
    return Part(
        examples=len(sums["tuned"]),
        systems={system: {name: figure(name, rows)} for system, rows in sums.items()},
        differences={name: intervals.difference(sums["tuned"], sums[with_system], SEED)},
    )


def languages(conversations: Iterable[Conversation]) -> list[str]:
    """The languages of customers that are worth a figure, the most frequent first."""
    counts = Counter(one.language for one in conversations if one.language and not one.task)
    return [name for name, count in counts.most_common() if count >= _FEWEST]


def verdict(differences: Mapping[str, Difference]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The metrics on which one is better, and worse, beyond chance, corrected for how many there are (Holm 1979)."""
    better: list[str] = []
    worse: list[str] = []
    ranked = sorted(differences, key=lambda name: differences[name].p)
    for place, name in enumerate(ranked):
        if differences[name].p > _CHANCE / (len(ranked) - place):
            break
        improved = (differences[name].value < 0) == (METRICS[name].better == "lower")
        (better if improved else worse).append(name)
    return _in_order(better), _in_order(worse)


def _in_order(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name in METRICS if name in names)
