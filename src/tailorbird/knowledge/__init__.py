"""The business's own documents: found by meaning and by words, and cited. docs/knowledge.md describes them."""

from __future__ import annotations

from tailorbird.knowledge.citing import cited
from tailorbird.knowledge.function_words import FUNCTION_WORDS
from tailorbird.knowledge.index import Knowledge, documents_of, forget_index
from tailorbird.knowledge.passage import Encoder, Passage
from tailorbird.knowledge.prompting import SHOWN, question, with_passages

__all__ = [
    "FUNCTION_WORDS",
    "SHOWN",
    "Encoder",
    "Knowledge",
    "Passage",
    "cited",
    "documents_of",
    "forget_index",
    "question",
    "with_passages",
]
