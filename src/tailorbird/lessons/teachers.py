"""Which training conversations an answer comes from: those that taught the model the most like it.

Made once for a candidate and kept in the workspace: for every lesson a row of numbers, near to another's where both change the
model alike. How rows are made is the caller's to say, since models are another room's matter.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from pydantic import BaseModel

from tailorbird.artifacts import Candidate, Conversation
from tailorbird.lessons import learned_by, original
from tailorbird.replier import Message
from tailorbird.workspace import Workspace, write_bytes


class Sketch(Protocol):
    """Chats -> unit rows [N, numbers]; with `last_only` of their last answers, zeros where one does not fit."""

    def __call__(self, chats: list[list[Message]], last_only: bool = False) -> np.ndarray:
        """A row for each chat."""
        ...


_FOLDER = "teachers"


class Teacher(BaseModel):
    """A training conversation with how near what it taught is to what an answer would teach, -1 to 1."""

    conversation: str
    nearness: float
    question: str
    answer: str


class Teachers:
    """The lessons of a candidate, and what each of them taught."""

    def __init__(self, lessons: list[Conversation], rows: np.ndarray, sketch: Sketch) -> None:
        self._lessons, self._rows, self._sketch = lessons, rows, sketch

    def of(self, chats: Sequence[list[Message]], top: int) -> list[list[Teacher]]:
        """For each chat, from system prompt to answer, the conversations that taught most like its last answer.

        None for a chat whose last exchange is too long for the model.
        """
        # Beside another conversation, so that the system prompt, which all share, counts for nothing here either.
        prompts = {chat[0]["content"]: chat[0] for chat in chats}.values()
        beside: list[list[Message]] = [
            [prompt, {"role": "user", "content": "?"}, {"role": "assistant", "content": "."}] for prompt in prompts
        ]
        rows = self._sketch([*chats, *beside], last_only=True)[: len(chats)]
        return [self._nearest(row, top) if row.any() else [] for row in rows]

    def _nearest(self, row: np.ndarray, top: int) -> list[Teacher]:
        """Each conversation once."""
        near = self._rows.astype(np.float32) @ row.astype(np.float32)
        found: dict[str, Teacher] = {}
        for place in np.argsort(-near, kind="stable"):
            one = self._lessons[int(place)]
            name = original(one.id)
            if name not in found:
                asked = next((turn.content for turn in one.turns if turn.role == "user"), "")
                answer = one.turns[-1].content
                found[name] = Teacher(conversation=name, nearness=round(float(near[place]), 4), question=asked, answer=answer)
            if len(found) == top:
                break
        return list(found.values())


def teachers_of(workspace: Workspace, candidate: Candidate, sketch: Sketch) -> Teachers:
    """The candidate's teachers, made the first time they are asked for."""
    lessons = learned_by(workspace, candidate)
    kept = workspace.store / _FOLDER / f"{candidate.id}.npy"
    if kept.is_file():
        rows = np.load(kept, allow_pickle=False)
        if len(rows) == len(lessons):
            return Teachers(lessons, rows, sketch)
    rows = sketch([one.messages for one in lessons])
    kept.parent.mkdir(parents=True, exist_ok=True)
    content = io.BytesIO()
    np.save(content, rows, allow_pickle=False)
    write_bytes(kept, content.getvalue())
    return Teachers(lessons, rows, sketch)
