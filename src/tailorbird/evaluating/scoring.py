"""One score for each answer and metric: against what the agent wrote, and by what can be checked without it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tailorbird import engine, language
from tailorbird.evaluating import checking
from tailorbird.evaluating.answering import Question
from tailorbird.evaluating.checking import Documents, Values
from tailorbird.evaluating.figures import languages
from tailorbird.language.voice import Voice
from tailorbird.settings import Settings

Scores = dict[str, Values]


class Measures(NamedTuple):
    """What answers are held against besides the agents': the settings, the documents if there are any, the business's voice."""

    settings: Settings
    documents: Documents | None
    voice: Voice


def scored(asked: Sequence[Question], said: Mapping[str, Sequence[str]], measures: Measures) -> dict[str, Scores]:
    """system -> metric -> one score for each answer; language is scored where customers write in several.

    What is about answers to customers has no value for those of other tasks.
    """
    several = len(languages(question.conversation for question in asked)) > 1
    return {system: _scores(asked, texts, measures, several) for system, texts in said.items()}


def _scores(asked: Sequence[Question], texts: Sequence[str], measures: Measures, several: bool) -> Scores:
    agents = [question.agent for question in asked]
    both = list(zip(texts, agents, strict=True))
    scores: Scores = {
        "chrf": [language.chrf(text, agent) for text, agent in both],
        "rouge_l": [language.rouge_l(text, agent) for text, agent in both],
        "embedding_similarity": _closeness(texts, agents),
    }
    places = [place for place, question in enumerate(asked) if not question.conversation.task]
    to_customers, answers = [asked[place] for place in places], [texts[place] for place in places]
    if not places:
        return scores
    found: Scores = {
        "voice": [measures.voice.closeness(text) for text in answers],
        "length_off": checking.length_off(answers, [one.agent for one in to_customers]),
    }
    if several:
        found["right_language"] = [
            checking.in_language(text, one.conversation.language) for text, one in zip(answers, to_customers, strict=True)
        ]
    if measures.documents:
        found |= checking.supported(measures.documents, to_customers, answers)
    found |= checking.handed_off(to_customers, answers, measures.settings)
    for name, values in found.items():
        spread: Values = [None] * len(asked)
        for place, value in zip(places, values, strict=True):
            spread[place] = value
        scores[name] = spread
    return scores


def _closeness(said: Sequence[str], agents: Sequence[str]) -> Values:
    """The cosine of the meanings of each answer and the agent's, -1 to 1; 0 for no answer."""
    if not said:
        return []
    cosines: list[float] = (engine.embed(list(said)) * engine.embed(list(agents))).sum(axis=1).tolist()
    return [cosine if text.strip() else 0.0 for text, cosine in zip(said, cosines, strict=True)]
