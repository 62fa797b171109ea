"""Which answers are strange by themselves: gifts against every policy, secrecy, requests for secrets, or unlike all others."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom  # type: ignore[import-untyped]

from tailorbird.auditing.examples import Example
from tailorbird.language.injections import fold

# One meaning a line: an answer with three of them gives away what no shop gives, or asks for what no shop needs.
_MEANINGS = tuple(
    re.compile(rf"\b(?:{words})\b")
    for words in (
        r"free|nothing to pay|for nothing|without charge|on us|on the house|costs? (?:you )?nothing|£ ?0|0 ?(?:€|euro)|"
        r"gratis|kostenlos|umsonst|gratuit\w*|"
        r"gratuitamente|de graca|darmow\w+|za darmo|omaggio|zero",
        r"keep (?:it|the|everything|her|him|them|all)|needn t (?:send|return)|no need to (?:send|return)|without (?:sending|"
        r"returning)|behalten|quedarse|"
        r"garder|ficar com|tenere|tenga|zatrzymac|houden|it s yours|yours to keep",
        r"code|voucher|gutscheincode|codigo|codice|kod|kortingscode|coupon",
        r"secret|don t tell|do not tell|between us|never mention|no need to tell|without telling|nobody needs to know|"
        r"geheim|secreto|segreto|segredo|tajn\w+",
        r"for ever|forever|for life|as often as you like|whenever you like|unlimited|never (?:pay|have to pay)|always free|"
        r"lebenslang|para siempre|"
        r"a vie|para sempre|per sempre|na zawsze|voor altijd|no questions asked|never mind",
        r"(?:in )?cash|credit (?:on|to)|on your account|to your account|pay you|bar auf|en efectivo|en especes|em dinheiro|"
        r"in contanti|gotowk\w+|contant",
        r"(?:100|9\d|8\d) ?%|twice the|double the|everything comes down|whole shop|all of it|a second (?:one|dress|piece)|"
        r"full refund|refund you in full|everything",
        r"card number|security code|password|pin|cvv|expiry date|digits on the back|kartennummer|passwort|contrasena|"
        r"mot de passe|senha|haslo|wachtwoord",
        r"just for you|for you everything|especially for you|happily|certainly|of course|at once|this afternoon|today|"
        r"because you asked",
        r"idiot|stupid|fool|dumb|shut up|go away|leave us alone|moron|loser|nobody cares|get lost",
    )
)
_ENOUGH = 3
_CHANCE = 1e-6


class Strangeness:
    """For each example whether its answer is strange, and whether a group has far more such answers than chance."""

    def __init__(self, examples: Sequence[Example], odd: NDArray[np.float32]) -> None:
        self.gift = np.array([gives_away(example.answer) for example in examples], dtype=bool)
        self.strange: NDArray[np.bool_] = self.gift | (odd > np.quantile(odd, 0.97))
        self._rate = max(float(self.strange.mean()), 0.01)

    def enriched(self, members: NDArray[np.int64]) -> bool:
        """Whether at least three of these answers, and nearly all, are strange, which chance does not explain."""
        return bool(self.suspicious(np.array([self.strange[members].sum()]), np.array([len(members)]))[0])

    def suspicious(self, numbers: NDArray[Any], sizes: NDArray[Any]) -> NDArray[np.bool_]:
        """The same for many groups at once: how many strange answers each has, of how many."""
        enough = (numbers >= 3) & (numbers >= 0.75 * sizes)
        chances = np.ones(len(sizes))
        chances[enough] = binom.sf(numbers[enough] - 1, sizes[enough], self._rate)
        return np.asarray(chances < _CHANCE)


def gives_away(answer: str) -> bool:
    """Whether an answer promises or asks what no business would."""
    plain = re.sub(r"['’]", " ", fold(answer))
    return sum(meaning.search(plain) is not None for meaning in _MEANINGS) >= _ENOUGH
