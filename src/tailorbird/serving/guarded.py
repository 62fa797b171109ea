"""What guards do to one answer: the question before the model sees it, passages, and each sentence before it is sent."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace

from tailorbird.knowledge import Passage
from tailorbird.language.breaches import sentence_spans
from tailorbird.replier import Message, ReplyPiece, TokenLogprob
from tailorbird.serving.guards import Alarm, Guards, sent, shown, stopped
from tailorbird.serving.phrases import Phrase

Words = Callable[[Phrase], str]
"""What the server says itself, in the customer's language."""


@dataclass
class Watch:
    """The guards of one answer.

    An answer goes out sentence by sentence, since only a whole sentence can be judged: what sets off a guard is masked, taken
    out, or ends the answer with fixed words. `unseen` are earlier messages of the customer that were not judged when they came,
    `alarms` has all that fired.
    """

    guards: Guards
    words: Words
    history: Sequence[Message]
    unseen: Collection[str] = ()
    alarms: list[Alarm] = field(default_factory=list)

    def question(self) -> list[Message]:
        """The conversation as the model may see it: passwords and card numbers masked in all that the customer wrote."""
        told: list[Message] = []
        for message in self.history:
            if message["role"] == "user":
                text = message["content"]
                if message is self.history[-1] or text in self.unseen:
                    found = self.guards.of_message(text)
                    self.alarms += found
                else:
                    found = self.guards.secrets_of(text)
                message = {"role": "user", "content": shown(text, found)}
            told.append(message)
        return told

    def passages(self, found: Sequence[Passage]) -> list[Passage]:
        """Those that may be shown to the model."""
        alarms = self.guards.of_passages([one.text for one in found])
        self.alarms += [alarm for each in alarms for alarm in each]
        return [one for one, each in zip(found, alarms, strict=True) if not stopped(each)]

    @property
    def instead(self) -> str:
        """What is said in place of an answer, as far as the guards have fired; nothing while the model may answer."""
        how = stopped(self.alarms)
        return self._told(how) if how else ""

    def _told(self, how: str) -> str:
        return self.words("handed_over" if how == "hand_over" else "blocked")

    def answer(self, pieces: Iterator[ReplyPiece], passages: Sequence[Passage], whole: bool) -> Iterator[ReplyPiece]:
        """The model's pieces as the customer gets them; `whole` judges the answer in one piece, as JSON has to be.

        The first piece is empty and says that the model has begun, the last one what the guards did.
        """
        texts, said, waiting = [one.text for one in passages], "", ""
        tokens: list[TokenLogprob] = []
        for number, piece in enumerate(pieces):
            if number == 0 and piece.finish_reason is None:
                yield ReplyPiece("")
            waiting += piece.text
            tokens += piece.logprobs
            ended = piece.finish_reason is not None
            ready = len(waiting) if ended else 0 if whole else _complete(waiting)
            if not ready and not ended:
                continue
            written, waiting = waiting[:ready], waiting[ready:]
            found = self._judged(written, texts, said)
            self.alarms += found
            if how := stopped(found):
                gap = " " if said and not said[-1].isspace() else ""
                words = "" if whole else f"{gap}{self._told(how)}"
                yield self.last(replace(piece, finish_reason="stop"), words)
                return
            left = sent(written, found)
            kept, tokens = (tuple(tokens) if left == written else ()), []
            said += left
            if ended:
                nothing = "" if whole else self.words("blocked")
                yield self.last(replace(piece, logprobs=kept), left if said.strip() else nothing)
            elif left:
                yield replace(piece, text=left, logprobs=kept)

    def _judged(self, written: str, passages: Sequence[str], said: str) -> list[Alarm]:
        """What some sentences of the answer set off; what was said before them gives nothing away."""
        if not written.strip():
            return []
        asked, before = ("\n".join(self._of(role)) for role in ("user", "assistant"))
        return self.guards.of_answer(written, asked, passages, f"{before}\n{said}")

    def _of(self, role: str) -> list[str]:
        return [one["content"] for one in self.history if one["role"] == role]

    def last(self, piece: ReplyPiece, text: str) -> ReplyPiece:
        """The last piece, with what the guards did."""
        handed = [one.why for one in self.alarms if one.action == "hand_over"]
        return replace(
            piece,
            text=text,
            action="hand_over" if handed else piece.action,
            reason=handed[0] if handed else piece.reason,
            guards=tuple(dict.fromkeys(f"{one.guard}: {one.action}" for one in self.alarms)),
        )


def _complete(text: str) -> int:
    """How far the text is made of whole sentences; the last one may go on, whatever sign it has."""
    return max((end for _, end in sentence_spans(text) if end < len(text)), default=0)
