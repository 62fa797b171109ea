"""What a search hands back: a passage with the place where it stands, so that an answer can cite it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

Vectors = NDArray[np.float32]
Encoder = Callable[[list[str]], Vectors]
"""Texts -> unit vectors of meaning [N, width], alike where texts mean the same: `tailorbird.engine.embed`."""


class Passage(BaseModel):
    """A piece of a document. The same words at the same place have the same id.

    `score` orders passages that answer one question. `similarity` (cosine, -1 to 1) and `overlap` (share of the question's
    telling words, 0 to 1) are what it is made of: where both are low, nothing in the documents is about the question.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    document: str
    headings: tuple[str, ...]
    text: str
    page: int | None = None
    score: float
    similarity: float
    overlap: float

    @property
    def citation(self) -> str:
        """Document, headings and page, as an answer names them: `[returns.md › Late returns]`."""
        page = [f"p. {self.page}"] if self.page else []
        return f"[{' › '.join([self.document, *self.headings, *page])}]"

    def as_json(self) -> dict[str, Any]:
        """All fields and the citation, for machines."""
        return self.model_dump(mode="json") | {"citation": self.citation}
