"""Whether an answer is worth learning: not a pasted log, not broken off, not meant for colleagues, in the customer's language."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tailorbird.artifacts import Conversation
from tailorbird.auditing.findings import Finding

_SHORT = 3  # words
_ENDS = re.compile(r"[.!?…。？！؟)\]\"'’”»*~>}\d\w][\s\W]*$")
# Words after which no sentence ends, and marks that ask for more.
_OPEN = re.compile(
    r"(?:[,;:(–-]|\b(?:and|or|but|the|a|an|of|to|with|for|because|und|oder|aber|der|die|das|mit|für|weil|y|o|pero|el|la|los|de|con|"
    r"para|porque|et|ou|mais|le|les|des|avec|pour|parce que|e|ma|il|di|per|perché|mas|os|com|porque|i|lub|ale|z|dla|en|of|maar|"
    r"het|een|van|met|voor|omdat))\s*$",
    re.I,
)
_CUT = re.compile(
    r"(?:\[(?:truncated|message clipped|gekürzt|tronqué)\]|\[?…?\s*(?:message|text) truncated\]?|\(cut off\))\s*$", re.I
)
_NOTE = re.compile(
    r"""(?:^|\n)\s*(?:\[?\(?\s*(?:internal(?:\s+note)?|private\s+note|note\s+to\s+(?:self|team|staff|colleagues?)|staff\s+only|
    do\s+not\s+(?:send|forward)(?:\s+to\s+(?:the\s+)?customer)?|interne?\s+notiz|nur\s+intern|nota\s+interna|note\s+interne|
    notatka\s+wewn[ęe]trzna|interne\s+notitie)\s*\]?\)?\s*[:\-–]|(?:fyi|@)\s*(?:team|all|everyone|colleagues)\b|
    (?:tell|told|offer)\s+(?:him|her|them)\s+(?:that|only)\b)""",
    re.I | re.X,
)
_LANGUAGE_SURE = 0.75
_LANGUAGE_WORDS = 6  # fewer say little about a language


def judged(conversation: Conversation, languages: list[tuple[str, float]], longest_turn: int) -> Iterator[Finding]:
    """What is wrong with the turns of one conversation; `languages` has each turn's language and how sure that is."""
    asked = ""
    turns = [turn for turn in conversation.turns if turn.role != "system"]
    for number, (turn, (language, sure)) in enumerate(zip(turns, languages, strict=True), 1):
        words = len(turn.content.split())
        if words > longest_turn:
            yield Finding(rule="turn_too_long", detail=f"{words} words", turn=number, score=words, threshold=longest_turn)
        certain = language if sure >= _LANGUAGE_SURE and words >= _LANGUAGE_WORDS else ""
        if turn.role == "user":
            asked = certain or asked
            continue
        if words < _SHORT:
            yield Finding(rule="answer_too_short", detail=f"{words} words", turn=number, score=words, threshold=_SHORT)
        if asked and certain and asked != certain:
            detail = f"asked in {asked}, answered in {certain}"
            yield Finding(rule="wrong_language", detail=detail, turn=number, score=round(sure, 2), threshold=_LANGUAGE_SURE)
        if _CUT.search(turn.content) or (words > 8 and (_OPEN.search(turn.content) or not _ENDS.search(turn.content))):
            yield Finding(rule="unfinished", detail=f"ends with “{turn.content[-40:]}”", turn=number)
        if note := _NOTE.search(turn.content):
            yield Finding(rule="internal_note", detail=f"“{note.group().strip()}”", turn=number)
