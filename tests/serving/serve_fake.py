"""A server process for tests that kill it: the whole application over a model that writes at a given pace.

Usage: python serve_fake.py WORKSPACE SECONDS_A_WORD; prints its address and serves until stopped.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tailorbird.replier import Message, ReplyOptions, ReplyPiece
from tailorbird.serving import api
from tailorbird.serving.assistant import Assistant
from tailorbird.serving.desk import Desk, Desks
from tailorbird.versions import model_name
from tailorbird.workspace import Workspace

ANSWER = "You asked {} and here is the whole answer to it"


class Paced:
    """Says what it was asked, word by word; without end, or while a file is there, for a question that asks for that."""

    parallel = 16

    def __init__(self, name: str, pause: float, file: Path) -> None:
        self.name, self._pause, self._file = name, pause, file

    def stream(self, messages: list[Message], options: ReplyOptions) -> Iterator[ReplyPiece]:
        asked = messages[-1]["content"]
        words = ANSWER.format(asked).split(" ")
        while True:
            for word in words:
                time.sleep(self._pause)
                yield ReplyPiece(f"{word} ")
            if "forever" not in asked and not ("file" in asked and self._file.exists()):
                break
        yield ReplyPiece("end", "stop", 10, len(words))

    def close(self) -> None: ...


if __name__ == "__main__":
    shop = Workspace(Path(sys.argv[1]))
    pace = float(sys.argv[2]), shop.folder / "file"
    desk = Desk(shop, lambda made: Assistant(Paced(model_name(shop, made), *pace), made.system_prompt, made.disclosure))
    api.run(Desks([desk]), "127.0.0.1", 0, lambda address: print(address, flush=True))
