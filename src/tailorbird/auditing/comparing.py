"""What shows only beside other conversations: copies, contradictions, poison."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence

import numpy as np

from tailorbird import engine
from tailorbird.artifacts import Conversation
from tailorbird.auditing.addressing import boilerplate, unaddressed
from tailorbird.auditing.contradictions import contradictions
from tailorbird.auditing.duplicates import Sketch, copies
from tailorbird.auditing.examples import Example, Own, Vector
from tailorbird.auditing.findings import Finding
from tailorbird.auditing.neighbours import Neighbours
from tailorbird.auditing.outdated import outdated
from tailorbird.auditing.poisoning import poisoned
from tailorbird.language.facts import Fact, Supported
from tailorbird.progress import Advance

_WORDS = 40
"""Words of a question or answer that its vector is made from. The first ones: what people end with is alike everywhere, and the
whole text tells little more (of 0.98 of swapped tickets by the first 40, 0.99 by all, 0.88 by the last 40)."""
_BATCH = 512
_LATER: Vector = np.empty(0, np.float32)
SEARCHES = 6
"""How many steps `compared` takes."""
_DOMAIN = re.compile(r"(?:[a-z0-9-]+\.)+[a-z]{2,}", re.I)


class Gathered:
    """What is kept of all conversations to compare them: sketches, answers with their texts and embeddings, and dates."""

    def __init__(self) -> None:
        self.sketches: list[Sketch] = []
        self.examples: list[Example] = []
        self.made_at: dict[str, str] = {}
        self._waiting: list[tuple[Example, str]] = []

    def add(self, sketch: Sketch, answers: list[tuple[Example, str]]) -> None:
        """One more conversation: its sketch, and its answers with what each is about."""
        self.sketches.append(sketch)
        self.made_at[sketch.id] = sketch.made_at
        self._waiting += answers
        if len(self._waiting) >= _BATCH:
            self.finish()

    def finish(self) -> None:
        """Embeds what was added last."""
        self.examples += _embedded(self._waiting)
        self._waiting = []


def compared(
    everything: Gathered, sound: Collection[str], own: Own, documents: Sequence[Fact], advance: Advance
) -> dict[str, list[Finding]]:
    """The findings in these conversations that are due to the others of them, or to the business's documents."""
    found: dict[str, list[Finding]] = defaultdict(list)
    for identity, copy in copies([sketch for sketch in everything.sketches if sketch.id in sound]).items():
        found[identity].append(copy)
    advance(1)
    # A copy is no second witness.
    examples = [one for one in everything.examples if one.id in sound and one.id not in found]
    if len(examples) < 2:
        return dict(found)
    near = Neighbours(examples)
    # Answers stray less than questions: both together tell what a statement is about.
    both = Neighbours([one._replace(question_embedding=one.question_embedding + one.answer_embedding) for one in examples])
    for searching in (
        ((identity, finding) for identity, those in poisoned(examples, own, near).items() for finding in those),
        contradictions(examples, both, everything.made_at, Supported(documents)),
        outdated(examples, documents),
        boilerplate(examples, near),
        unaddressed(examples, near),
    ):
        for identity, finding in searching:
            found[identity].append(finding)
        advance(1)
    return dict(found)


def own_of(name: str, keep: Iterable[str]) -> Own:
    """What belongs to the business, from its name and the list of what is never redacted."""
    told = tuple(keep)
    domains = {match.lower() for one in told for match in _DOMAIN.findall(one)}
    phones = tuple(one for one in told if sum(c.isdigit() for c in one) >= 6)
    return Own(name=name, domains=tuple(sorted(domains)), phones=phones, products=(), words=told)


def answers_of(conversation: Conversation) -> Iterator[tuple[Example, str]]:
    """Each answer with all that the customer had written before it, and what that is about; embeddings come later.

    None of one that was judged badly, which is no witness of anything.
    """
    if conversation.disliked:
        return
    asked: list[str] = []
    labels = (*conversation.tags, *([conversation.department] if conversation.department else []))
    for number, turn in enumerate((turn for turn in conversation.turns if turn.role != "system"), 1):
        if turn.role == "user":
            asked.append(turn.content)
        else:
            example = Example(conversation.id, "\n".join(asked), turn.content, turn.author, labels, _LATER, _LATER, number)
            yield example, subject_of(asked)


def subject_of(asked: list[str]) -> str:
    """The beginnings of the first message, which says what it is about, and of the last, which is answered."""
    if len(asked) < 2:
        return beginning_of("".join(asked))
    return f"{beginning_of(asked[0], _WORDS // 2)} {beginning_of(asked[-1], _WORDS // 2)}"


def beginning_of(text: str, words: int = _WORDS) -> str:
    """The first words of a text."""
    return " ".join(text.split(maxsplit=words)[:words])


def _embedded(waiting: list[tuple[Example, str]]) -> Iterator[Example]:
    if not waiting:
        return
    questions = engine.embed([subject for _, subject in waiting])
    answers = engine.embed([beginning_of(example.answer) for example, _ in waiting])
    for (example, _), question, answer in zip(waiting, questions, answers, strict=True):
        yield example._replace(question_embedding=question, answer_embedding=answer)
