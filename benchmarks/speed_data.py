"""The four workloads of train_speed.py, encoded once: each side trains on the same token ids, read from one JSON file."""

from __future__ import annotations

import csv
import json
import os
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tailorbird.engine.chat import ChatEncoder, Encoded

Messages = list[dict[str, str]]
Chats = Iterator[tuple[Messages, ...]]  # one conversation, or the chosen and the rejected one
_ROLES = {"human": "user", "gpt": "assistant", "system": "system"}

_DESK = """\
You are Robin, the first-line support agent of Northgate Systems, which hosts, secures and repairs computer systems for \
small and medium companies. You answer e-mails from customers' staff.

How you write: address the customer by name if one is given, otherwise write "Dear customer". Be calm, friendly and \
exact. Say first what you understood, then what happens next and by when. Use short paragraphs and plain words, no jargon \
the customer did not use. Never promise a refund, a discount or a repair date; say who will decide. Close with an offer to \
help further.

What you must know: outages that stop a whole company are answered within one hour, faults that stop one person within \
four hours, everything else within one working day. Support is open from 7:00 to 19:00 on working days; the emergency \
line is always open. Ask for the serial number, the version of the software and the exact words of the error if they are \
missing. Invoices are explained by accounting, contracts by the account manager; security incidents go to the security \
desk at once. Changes of passwords, access rights or bank details are never made by e-mail: call the number on file \
first. Data may be restored from backups of the last thirty days. Returns are accepted for thirty days with the original \
packing.

What you never do: ask for passwords, quote personal data of others, guess at the cause of a security incident, or blame \
the customer.
"""


@dataclass(frozen=True)
class Workload:
    """Where the conversations come from, and how many of one shuffled sample each side takes, from its beginning.

    The counts differ because the speeds do: ours, a peer's best setting, its defaults (batches of 8, one not timed).
    """

    chats: Callable[[Path], Chats]
    longest: int
    ours: int
    tuned: int
    default: int


def _alpaca(data: Path) -> Chats:
    for row in json.loads((data / "alpaca_en_demo.json").read_text(encoding="utf-8")):
        yield (_exchange(f"{row['instruction']}\n{row['input']}", row["output"]),)


def _tickets(data: Path) -> Chats:
    for row in _rows(data / "tickets_multilang.csv"):
        if row["language"] == "en":
            yield (_exchange(f"{row['subject']}\n\n{row['body']}", row["answer"], _DESK),)


def _banking77(data: Path) -> Chats:
    rows = _rows(data / "banking77_train.csv")
    labels = ", ".join(sorted({row["category"] for row in rows}))
    system = f"You sort the questions of a bank's customers. Answer with one of these labels and nothing else: {labels}."
    for row in rows:
        yield (_exchange(row["text"], row["category"], system),)


def _dpo(data: Path) -> Chats:
    for row in json.loads((data / "dpo_en_demo.json").read_text(encoding="utf-8")):
        prompt = [{"role": _ROLES[turn["from"]], "content": turn["value"]} for turn in row["conversations"]]
        answers = [{"role": "assistant", "content": row[side]["value"]} for side in ("chosen", "rejected")]
        yield tuple([*prompt, answer] for answer in answers)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def _exchange(question: str, answer: str, system: str = "") -> Messages:
    start = [{"role": "system", "content": system}] if system else []
    return [*start, {"role": "user", "content": question}, {"role": "assistant", "content": answer}]


WORKLOADS = {
    "alpaca": Workload(_alpaca, 1024, ours=160, tuned=96, default=24),
    "tickets": Workload(_tickets, 1024, ours=96, tuned=24, default=16),
    "banking77": Workload(_banking77, 1024, ours=480, tuned=24, default=16),
    "dpo": Workload(_dpo, 1024, ours=32, tuned=12, default=16),  # with longer pairs TRL's best runs out of 24 GB
}


def data_folder() -> Path:
    """Where the data lies; ends the program in one sentence if it does not."""
    folder = Path(os.environ.get("TAILORBIRD_DATA") or Path(__file__).parents[2] / "shared" / "data")
    if not folder.is_dir():
        raise SystemExit(f"The benchmark's data is not in {folder}: set TAILORBIRD_DATA to the folder that has it.")
    return folder


def write_job(name: str, base: Path, folder: Path, recipe: dict[str, float]) -> Path:
    """The job file of a workload: base model, LoRA recipe, and one random sample as groups of {ids, trained}."""
    workload = WORKLOADS[name]
    encoder = ChatEncoder(base)
    chats = list(workload.chats(data_folder()))
    random.Random(0).shuffle(chats)
    groups: list[list[dict[str, list[int]]]] = []
    for chat in chats:
        group = [_answer_only(encoder.encode(messages)) for messages in chat]
        if max(len(item["ids"]) for item in group) <= workload.longest and all(any(item["trained"]) for item in group):
            groups.append(group)
        if len(groups) == max(workload.ours, 480):
            break
    path = folder / f"{name}.json"
    job = {"base": str(base), "folder": str(folder), "longest": workload.longest, **recipe, "groups": groups}
    path.write_text(json.dumps(job), encoding="utf-8")
    return path


def _answer_only(item: Encoded) -> dict[str, list[int]]:
    """Ids up to the last target, with the loss on the last answer only, as TRL's prompt and completion have it."""
    end = len(item.ids)
    while not item.trained[end - 1]:
        end -= 1
    start = end
    while start and item.trained[start - 1]:
        start -= 1
    return {"ids": list(item.ids[:end]), "trained": [0] * start + [1] * (end - start)}
