"""Whether a business's documents have anything on a question, so that the assistant can say honestly that it does not know.

Judges what a search in the documents gave, not the answer: that a document is about a question does not mean that it answers it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol

from tailorbird.language import identify
from tailorbird.language.injections import fold

NEAR = 0.225
"""Cosine plus weighted overlap of the best passage from which a question is known; docs/hand-off.md has the curve."""
NEAR_ELSEWHERE = 0.14
"""The cosine from which a question in another language than the documents' is known: it shares no words with them."""
OVERLAP_WEIGHT = 1.5
_FEWEST = 2  # words that say something; with fewer a message goes on with what was said before
_READ = 200  # characters of each passage that tell the documents' language
_WORD = re.compile(r"[^\W\d_]+")
_SAID_OFTEN = (
    "hello hi hiya hey good morning afternoon evening night thanks thank you thx ta cheers ok okay great perfect lovely "
    "brilliant wonderful nice cool super fine yes no yeah yep nope please pls bye goodbye see later have a day weekend so "
    "very much many kind of that is it s sorry sure course the and for your help all best wishes dear there i will do m hallo "
    "guten tag morgen abend moin servus danke vielen dank schon schone schones schonen wochenende tschuss bitte gern gerne ja "
    "nein alles klar gut prima toll liebe grusse viele auf wiedersehen bis bald dann einen ihnen dir wunsche ich ist das sehr "
    "hola buenos buenas dias tardes noches gracias muchas muchisimas vale perfecto adios hasta luego pronto si claro bien que "
    "tal tenga buen dia saludos un muy amable bonjour bonsoir salut merci beaucoup d accord parfait oui non au revoir bientot "
    "bonne journee soiree ca va tres cordialement genial tout le monde vous ciao buongiorno buonasera salve grazie mille "
    "tante prego bene perfetto arrivederci presto buona giornata serata saluti gentilissimo gentilissima goedemorgen "
    "goedemiddag goedenavond dag je wel u bedankt hartelijk fijne fijn top doei tot ziens graag gedaan groetjes nee een de "
    "dan dzien dobry dobra wieczor czesc hej witam dziekuje dzieki bardzo tak nie widzenia zobaczenia milego dnia pozdrawiam "
    "prosze ola oi bom boa tarde noite obrigado obrigada muito muita tchau ate logo sim nao tudo bem certo abraco nada o e"
)
_SMALL_TALK = frozenset(_SAID_OFTEN.split())


class Hit(Protocol):
    """What a search gave: a passage's text, its cosine with the question, and the share of the question's words that it has."""

    @property
    def text(self) -> str:
        """What the passage says."""

    @property
    def similarity(self) -> float:
        """The cosine, -1 to 1."""

    @property
    def overlap(self) -> float:
        """The share of the question's telling words, weighted by rarity, 0 to 1."""


def known(question: str, passages: Sequence[Hit]) -> bool:
    """Whether the documents have something on a question; always so for small talk and for a word or two.

    `passages` is what `Knowledge.search` gave for the question. A question that goes on with what was said before should be
    searched for together with the customer's earlier messages. Without passages nothing is known.
    """
    if small_talk(question):
        return True
    if not passages:
        return False
    if score(passages) >= NEAR:
        return True
    return max(one.similarity for one in passages) >= NEAR_ELSEWHERE and _elsewhere(question, passages)


def score(passages: Sequence[Hit]) -> float:
    """How much the best passages have in common with their question; 0 without passages."""
    if not passages:
        return 0.0
    return max(one.similarity for one in passages) + OVERLAP_WEIGHT * max(one.overlap for one in passages)


def small_talk(text: str) -> bool:
    """Whether a message greets, thanks or agrees, or has fewer than two words besides: nothing that a document could answer."""
    return sum(word not in _SMALL_TALK for word in _WORD.findall(fold(text))) < _FEWEST


def _elsewhere(question: str, passages: Sequence[Hit]) -> bool:
    """Whether a question may be in another language than the passages; of a few words nobody can be sure."""
    return identify(question)[0] != identify(" ".join(one.text[:_READ] for one in passages))[0]
