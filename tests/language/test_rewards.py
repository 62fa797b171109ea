from __future__ import annotations

from typing import Any

import pytest

from tailorbird.language.rewards import EXPLAINED, RULES, brevity, cites_policy, hand_off, right_language, supported_figures

ASKED = {
    "en": "Hello, I ordered a dress last week and it has not arrived yet. Where is my parcel?",
    "de": "Guten Tag, ich habe letzte Woche ein Kleid bestellt und es ist noch nicht angekommen. Wo ist mein Paket?",
    "es": "Hola, pedí un vestido la semana pasada y todavía no ha llegado. ¿Dónde está mi paquete?",
    "fr": "Bonjour, j'ai commandé une robe la semaine dernière et elle n'est pas encore arrivée. Où est mon colis ?",
    "pt": "Olá, encomendei um vestido na semana passada e ele ainda não chegou. Onde está a minha encomenda?",
}
PERSON = {
    "en": "Can I please speak to a real person?",
    "de": "Kann ich bitte mit einem Mitarbeiter sprechen?",
    "es": "¿Puedo hablar con una persona, por favor?",
    "fr": "Puis-je parler à une personne, s'il vous plaît ?",
    "pt": "Posso falar com uma pessoa, por favor?",
}
ANGRY = {
    "en": "This is unacceptable, it is the third time.",
    "de": "Das ist eine Frechheit, ich warte seit Wochen.",
    "es": "Esto es inaceptable, llevo semanas esperando.",
    "fr": "C'est scandaleux, j'attends depuis des semaines.",
    "pt": "Isto é uma vergonha, espero há semanas.",
}
OFFER = {
    "en": "I am sorry. I will pass you to a colleague who can help.",
    "de": "Das tut mir leid. Ich leite Sie an eine Kollegin weiter.",
    "es": "Lo siento. Le paso con una compañera de nuestro equipo.",
    "fr": "Je suis désolé. Je vous transfère à un conseiller.",
    "pt": "Lamento. Vou encaminhar o seu pedido a uma colega.",
}
POST = {
    "en": "Your parcel left our shop yesterday and arrives on Friday.",
    "de": "Ihr Paket hat unser Geschäft gestern verlassen und kommt am Freitag an.",
    "es": "Su paquete salió ayer de nuestra tienda y llega el viernes.",
    "fr": "Votre colis a quitté notre boutique hier et arrive vendredi.",
    "pt": "A sua encomenda saiu ontem da nossa loja e chega na sexta-feira.",
}
LANGUAGES = sorted(ASKED)
POLICY = "# Returns and refunds\n\nYou can return unworn clothes within 14 days. Postage of 4.95 euro is not refunded."


def chat(text: str, system: str = "") -> list[Any]:
    return [*([{"role": "system", "content": system}] if system else []), {"role": "user", "content": text}]


@pytest.mark.parametrize("language", LANGUAGES)
def test_answers_in_the_customers_language_are_liked(language: str) -> None:
    rule = right_language()
    assert rule(chat(ASKED[language]), POST[language]) == 1.0
    for other in set(LANGUAGES) - {language}:
        assert rule(chat(ASKED[language]), POST[other]) == 0.0


def test_a_language_that_nobody_can_tell_is_not_judged() -> None:
    assert right_language()(chat("12345"), POST["de"]) == 1.0
    assert right_language()(chat(ASKED["en"]), "") == 0.0


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_person_is_offered_exactly_when_due(language: str) -> None:
    rule = hand_off()
    for asked in (PERSON[language], ANGRY[language]):
        assert rule(chat(asked), OFFER[language]) == 1.0
        assert rule(chat(asked), POST[language]) == 0.0
    assert rule(chat(ASKED[language]), POST[language]) == 1.0
    assert rule(chat(ASKED[language]), OFFER[language]) == 0.0


def test_the_owners_topics_ask_for_a_person_too() -> None:
    rule = hand_off(["allergy", "wedding dress"])
    assert rule(chat("I have an Allergy to wool."), OFFER["en"]) == 1.0
    assert rule(chat("I have an allergy to wool."), POST["en"]) == 0.0


@pytest.mark.parametrize(
    ("answer", "share"),
    [
        ("We are glad to help.", 1.0),
        ("Within 14 days, and postage is 4,95 €.", 1.0),
        ("Within 30 days, and postage is 4.95 euro.", 0.5),
        ("Write to help@shop.com or see https://shop.com/returns.", 1.0),
        ("Write to boss@shop.com.", 0.0),
        ("Your order 1,200.00 from 12/05/2026 is here.", 1.0),
        ("Order 1201.", 0.0),
    ],
)
def test_figures_need_support(answer: str, share: float) -> None:
    messages = chat("Order 1200 of 12/05/2026?", system="Mail: help@shop.com, https://shop.com/returns")
    assert supported_figures([POLICY])(messages, answer) == share


@pytest.mark.parametrize(
    ("asked", "answer", "cites"),
    [
        ("Can I send it back?", "Yes, you can return unworn clothes.", 1.0),
        ("Can I send it back?", "See our page Returns and Refunds.", 1.0),
        ("Can I send it back?", "Yes, of course you can.", 0.0),
        ("Can I return unworn clothes within a year?", "I return unworn clothes within a year.", 0.0),
    ],
)
def test_policies_are_cited_by_words_or_name(asked: str, answer: str, cites: float) -> None:
    assert cites_policy([POLICY])(chat(asked), answer) == cites
    assert cites_policy()(chat(asked), answer) == 0.5


def test_long_and_empty_answers_are_not_brief() -> None:
    rule = brevity(10)
    assert [rule([], "word " * count) for count in (0, 5, 10, 15, 20, 40)] == [0.0, 1.0, 1.0, 0.5, 0.0, 0.0]


def test_every_rule_is_explained_and_stays_between_0_and_1() -> None:
    assert set(RULES) == set(EXPLAINED)
    for make in RULES.values():
        rule = make()
        for messages in ([], chat(""), chat(ASKED["de"])):
            for answer in ("", "?", POST["fr"], "9 " * 300):
                assert 0.0 <= rule(messages, answer) <= 1.0
