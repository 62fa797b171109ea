"""Threats against people or places, and words of people who may harm themselves, in English, German, Spanish and French.

Rules read words, so irony escapes them, and threats that name no deed do too. What things do ("the iron burned it"), figures
of speech ("these boots are killing me") and what somebody else will do ("my husband will kill me") are none. Of Italian,
Dutch, Polish and Portuguese it knows the plainest threats only.
"""

from __future__ import annotations

import re

PLAIN = (
    r"\b(?:(?:i|we) ?(?:will|['’]ll) (?:(?:kill|hurt) (?:you|him|her|them)|(?:destroy|burn) you"
    r"|find you(?=[.!]|$| and (?:kill|hurt|make)))|kill (?:you|yourself|them all)|know where you live"
    r"|ich (?:bring|mach)e? (?:dich|euch) (?:um|fertig)|te voy a matar|je vais te tuer|ti ammazzo|vou-te matar"
    r"|zabiję (?:cię|was)|ik maak je af)\b"
)
"""The plainest threats of violence, in eight languages: `abuse` knows them too, in messages and in answers."""
_ENGLISH = (
    r"\b(?:i|we)(?:['’]?ll| will|['’]?m going to| am going to|['’]?m gonna| are going to| swear (?:to god )?(?:i"
    r"|we)(?:['’]?ll| will)"
    r"| can| could|['’]?d love to| want to)\b[^.!?\n]{0,40}?"
    r"(?:\b(?:kill|hurt|harm|stab|shoot|murder|strangle|punch|beat up|slap|attack|torture)\b"
    r" (?!(?:my|time|the (?:mood|smell|look|surprise))\b)\w+"
    r"|\b(?:burn|blow up|torch|smash|trash|break|destroy)\b[^.!?\n]{0,15}\b(?:you\b|your (?!tests?\b)|every window"
    r"|windows|the (?:place|shop|store|office))"
    r"|\bput a bullet\b|\bfind you and\b|\bmake (?:you|them|him|her) (?:suffer|bleed|pay with)\b|\bcoming (?:for|after) you\b)"
    r"|\bknow where (?:you|she|he|they|your \w+) (?:lives?|works?|sleeps?|parks?)\b"
    r"|\b(?:coming|come|came) (?:for|after) you\b(?! with| to)|\bwatch (?:your|his|her|their) back\b"
    r"|\byou(?:['’]re| are) (?:all )?(?:dead|a dead (?:man|woman)|going to die)\b|\bdeserves? to (?:die|be (?:shot|killed"
    r"|hanged|beaten))\b"
    r"|\byou(?:['’]ll| will) (?:all )?(?:die|bleed|suffer for)\b"
    r"|(?<!bath )(?<!photo )\bbombs? (?:in|under|at|inside|on) (?:the|your|my|this|that)\b|\b(?:planted|built|hid) a bomb\b"
    r"|\bkill (?:yourself|you all|them all)\b"
)
_GERMAN = (
    r"\b(?:ich|wir)\b[^.!?\n]{0,45}?\b(?:"
    r"(?:bringe?|bringen|mache?|machen|steche?|knalle?|schieße?|prügle?|prügele?|schlage?|schlagen|trete)\b[^.!?\n]{0,40}\b"
    r"(?:um(?! (?:\d|halb|viertel|kurz|die|den|das|diese))|fertig|kalt|ab|nieder|tot|zusammen|kaputt"
    r"|kurz und klein|krankenhausreif)(?=[\s.!?,]|$)"
    r"|(?:zünde?|zünden|fackle?|brenne?|sprenge?|jage?)\b[^.!?\n]{0,40}\b(?:an|ab|nieder|in die luft)(?=[\s.!?,]|$)"
    r"|(?:töte|töten|erschieße|ersteche|ermorde|erwürge|verprügle|verprügele)\b"
    r"|poliere?\b[^.!?\n]{0,20}\bfresse|breche?\b[^.!?\n]{0,20}\b(?:knochen|genick|beine|nase)"
    r"|(?:komme|kommen)\b[^.!?\n]{0,15}\b(?:dich|euch) holen|weiß,? wo (?:du|ihr|sie|deine \w+|ihre \w+) (?:wohn|arbeite"
    r"|schl[aä]f)\w*)"
    r"|\b(?:werde?|werden) (?:ich|wir)? ?(?:dich|euch|sie alle|jemanden)\b[^.!?\n]{0,30}\b(?:umbringen|töten|verprügeln"
    r"|fertigmachen|erschießen|verletzen)\b"
    r"|\bkugel in den kopf\b|\b(?:verdient|verdienst)\b[^.!?\n]{0,15}\b(?:den tod|zu sterben)|\b(?:den tod"
    r"|zu sterben) verdien\w*"
    r"|\b(?:du bist|ihr seid) (?:alle )?(?:tot|so gut wie tot|erledigt)\b|\bpass\w* (?:gut "
    r"|bloß )?auf\b[^.!?\n]{0,15}\bwenn (?:du|ihr|sie)\b[^.!?\n]{0,25}\b(?:allein|heim|nach hause)"
    r"|\b(?:ist|war|liegt|habe ich|steckt|tickt) eine bombe\b|\bbombe (?:gelegt|gebaut|versteckt)\b"
)
_SPANISH = (
    r"\b(?:(?:te|os|le|les|lo|la|los|las) )?(?:voy|vamos) a (?!por (?:el|la|los|las|un|una)\b)(?:matar|quemar|romper"
    r"|partir|destrozar|pegar|apuñalar|disparar|reventar|rajar|hacer daño|prender fuego)"
    r"(?:te|os|le|les|lo|la|los|las)?\b(?! (?:el tiempo|la rutina))"
    r"|\b(?:te|os|les?) (?:mato|mataré|rompo|romperé|quemo|quemaré|parto|partiré|destrozo|destrozaré|reviento|encontraré y)\b"
    r"|\bs(?:é|abemos) dónde (?:vives|vivís|vive|viven|trabajas|trabaja|trabajáis)\b|\b(?:voy|vamos) a por (?:ti|vosotros"
    r"|ella|él|usted)\b"
    r"|\b(?:un tiro|una bala) en la (?:cabeza|nuca)\b|\bmerec(?:es|éis|e|en) (?:morir|la muerte|que (?:te|os) maten)"
    r"|\best(?:ás|áis) (?:muert[oa]s?)\b(?! de)|\b(?:tenga?s?|anda|ande) (?:mucho )?cuidado (?:cuando"
    r"|al)\b[^.!?\n]{0,25}\b(?:sol[oa]|casa)"
    r"|\b(?:hay|puse|he puesto|dejé) una bomba\b(?! de (?:agua|baño|aire))"
)
_FRENCH = (
    r"\b(?:je|on|nous) (?:vais|va|allons) (?:(?:te|vous|le|la|les|tous) )*(?:tuer|frapper|brûler|casser|démolir|détruire"
    r"|poignarder|égorger|cogner|buter|crever|retrouver et|mettre le feu|faire sauter|faire du mal)\b(?! le temps)"
    r"|\bje (?:te|vous) (?:tue|tuerai|frappe|bute|buterai|casse|casserai|crève|égorge)\b|\bje casse (?:tout|vos|votre|ta"
    r"|la (?:boutique|vitrine))\b"
    r"|\bs(?:ais|avons) où (?:tu|vous|elle|il|ta \w+) (?:habite[sz]?|travaille[sz]?|dor[st]|vis|vivez)\b|\bviens (?:te"
    r"|vous) chercher\b(?! (?:à|une|un|le|la|mon)\b)"
    r"|\bune balle dans la (?:tête|nuque)\b|\bmérit(?:es?|ez|ent) (?:de mourir|la mort|de crever)\b|\b(?:tu es"
    r"|vous êtes) (?:tous )?morte?s?\b(?! de)"
    r"|\bfaire (?:bien )?attention (?:quand|en)\b[^.!?\n]{0,25}\b(?:seule?s?|rentr\w+)|\bfasse attention quand\b"
    r"|\bil y a une bombe\b|\b(?:posé|caché|mis) une bombe\b(?! de bain)"
)
_SELF_HARM = (
    r"\b(?:kill(?:ing)?|hurt(?:ing)?|cut(?:ting)?) myself\b(?! (?:on|with|a|laughing|while|opening)\b)|\bend (?:my"
    r"|it all with my) (?:own )?life\b"
    r"|\bwant to die\b|\b(?:commit suicide|suicidal)\b|\b(?:do not|don['’]?t) want to (?:live|be alive)\b"
    r"|\b(?:mich umbringen|bringe mich um|mir das leben nehmen|nicht mehr leben|mir etwas antun|selbstmord|suizid\w*"
    r"|will sterben)\b"
    r"|\b(?:suicid(?:arme|io)|quitarme la vida|matarme|quiero morir(?:me)?|no quiero (?:seguir )?vivi(?:r|endo))\b"
    r"|\b(?:me suicider|suicide|(?:vais|veux|voudrais|pense à) me tuer|mettre fin à mes jours|en finir avec la vie"
    r"|veux mourir|ne veux plus vivre)\b"
)
_NOT_MEANT = re.compile(r"\b(?:laughing|rire|risa|lachen)\b", re.I)
_DEEDS = "|".join((_ENGLISH, _GERMAN, _SPANISH, _FRENCH, PLAIN))
# All of them begin with a word: looking for one first is four times as fast.
_VIOLENCE, _THREAT = (re.compile(rf"\b(?=\w)(?:{each})", re.I) for each in (_DEEDS, f"{_DEEDS}|{_SELF_HARM}"))


def threats(text: str) -> list[tuple[int, int]]:
    """Where threats of violence or words of self-harm stand, in characters."""
    return [found.span() for found in _THREAT.finditer(text) if not _NOT_MEANT.search(found.group())]


def violence(text: str) -> bool:
    """Whether a text threatens others."""
    return any(not _NOT_MEANT.search(found.group()) for found in _VIOLENCE.finditer(text))
