"""Which training conversations some of the tuned model's held-out answers come from, those that nothing supports first."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from pydantic import BaseModel

from tailorbird import engine
from tailorbird.artifacts import Candidate, Plan
from tailorbird.evaluating.answering import Answer, Question
from tailorbird.evaluating.systems import Systems
from tailorbird.lessons.teachers import Teacher, teachers_of
from tailorbird.progress import Progress
from tailorbird.replier import Message
from tailorbird.workspace import Workspace

_TAUGHT_BY = 3


class Explained(BaseModel):
    """A held-out question, the tuned model's answer, and the conversations that taught it, nearest first."""

    conversation: str
    question: str
    answer: str
    unsupported: tuple[str, ...]
    teachers: list[Teacher]


def explained(
    workspace: Workspace, candidate: Candidate, systems: Systems, asked: Sequence[Question], answers: Sequence[Answer],
    progress: Progress,
) -> list[Explained]:  # fmt: skip
    """As many answers as the settings say; none of models that were not trained by LoRA.

    The first time all training conversations are read once more, about as long as one pass of training.
    """
    plan, most = workspace.ancestor(candidate, Plan), workspace.settings.evaluation.explained
    if not most or not answers or plan.method not in ("lora", "rslora"):
        return []
    base, adapter = systems.base, systems.alone["tuned"]
    assert adapter is not None, "what is tuned has an adapter"
    longest = plan.sequence_length
    unsupported = [one.unsupported.get("tuned", ()) for one in answers]
    chosen = sorted(range(len(answers)), key=lambda place: -len(unsupported[place]))[:most]
    teachers = teachers_of(workspace, candidate, partial(engine.sketch_gradients, base, adapter, longest, progress))
    chats = [_answered(asked[place].history, answers[place].tuned) for place in chosen]
    found = zip(chosen, teachers.of(chats, _TAUGHT_BY), strict=True)
    return [_explained(answers[place], unsupported[place], taught) for place, taught in found]


def _explained(one: Answer, unsupported: tuple[str, ...], teachers: list[Teacher]) -> Explained:
    return Explained(
        conversation=one.conversation, question=one.question, answer=one.tuned, unsupported=unsupported, teachers=teachers
    )


def _answered(history: Sequence[Message], answer: str) -> list[Message]:
    return [*history, {"role": "assistant", "content": answer}]
