"""Why the released model said something: the training conversations that taught it, and the passages it was shown."""

from __future__ import annotations

from functools import partial

from pydantic import BaseModel

from tailorbird import engine
from tailorbird.artifacts import Candidate, Plan, Release
from tailorbird.errors import InputError
from tailorbird.knowledge import SHOWN, Knowledge, cited, with_passages
from tailorbird.lessons.teachers import Teacher, teachers_of
from tailorbird.progress import Progress, silent
from tailorbird.replier import Message, ReplyOptions, reply
from tailorbird.workspace import Workspace


class Explanation(BaseModel):
    """An answer with the conversations that taught it, nearest first, and the passages that it rests on."""

    question: str
    answer: str
    teachers: list[Teacher]
    citations: list[str]


def explain(
    workspace: Workspace, release: Release, question: str, answer: str = "", top: int = 5, progress: Progress = silent
) -> Explanation:
    """Explains the released model's answer to a question, or any other answer to it as if the model had given it.

    The first time, all training conversations are read once more (about as long as one pass of training). Raises InputError
    for a question without words, and for models that were not trained by LoRA.
    """
    if not question.strip():
        raise InputError("There is nothing to explain.", fix="Write the customer's question in quotes.")
    candidate = workspace.ancestor(release, Candidate)
    base, adapter = engine.locate(release.model, progress), workspace.path(release) / "adapter"
    longest = workspace.ancestor(candidate, Plan).sequence_length
    asked: list[Message] = [{"role": "system", "content": release.system_prompt}, {"role": "user", "content": question}]
    passages = Knowledge(workspace, engine.embed, progress).search(question, SHOWN) if release.passages else []
    if not answer:
        replier = engine.open_replier("explained", base, adapter)
        answer = reply(replier, with_passages(asked, passages), ReplyOptions()).text
        replier.close()
    teachers = teachers_of(workspace, candidate, partial(engine.sketch_gradients, base, adapter, longest, progress))
    chat: list[Message] = [*asked, {"role": "assistant", "content": answer}]
    return Explanation(
        question=question,
        answer=answer,
        teachers=teachers.of([chat], top)[0],
        citations=[one.citation for one in cited(question, answer, passages)],
    )
