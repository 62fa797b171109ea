"""The business's own documents: found by meaning and by words, and cited. docs/knowledge.md describes them."""

from __future__ import annotations

from tailorbird.knowledge.index import Knowledge, forget_index
from tailorbird.knowledge.passage import Encoder, Passage

__all__ = ["Encoder", "Knowledge", "Passage", "forget_index"]
