"""What conversations teach, task by task, and how often each of it is learned."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from tailorbird.artifacts import Candidate, Conversation, Plan, Turn
from tailorbird.settings import TaskSettings
from tailorbird.workspace import Workspace, read_conversations

Tasks = Mapping[str, TaskSettings]
_MOST_COPIES = 4  # of one conversation in an epoch; more would only be learned by heart
_APART = "@"


def taught(conversations: Iterable[Conversation], tasks: Tasks) -> Iterator[Conversation]:
    """Each conversation as it stands, followed by what the help desk's own labels for it teach of the other tasks."""
    for one in conversations:
        yield _as_asked(one, tasks[one.task]) if one.task in tasks else one
        for name, task in tasks.items():
            if not one.task and (label := _label(one, task)):
                yield _labelled(one, name, task, label)


def asked(text: str, read_twice: bool) -> str:
    """A message as the model is given it."""
    return f"{text}\n{text}" if read_twice else text


def once(text: str, read_twice: bool) -> str:
    """The message that the model is given as `text`."""
    return text[: len(text) // 2] if read_twice else text


def learned_by(workspace: Workspace, candidate: Candidate) -> list[Conversation]:
    """The lessons of a candidate and of those that it went on from, each once, its own first."""
    found: dict[str, Conversation] = {}
    for plan in (one for one in workspace.lineage(candidate) if isinstance(one, Plan)):
        for lesson in read_conversations(workspace.path(plan) / "train.jsonl"):
            found.setdefault(lesson.id, lesson)
    return list(found.values())


def original(identity: str) -> str:
    """The id of the conversation that a lesson is from."""
    return identity.rpartition(_APART)[0] or identity


def labels(task: TaskSettings, name: str, learned: Iterable[Conversation]) -> tuple[str, ...]:
    """What the task may answer: the settings' labels, or all that are learned, in order of the alphabet; none for texts."""
    if task.answer != "label":
        return ()
    return tuple(task.labels or sorted({one.turns[-1].content for one in learned if one.task == name}))


def mixed(learned: Sequence[Conversation], tasks: Tasks, temperature: float, seed: int) -> list[Conversation]:
    """The lessons of an epoch: rare tasks and languages repeated, frequent ones once.

    A task in a language has a share of its weight times its size to the power of 1 / temperature (arXiv 1907.05019); what
    comes out with the fewest copies is learned once, the rest up to four times.
    """
    parts: dict[tuple[str, str], list[Conversation]] = defaultdict(list)
    for one in learned:
        parts[one.task, one.language].append(one)
    wanted = {
        part: (tasks[part[0]].weight if part[0] in tasks else 1.0) * len(members) ** (1 / temperature) / len(members)
        for part, members in parts.items()
    }
    least = min(wanted.values(), default=1.0)
    epoch: list[Conversation] = []
    for part, members in parts.items():
        copies = min(wanted[part] / least, _MOST_COPIES)
        epoch += members * int(copies)
        epoch += random.Random(f"{seed} {part}").sample(members, round((copies - int(copies)) * len(members)))
    return epoch


def counted(learned: Iterable[Conversation]) -> str:
    """How many lessons of each task and language there are, in words."""
    counts = Counter(f"{one.task or 'answer'}{one.language and f' ({one.language})'}" for one in learned)
    return ", ".join(f"{count} {what}" for what, count in counts.most_common())


def _label(conversation: Conversation, task: TaskSettings) -> str:
    """What the help desk says of the conversation in the field that the task learns from; "" where it says nothing."""
    if not task.labels_from:
        return ""
    if task.labels_from == "department":
        label = conversation.department or ""
    else:
        found = (tag.partition("=") for tag in conversation.tags)
        label = next((value for name, _, value in found if name == task.labels_from), "")
    return label if not task.labels or label in task.labels else ""


def _labelled(conversation: Conversation, name: str, task: TaskSettings, label: str) -> Conversation:
    """The customer's first message with the label as its answer."""
    message = next(turn for turn in conversation.turns if turn.role == "user")
    turns = (Turn(role="system", content=task.system_prompt), message, Turn(role="assistant", content=label))
    changed = {"id": f"{conversation.id}{_APART}{name}", "turns": turns, "task": name, "rejected": None, "rating": None}
    return _as_asked(conversation.model_copy(update=changed), task)


def _as_asked(lesson: Conversation, task: TaskSettings) -> Conversation:
    """The lesson with its messages as the model will be given them in service."""
    turns = [
        turn.model_copy(update={"content": asked(turn.content, task.read_twice)}) if turn.role == "user" else turn
        for turn in lesson.turns
    ]
    return lesson.model_copy(update={"turns": tuple(turns)})
