"""Abusive words in eight languages, and insults in four: what nobody should write to anybody.

Word lists, so that an owner can see why: they know insults, obscenity and threats, not sarcasm.
"""

from __future__ import annotations

import re
from functools import cache

from tailorbird.language.breaches import affirmed, sentence
from tailorbird.language.threats import PLAIN

_WORDS = {
    "en": (
        r"idiots?|morons?|imbeciles?|stupid|dumb(?:ass)?|muppets?|cretins?|pathetic|scum|bastards?|bitch(?:es)?|"
        r"assholes?|arseholes?|wankers?|twats?|pricks?|cunts?|dickheads?|fuck(?:ing|ed|er|s)?|shit(?:ty|head)?|"
        r"crap(?:py)?|retarded|loser|greedy|thieving|gits?|sodding|bollocks|stupid cow|old bags?|piss off|"
        r"get stuffed|shut up|go to hell|screw you|shove (?:it|your)|whiner|liar"
    ),
    "de": (
        r"idiot(?:en)?|vollidiot|trottel|depp(?:en)?|schwachkopf|arschloch|arschlöcher|arsch|schei(?:ß|ss)e?|verdammte?r?|"
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
# Said about things or oneself, not to people: "sorry if it's a dumb question".
_HARMLESS = re.compile(r"(?:sorry|if (?:it'?s|this is)|a bit|feel(?:ing)?)\W+(?:\w+\W+){0,3}$", re.I)
_INSULT = re.compile(
    r"\b(?:idiot(?:s|en|a|as|e|es|ic)?|morons?|imbeciles?|imbécil(?:es)?|imbéciles?|stupid(?:ity)?|stupides?|dumb(?:ass)?|"
    r"cretins?|crétins?|pathetic|scum|bastards?|bitch(?:es)?|assholes?|arseholes?|"
    r"wankers?|twats?|pricks?|cunts?|dickheads?|fuck\w*|shit\w*|retarded|losers?|ugly|fat pig|pigs?|vermin|"
    r"parasites?|subhuman|worthless|disgusting people|filthy|clowns?|liars?|shut up|go to hell|screw you|"
    r"fools?|brainless|trash|garbage|inferior|(?:voll)?trottel|depp(?:en)?|vollidiot\w*|schwachkopf|schwachköpfe|arschloch|"
    r"arschlöcher|schei(?:ß|ss)\w*|dumm(?:kopf|köpfe|e|en|er)?|blöd(?:e|er|mann)?|wichser|hurensohn|mistkerl|drecks?\w*|"
    r"halt(?:s| das) maul|verpiss dich|versager|abschaum|minderwertig\w*|ungeziefer|schmarotzer|faul(?:e|en|er)?|"
    r"hässlich\w*|estúpid[oa]s?|gilipollas|cabr[oó]n(?:es|a)?|put[oa]s?|mierda|capull[oa]s?|subnormal(?:es)?|"
    r"tont[oa]s?|inútil(?:es)?|cállate|payas[oa]s?|basura|escoria|parásitos?|inferiores|"
    r"fe[oa]s?|vag[oa]s?|(?:espèce de|sale|pauvre|gros|un|"
    r"des|vraiment|trop|es|êtes) cons?|"
    r"connards?|connasses?|salauds?|salopes?|merde|putain|enculés?|débiles?|abrutis?|ferme(?:z)? (?:la|ta) gueule|"
    r"bouffons?|minables?|racaille|ordures?|parasites?|inférieur(?:e?s?)|moches?|fainéant(?:e?s?)|nul(?:le)?s?|(?:are|"
    r"is) (?:all )?(?:lazy|criminals?|thieves|dirty|terrorists?|greedy)|"
    r"(?:sind|ist) (?:alle |doch )*(?:kriminell\w*|diebe|schmutzig|terroristen|geizig)|(?:son|"
    r"es) (?:tod[oa]s )?(?:uno?s )?(?:ladrones|criminales|suci[oa]s|terroristas|vag[oa]s)|"
    r"sont (?:tous |toutes )?(?:des )?(?:voleurs|criminels|sales|terroristes|fainéants)|(?:should )?go back (?:home|"
    r"to (?:their|your) (?:own )?countr\w+)|(?:raus|geh\w* (?:doch )?zurück) (?:aus|in|nach)|vuelvan a su país|"
    r"retournez dans votre pays|"
    rf"{PLAIN}|"
    r"don['’]t belong (?:here|in)|belong in the kitchen|gehören (?:an|in) den herd|hate (?:you|them|all|those)|"
    r"hasse (?:dich|sie|euch|alle)|te odio|odio a tod[oa]s|(?:te|vous|les) déteste|(?:people|"
    r"women|men|girls|foreigners|immigrants|they) (?:are|should|must) (?:all |just )?[^.?!,\n]{0,15}\b(?:annoying|"
    r"stay (?:at )?home|leave|be (?:banned|deported|locked up))|(?:leute|frauen|männer|ausländer|sie) (?:sind|"
    r"sollten) [^.?!,\n]{0,15}\b(?:nervig|lästig|zu hause bleiben|abgeschoben werden|verschwinden)|(?:mujeres|hombres|"
    r"extranjeros|ancianos|viejos) (?:son|deberían) [^.?!,\n]{0,15}\b(?:molestos|pesad[oa]s|quedarse en casa|irse)|"
    r"(?:femmes|hommes|étrangers|vieux) (?:sont|devraient) [^.?!,\n]{0,15}\b(?:pénibles|rester chez|partir))\b",
    re.IGNORECASE,
)
_OWN = re.compile(
    r"\b(?:feel(?:s|ing)?|felt|sound|frustrat\w+|called?|calling|call me|may be|might be|seem\w*|word|language|insult\w*|"
    r"beleidig\w*|nenn\w*|insult[oa]\w*|llam\w*|appel\w*|trait\w*|respect\w*|i(?:'m| am) (?:just )?(?:a|an|the)|ich bin|"
    r"soy|je suis)\b",
    re.IGNORECASE,
)


def abuse(text: str, language: str, agent: bool) -> list[tuple[int, int]]:
    """Where abusive words stand, in characters; an agent's are so even where a customer would mean a thing or himself."""
    found = _pattern(language, agent).finditer(text)
    return [match.span() for match in found if agent or not _HARMLESS.search(text[max(0, match.start() - 40) : match.start()])]


def insulted(answer: str, asked: str) -> tuple[int, int] | None:
    """Where an insult, a threat or contempt for a group stands; not one that is refused, or taken up to answer calmly."""
    said = asked.lower()
    for found in _INSULT.finditer(answer):
        first, last = sentence(answer, *found.span())
        repeated = found.group().lower() in said and _OWN.search(answer[first:last])
        if affirmed(answer, *found.span(), ahead=False) and not repeated:
            return found.span()
    return None


@cache
def _pattern(language: str, agent: bool) -> re.Pattern[str]:
    """The words of a language and of English, which people swear in everywhere; words of others mean other things here."""
    parts = [_WORDS["en"], PLAIN, *([_WORDS[language]] if language in _WORDS else []), *([_CONTEMPT] if agent else [])]
    return re.compile(rf"(?<!\w)(?:{'|'.join(parts)})(?!\w)", re.I)
