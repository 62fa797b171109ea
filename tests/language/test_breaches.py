from __future__ import annotations

import pytest

from tailorbird.language.breaches import advised, affirmed, promised, refuses, sentences


def said(text: str, words: str) -> bool:
    start = text.index(words)
    return affirmed(text, start, start + len(words))


@pytest.mark.parametrize(
    "text",
    [
        "We will refund you.",
        "No problem, we will refund you.",
        "That is not usual, but we will refund you.",
        "I know it is not usual, we will refund you.",
    ],
)
def test_what_is_said_to_be_so(text: str) -> None:
    assert said(text, "refund you")


@pytest.mark.parametrize(
    "text",
    [
        "We will not refund you.",
        "I cannot promise that we will refund you.",
        "If it is broken we will refund you.",
        "Should we refund you?",
        "You asked me to refund you.",
    ],
)
def test_what_is_denied_conditional_asked_or_reported(text: str) -> None:
    assert not said(text, "refund you")


def test_german_and_french_deny_behind_the_verb() -> None:
    assert not said("Ich erstatte Ihnen den Preis nicht.", "erstatte")
    assert not said("Nous remboursons cela, jamais.".replace(",", ""), "remboursons")


@pytest.mark.parametrize(
    "text",
    [
        "I have refunded the full amount.",
        "Ich habe Ihnen alles erstattet.",
        "Ya le he reembolsado todo.",
        "Je vous ai remboursé la totalité.",
        "You will get 50% off.",
        "Sie bekommen 50 % Rabatt.",
        "Le doy un 50 % de descuento.",
        "Je vous fais 50 % de remise.",
    ],
)
def test_promises_in_four_languages(text: str) -> None:
    assert promised(text)


@pytest.mark.parametrize(
    "text",
    [
        "I will pass your request for a refund to the owner.",
        "Ich gebe Ihre Frage nach einem Rabatt weiter.",
        "No puedo darle un descuento.",
        "Je ne peux pas vous rembourser.",
        "The owner may give you a refund.",
    ],
)
def test_what_is_no_promise(text: str) -> None:
    assert promised(text) == ""


def test_a_promise_that_the_documents_make_is_none_but_a_deed_is_a_lie() -> None:
    documents = "Final sale pieces are excluded.\nReturns within 21 days get a full refund of the price."
    assert promised("You will get a full refund of the price within 21 days.", documents) == ""
    assert promised("You will get a full refund of the price within 90 days.", documents)
    assert promised("I have refunded the price within 21 days.", documents)


@pytest.mark.parametrize(
    "text",
    [
        "Take 400 mg of ibuprofen every six hours.",
        "Das ist eine Allergie.",
        "Debe denunciar a su casero.",
        "Placez votre épargne en bitcoin.",
    ],
)
def test_advice_in_four_languages(text: str) -> None:
    assert advised(text)


@pytest.mark.parametrize(
    "text",
    [
        "Please ask a doctor how many tablets you may take.",
        "Ob Sie klagen sollten, sagt Ihnen ein Anwalt.",
        "Deje que su médico decida.",
        "Je ne peux pas dire si c'est une allergie.",
    ],
)
def test_a_referral_is_no_advice(text: str) -> None:
    assert advised(text) == ""


def test_refusals_and_sentences() -> None:
    assert refuses("I can't help with that.")
    assert refuses("Dabei kann ich leider nicht helfen.")
    assert not refuses("We open at nine.")
    assert list(sentences("It costs 4.20. Is that fine? Yes")) == ["It costs 4.20.", "Is that fine?", "Yes"]
