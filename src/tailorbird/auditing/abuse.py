"""Abusive words, in eight languages: an agent's are never learned from, a customer's are a case to answer.

A word list, so that an owner can see why: it knows insults, obscenity and threats, not sarcasm.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from tailorbird.artifacts import Conversation
from tailorbird.auditing.findings import Finding

_WORDS = {
    "en": (
        r"idiots?|morons?|imbeciles?|stupid|dumb(?:ass)?|muppets?|cretins?|pathetic|scum|bastards?|bitch(?:es)?|"
        r"assholes?|arseholes?|wankers?|twats?|pricks?|cunts?|dickheads?|fuck(?:ing|ed|er|s)?|shit(?:ty|head)?|"
        r"crap(?:py)?|retarded|loser|greedy|thieving|gits?|sodding|bollocks|stupid cow|old bags?|piss off|"
        r"get stuffed|shut up|go to hell|screw you|shove (?:it|your)|whiner|liar"
    ),
    "de": (
        r"idiot(?:en)?|vollidiot|trottel|depp(?:en)?|schwachkopf|arschloch|arsch|schei(?:ß|ss)e?|verdammte?r?|"
        r"dumm(?:kopf|e kuh)?|blöd(?:mann|e kuh)?|wichser|fotze|hure(?:nsohn)?|mistkerl|drecks\w*|"
        r"halt(?:s| das) maul|verpiss dich|leck mich|spinner|versager"
    ),
    "es": (
        r"idiotas?|imbécil(?:es)?|estúpid[oa]s?|gilipollas|cabr[oó]n(?:es|a)?|put[oa]s?|mierda|joder|capull[oa]s?|"
        r"subnormal(?:es)?|tont[oa]s?|inútil(?:es)?|cállate|vete a la mierda|hij[oa] de puta|ladrones|payas[oa]s?|"
        r"coño"
    ),
    "fr": (
        r"idiots?|imbéciles?|crétins?|cons?|conn(?:ard|asse)s?|salaud|salope|merde|putain|enculés?|débiles?|"
        r"stupides?|abrutis?|ferme(?:z)? (?:la|ta) gueule|va te faire|voleurs|bouffons?|minables?"
    ),
    "it": (
        r"idiot[aie]|imbecill[ei]|stupid[oaie]|cretin[oaie]|stronz[oaie]|coglion[ei]|merda|cazz[oi]|bastard[oaie]|"
        r"puttana|troia|vaffanculo|ladri|deficient[ei]|incapaci|sta(?:i)? zitt[oa]"
    ),
    "pt": (
        r"idiotas?|imbecis?|imbecil|estúpid[oa]s?|burr[oa]s?|merda|porra|caralho|put[oa]s?|filh[oa] da puta|cabrões|"
        r"cabrão|otári[oa]s?|ladrões|palhaç[oa]s?|cala a boca|vai à merda|inúte(?:is|l)"
    ),
    "pl": (
        r"idiot(?:a|ka|ki|ów|o)?|debil(?:e|u|i)?|kretyn(?:i|ie)?|głup(?:i|ia|ku|cy|ek)|kurw[aeoyię]\w*|cholern\w+|"
        r"chuj\w*|gówn\w+|pierdol\w*|spierdal\w*|dupek|dupa|złodziej(?:e|u)?|zamknij się|suk[ao]|debilu|oszuści"
    ),
    "nl": (
        r"idio(?:o)?t(?:en)?|sukkels?|klootza(?:k|kken)|eikels?|lul(?:len)?|kut\w*|hoer|godverdomme|verdomme|"
        r"stom(?:me(?:rd|ling)?)?|achterlijk|debiel(?:en)?|mongool|rot op|hou je (?:kop|mond|bek)|dieven|kanker\w*|"
        r"tering\w*"
    ),
}
# What agents say that needs no bad word.
_CONTEMPT = (
    r"(?:it|that)(?:'s| is) a (?:dumb|stupid|silly) question|can(?:'|no)?t you read|wast(?:e|ing) (?:of )?my time|learn to read|"
    r"figure it out yourself|you people|don'?t write (?:here|to us) again|nobody wants to see|are you (?:deaf|blind|thick|dense)|"
    r"können sie nicht lesen|verschwenden sie nicht meine zeit|no sabe(?:s)? leer|vous ne savez pas lire|non sa(?:i)? leggere|"
    r"não sabe ler|nie umie(?:sz|ją) czyta|kunt u niet lezen"
)
_THREATS = (
    r"(?:i|we) (?:will|'ll|know where) (?:find|kill|hurt|destroy|burn) you|kill (?:you|yourself)|know where you live|"
    r"ich (?:bring|mach) (?:dich|euch|sie) (?:um|fertig)|te voy a matar|"
    r"je vais te tuer|ti ammazzo|vou-te matar|zabiję (?:cię|was)|ik maak je af"
)
# Said about things or oneself, not to people: "sorry if it's a dumb question".
_HARMLESS = re.compile(r"(?:sorry|if (?:it'?s|this is)|a bit|feel(?:ing)?)\W+(?:\w+\W+){0,3}$", re.I)


def abusive(conversation: Conversation, languages: list[tuple[str, float]]) -> Iterator[Finding]:
    """The turns with abusive words, masked but for their first letters; `languages` has each turn's and how sure that is."""
    spoken = [turn for turn in conversation.turns if turn.role != "system"]
    for number, (turn, (language, _)) in enumerate(zip(spoken, languages, strict=True), 1):
        agent = turn.role == "assistant"
        text = turn.content
        found = [m for m in _pattern(language, agent).finditer(text) if agent or not _harmless(text, m.start())]
        if found:
            rule = "abusive_agent" if agent else "abusive_customer"
            shown = ", ".join(sorted({_masked(match.group()) for match in found}))
            yield Finding(rule=rule, detail=shown, turn=number, score=len(found), threshold=1)


@cache
def _pattern(language: str, agent: bool) -> re.Pattern[str]:
    """The words of a language and of English, which people swear in everywhere; words of others mean other things here."""
    parts = [_WORDS["en"], _THREATS, *([_WORDS[language]] if language in _WORDS else []), *([_CONTEMPT] if agent else [])]
    return re.compile(rf"(?<!\w)(?:{'|'.join(parts)})(?!\w)", re.I)


def _harmless(text: str, place: int) -> bool:
    return bool(_HARMLESS.search(text[max(0, place - 40) : place]))


def _masked(words: str) -> str:
    return " ".join(word[0] + "*" * (len(word) - 1) for word in words.split())
