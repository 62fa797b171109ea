"""What the server itself says to customers, in their language: that it is an AI, that a person takes over."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from tailorbird.artifacts import Release
from tailorbird.language import identify
from tailorbird.workspace import Workspace

Phrase = Literal["disclosure", "blocked", "handed_over", "paused", "not_known"]
PHRASES: dict[str, dict[Phrase, str]] = {
    "en": {
        "disclosure": "You are talking to the AI assistant of {name}. Ask for a person at any time.",
        "blocked": "I cannot help with that here. A person from our team can.",
        "handed_over": "I am passing this on to a person from our team, who will answer you.",
        "paused": "Our assistant is not answering right now. A person will get back to you.",
        "not_known": "I do not know that, and I do not want to guess. Shall I pass you on to a person?",
    },
    "de": {
        "disclosure": "Sie sprechen mit dem KI-Assistenten von {name}. Sie können jederzeit nach einem Menschen fragen.",
        "blocked": "Dabei kann ich hier nicht helfen. Jemand aus unserem Team kann es.",
        "handed_over": "Ich gebe das an jemanden aus unserem Team weiter, der Ihnen antworten wird.",
        "paused": "Unser Assistent antwortet gerade nicht. Ein Mensch aus unserem Team meldet sich bei Ihnen.",
        "not_known": "Das weiß ich nicht, und raten möchte ich nicht. Soll ich Sie an einen Menschen weitergeben?",
    },
    "es": {
        "disclosure": "Está hablando con el asistente de IA de {name}. Puede pedir hablar con una persona en cualquier momento.",
        "blocked": "No puedo ayudarle con eso aquí. Una persona de nuestro equipo sí puede.",
        "handed_over": "Paso su consulta a una persona de nuestro equipo, que le responderá.",
        "paused": "Nuestro asistente no está respondiendo en este momento. Una persona se pondrá en contacto con usted.",
        "not_known": "No lo sé y no quiero adivinar. ¿Quiere que le pase con una persona?",
    },
    "fr": {
        "disclosure": "Vous parlez à l'assistant IA de {name}. Vous pouvez demander à parler à une personne à tout moment.",
        "blocked": "Je ne peux pas vous aider pour cela ici. Une personne de notre équipe le peut.",
        "handed_over": "Je transmets votre demande à une personne de notre équipe, qui vous répondra.",
        "paused": "Notre assistant ne répond pas pour le moment. Une personne reviendra vers vous.",
        "not_known": "Je ne le sais pas et je ne veux pas deviner. Voulez-vous que je vous passe une personne ?",
    },
    "it": {
        "disclosure": "Sta parlando con l'assistente IA di {name}. Può chiedere di parlare con una persona in qualsiasi momento.",
        "blocked": "Qui non posso aiutarla con questo. Una persona del nostro team può farlo.",
        "handed_over": "Passo la sua richiesta a una persona del nostro team, che le risponderà.",
        "paused": "Il nostro assistente al momento non risponde. Una persona la ricontatterà.",
        "not_known": "Non lo so e non voglio tirare a indovinare. Vuole che la passi a una persona?",
    },
    "nl": {
        "disclosure": "U spreekt met de AI-assistent van {name}. U kunt op elk moment naar een medewerker vragen.",
        "blocked": "Daar kan ik hier niet mee helpen. Iemand van ons team kan dat wel.",
        "handed_over": "Ik geef dit door aan iemand van ons team, die u antwoord geeft.",
        "paused": "Onze assistent antwoordt op dit moment niet. Een medewerker neemt contact met u op.",
        "not_known": "Dat weet ik niet en ik wil niet gokken. Zal ik u doorgeven aan een medewerker?",
    },
    "pl": {
        "disclosure": "Rozmawiasz z asystentem AI firmy {name}. W każdej chwili możesz poprosić o rozmowę z człowiekiem.",
        "blocked": "W tym nie mogę tu pomóc. Może to zrobić osoba z naszego zespołu.",
        "handed_over": "Przekazuję sprawę osobie z naszego zespołu, która odpowie.",
        "paused": "Nasz asystent w tej chwili nie odpowiada. Odezwie się do Ciebie człowiek.",
        "not_known": "Nie wiem tego i nie chcę zgadywać. Czy mam przekazać rozmowę człowiekowi?",
    },
    "pt": {
        "disclosure": "Está a falar com o assistente de IA da {name}. Pode pedir para falar com uma pessoa a qualquer momento.",
        "blocked": "Não posso ajudar com isso aqui. Uma pessoa da nossa equipa pode.",
        "handed_over": "Vou passar isto a uma pessoa da nossa equipa, que lhe responderá.",
        "paused": "O nosso assistente não está a responder neste momento. Uma pessoa entrará em contacto consigo.",
        "not_known": "Não sei isso e não quero adivinhar. Quer que o passe a uma pessoa?",
    },
}  # fmt: skip
_FEWEST = 3  # words below which a message's language is a guess
_SURE = 0.5  # of the language, out of 1


class Phrases:
    """The owner's own words to customers who write in their language, and a translation to those who write in another.

    The language of a message that is short or unclear is taken for the one of the disclosure.
    """

    def __init__(self, disclosure: str, business: str = "", own: Mapping[Phrase, str] | None = None) -> None:
        """Without words of their own the English ones are the owner's."""
        self._own: dict[Phrase, str] = {**PHRASES["en"], **(own or {}), "disclosure": disclosure}
        self._languages = {phrase: _language(text) for phrase, text in self._own.items()}
        self._business = business

    def say(self, phrase: Phrase, message: str = "") -> str:
        """The phrase in the language of a customer's message."""
        spoken = (_language(message) if len(message.split()) >= _FEWEST else "") or self._languages["disclosure"]
        known = self._languages[phrase]
        if known and spoken != known and spoken in PHRASES:
            return PHRASES[spoken][phrase].format(name=self._business)
        return self._own[phrase]

    @property
    def disclosures(self) -> tuple[str, ...]:
        """Every form that the disclosure may have."""
        return self._own["disclosure"], *(told["disclosure"].format(name=self._business) for told in PHRASES.values())

    def split(self, answer: str) -> tuple[str, str]:
        """An answer as the disclosure it begins with, "" for none, and the rest."""
        said = next((form for form in self.disclosures if answer.startswith(form)), "")
        return said, answer[len(said) :]


def without_disclosure(workspace: Workspace) -> Callable[[str], str]:
    """Says what the model wrote of an answer as customers got it: the server's own words must not be learned.

    An answer that is nothing but the disclosure stays as it is.
    """
    known = {one.disclosure for one in workspace.all(Release)}
    phrases = [Phrases(words, workspace.settings.business.name) for words in sorted(known)]

    def plain(answer: str) -> str:
        rests = (rest.strip() for said, rest in (one.split(answer) for one in phrases) if said)
        return next((rest for rest in rests if rest), answer.strip())

    return plain


def _language(text: str) -> str:
    found, sure = identify(text)
    return found if sure >= _SURE else ""
