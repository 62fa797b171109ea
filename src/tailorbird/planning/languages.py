"""How well the base model's tokenizer fits the languages of the conversations, and which base models fit better."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from tailorbird import engine
from tailorbird.artifacts import Conversation

_ENGLISH = 0.235
"""Tokens a character of English support text by the tokenizers of the catalogue, where the data has no English to compare."""
_POOR = 1.35  # times as many tokens a character as English
_COMMON = 0.05  # share of conversations
_FEWEST = 10
_SAMPLE = 100  # conversations of each language


def why_languages(base: Path, model: str, learned: Sequence[Conversation]) -> str:
    """Which languages are learned and what the tokenizer makes of them; "" where no language is known."""
    texts: dict[str, list[Conversation]] = defaultdict(list)
    for one in learned:
        if one.language and not one.task:
            texts[one.language].append(one)
    total = sum(map(len, texts.values()))
    common = {name: ones for name, ones in texts.items() if len(ones) >= max(_COMMON * total, min(_FEWEST, total))}
    if not common:
        return ""
    density = {name: _density(base, ones) for name, ones in common.items()}
    english = density.get("en", _ENGLISH)
    poor = {name: value / english for name, value in density.items() if name != "en" and value > _POOR * english}
    told = f"{', '.join(sorted(common, key=lambda name: -len(common[name])))}."
    if poor:
        named = ", ".join(f"{name} {times:.1f}" for name, times in sorted(poor.items()))
        told += (
            f" The base model was hardly made for some of them: it needs more tokens a letter than for English ({named} times)."
        )
        better = [entry.name for entry in engine.ENTRIES if entry.name != model and set(poor) <= set(entry.languages.split())]
        if better:
            told += f" Better bases: {', '.join(better[:3])} (model: in tailorbird.yaml)."
    return told


def _density(base: Path, conversations: Sequence[Conversation]) -> float:
    """Tokens a character of what people wrote, the template's own left out."""
    said = [turn.content for one in conversations[:_SAMPLE] for turn in one.turns if turn.role != "system"]
    lengths, _ = engine.measure_lengths(base, [[{"role": "user", "content": text}] for text in said])
    frame, _ = engine.measure_lengths(base, [[{"role": "user", "content": ""}]])
    return (sum(lengths) - frame[0] * len(lengths)) / max(sum(map(len, said)), 1)
