"""Which conversations are examples to follow: chosen by date, agent, tag, department; rated well, or scored by plain rules.

A conversation that nobody rated starts at 3 and gains or loses by what can be read in it; reports tell the two apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tailorbird.artifacts import Conversation
from tailorbird.auditing.findings import Finding
from tailorbird.settings import SelectionSettings

_SOLVED = frozenset(
    ("solved", "resolved", "closed", "done", "completed", "gelöst", "resuelto", "résolu", "risolto", "rozwiązane")
)
_ESCALATED = re.compile(
    r"escalat|hand-?off|hand-?over|complaint|legal|chargeback|angry|beschwerde|queja|plainte|reclam|skarga|"
    r"klacht",
    re.I,
)
_THANKS = re.compile(
    r"\b(?:thank(?:s| you)|thx|cheers|perfect|great|brilliant|lovely|danke|super|perfekt|gracias|perfecto|genial|merci|parfait|"
    r"grazie|perfetto|obrigad[oa]|perfeito|dzięk(?:i|uję)|świetnie|dank(?:je| u| je)?|bedankt|top)\b",
    re.I,
)
_UPSET = re.compile(
    r"\b(?:unacceptable|ridiculous|useless|terrible|worst|complain|lawyer|still (?:not|no|waiting)|not helpful|"
    r"speak to a (?:human|person|manager)|unverschämt|inakzeptabel|anwalt|inaceptable|abogado|inadmissible|avocat|"
    r"inaccettabile|avvocato|inaceitável|advogado|"
    r"niedopuszczalne|prawnik|onacceptabel|advocaat)\b",
    re.I,
)


def scored(conversation: Conversation) -> tuple[float, list[str]]:
    """An unrated conversation's score, 1 to 5, and the rules that it comes from."""
    score, why = 3.0, []
    last = next((turn for turn in reversed(conversation.turns) if turn.role == "user"), None)
    for holds, points, reason in (
        ((conversation.status or "").lower() in _SOLVED, 0.5, "solved"),
        (last is not None and last is conversation.turns[-1] and bool(_THANKS.search(last.content)), 1.0, "the customer thanked"),
        (escalated(conversation), -1.0, "escalated or complained about"),
        (last is not None and bool(_UPSET.search(last.content)), -1.0, "the customer was upset at the end"),
        (
            conversation.turns[-1].role == "user" and last is not None and "?" in last.content,
            -0.5,
            "the last question has no answer",
        ),
    ):
        if holds:
            score += points
            why.append(f"{reason} ({points:+g})")
    return score, why


def escalated(conversation: Conversation) -> bool:
    """Whether its tags or status say that it was escalated or complained about."""
    return bool(_ESCALATED.search(f"{' '.join(conversation.tags)} {conversation.status or ''}"))


def unfit(conversation: Conversation, wanted: SelectionSettings) -> Iterator[Finding]:
    """Why a conversation is not among those that the settings choose to learn from."""
    if missed := _not_selected(conversation, wanted):
        yield Finding(rule="not_selected", detail=missed)
    if conversation.rating is not None:
        if conversation.rating < wanted.min_rating:
            detail = f"rated {conversation.rating:g} of 5"
            yield Finding(rule="low_rating", detail=detail, score=conversation.rating, threshold=wanted.min_rating)
        return
    score, why = scored(conversation)
    if score < wanted.min_score:
        detail = f"not rated; scored {score:g}: {', '.join(why)}"
        yield Finding(rule="not_exemplary", detail=detail, score=score, threshold=wanted.min_score)


def _not_selected(conversation: Conversation, wanted: SelectionSettings) -> str:
    day = (conversation.created_at or "")[:10]
    agents = {turn.author for turn in conversation.turns if turn.role == "assistant" and turn.author}
    tags = set(conversation.tags)
    for missed, reason in (
        (wanted.since and day and day < wanted.since, f"of {day}, before {wanted.since}"),
        (wanted.until and day and day > wanted.until, f"of {day}, after {wanted.until}"),
        (wanted.agents and not agents & set(wanted.agents), f"answered by {', '.join(sorted(agents)) or 'nobody named'}"),
        (agents & set(wanted.not_agents), f"answered by {', '.join(sorted(agents))}"),
        (wanted.tags and not tags & set(wanted.tags), "has none of the tags"),
        (tags & set(wanted.not_tags), f"tagged {', '.join(sorted(tags & set(wanted.not_tags)))}"),
        (
            wanted.departments and conversation.department not in wanted.departments,
            f"of {conversation.department or 'no department'}",
        ),
    ):
        if missed:
            return reason
    return ""
