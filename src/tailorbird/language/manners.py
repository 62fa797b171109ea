"""How an answer is said: polite words, and refusals, by rules in English, German, Spanish, French and Portuguese.

Rules are for comparing many answers with each other, not for judging one. Knows nothing about what was asked.
"""

from __future__ import annotations

import re

WEIGHTS: dict[str, float] = {"greeting": 0.2, "thanks": 0.2, "please": 0.15, "apology": 0.25, "closing": 0.2}
"""What each polite part adds; all of them make 1."""

_GREETING = re.compile(
    r"^\W*(?:"
    r"(?:hello|hi|hey|good (?:morning|afternoon|evening|day)"
    r"|hallo|guten (?:tag|morgen|abend)|grüß gott|moin|servus"
    r"|hola|buen[oa]s(?: (?:días|tardes|noches))?|buen día"
    r"|bonjour|bonsoir|salut|olá|oi|bom dia|boa (?:tarde|noite))(?:,? [^\s,!.:;?–—-]+){0,4} ?(?:[,!.:;–—\n]|$)"
    r"|(?:dear|sehr geehrte[rsn]?|liebe[rs]?|estimad[oa]s?|querid[oa]s?|ch[eè]re?s?|prezad[oa]s?|car[oa]s?)"
    r"(?: [^\s,!:;?–—]+){1,5} ?(?:[,!:;–—\n]|$)"
    r"|(?:madame|monsieur)\b)",
    re.IGNORECASE,
)
_ASKED_FOR = r"d(?:e |')(?!votre|ta\b|ton\b|vos|tes|cette|ce\b|avoir|être|l'|m'avoir|nous avoir)"
"""After "merci": what somebody is asked to do, unlike what they are thanked for."""
_THANKS = re.compile(
    r"\b(?:thank you|(?:much|greatly|really|highly) appreciated|thanks(?! to (?!you))|many thanks|(?:i"
    r"|we)(?:'re| are|'m| am)?(?: \w+)? (?:grateful|appreciate)\b"
    r"|(?:vielen|herzlichen|besten|schönen|lieben|tausend) dank|danke\b|(?:be)?danken\b|bedanke\b|dankbar\b"
    r"|gracias(?! a (?!ti\b|usted|vos))|(?:le|te|les|os|se lo) agrade\w+|agradec(?:emos|ido|ida|idos)"
    rf"|(?<!la )merci(?! {_ASKED_FOR})|(?:vous|te) remerci\w+"
    r"|obrigad[oa]|agradeç\w+|agradecemos)",
    re.IGNORECASE,
)
_PLEASE = re.compile(
    r"(?:(?<!\bto )\bplease\b(?! (?:you|every|our|the|your)\b)|(?<!eine )(?<!keine )\bbitte\b(?! (?:schön|sehr"
    r"|um entschuldigung))"
    r"|\bwir bitten sie\b|\bich bitte sie\b"
    r"|\bpor favor\b|\bpor gentileza\b"
    r"|\b(?:se )?faz favor\b|\bfaça o favor\b|\bsi es tan amable\b|\btenga la (?:bondad|amabilidad)\b"
    rf"|\bs'il (?:vous|te) pla[iî]t\b|\bveuillez\b(?! (?:recevoir|agréer|nous excuser|m'excuser))|(?<!la )\bmerci {_ASKED_FOR})",
    re.IGNORECASE,
)
_APOLOGY = re.compile(
    r"\b(?:(?<!than )sorry|apologi[sz]e|apologi[sz]ing|apologies|(?:i|we)(?: \w+)? regret|forgive (?:me|us)|pardon (?:me|us)"
    r"|(?:tut|tun|täte) (?:mir|uns)(?: \w+){0,4} leid|leid tut|entschuldig(?:e|en|ung)\b|verzeih(?:en|ung)|bedauer(?:e|n|lich)\w*"
    r"|lo (?:siento|sentimos)|(?:siento|sentimos) (?:mucho|no|el|la|las|los)|disculp\w+|perd[oó]n(?:e|a|en)?\b|lament(?:o|amos)\b"
    r"|désolée?s?|navrée?s?|excusez|excuses|(?:nous|m') ?excuser|pardon\b|(?:je|nous) regrett\w+|toutes nos excuses"
    r"|desculp\w+|(?:sinto|sentimos) muito|perd(?:ão|oe)\b|pedimos perdão)",
    re.IGNORECASE,
)
_NO_APOLOGY = re.compile(
    r"\b(?:no need to|(?:not|n't) (?:have|need) to|needn't|don't be|safe than)\b[^.!?\n]{0,12}$"
    r"|\b(?:nicht|kein\w*)\b[^.!?\n]{0,25}$|\bno (?:hay|hace|tiene|necesita|hay que)\b[^.!?\n]{0,30}$"
    r"|\b(?:pas|inutile|besoin)\b[^.!?\n]{0,25}$|\bnão (?:precisa|tem|há|é preciso)\b[^.!?\n]{0,25}$",
    re.IGNORECASE,
)
_CLOSING = re.compile(
    r"\b(?:(?:best|kind|warm|kindest|warmest) (?:regards|wishes)|yours (?:sincerely|faithfully|truly)|let (?:me|us) know if"
    r"|have a (?:\w+ ){1,2}(?:day|evening|weekend|week|time)|(?:don't|do not) hesitate|feel free to|all the best\b"
    r"|(?:happy|glad|pleased) to help|you(?:'re| are) (?:very |most )?welcome(?! to)|(?:look|looking) forward to|take care[,!.]"
    r"|(?:always |are |'re )here (?:if|for you|to help)|enjoy your (?:day|evening|weekend|stay|meal)"
    r"|(?:freundliche|herzliche|beste|liebe|viele|schöne)n? grüßen?|(?:einen )?schönen (?:tag|abend)|schönes wochenende"
    r"|melden sie sich(?: \w+){0,2} (?:gern|jederzeit)|(?:gern|jederzeit)e? melden|zögern sie nicht|gern(?:e)? geschehen"
    r"|gerne wieder|gerne? für (?:sie|dich|euch) da|zur verfügung|auf wiedersehen|(?:freuen uns"
    r"|freue mich) auf|bitte (?:schön|sehr)"
    r"|(?:un )?(?:cordial |cordiales |afectuoso )?saludos?\b|atentamente|que (?:tenga|tengas|pase|pases) (?:un|una) buen\w*"
    r"|no dude[ns]? en|(?:a su|a tu) disposición|encantad[oa]s? de ayudar\w*|aquí para (?:lo que|ayudar)\w*"
    r"|cordialement|bien à vous|(?:bonne|belle|excellente) (?:journée|soirée|semaine|fin de journée)"
    r"|bon week-end|(?:bom fim|buen fin) de semana"
    r"|n'hésite[zs]? pas|à votre disposition|sincères salutations|salutations distinguées|avec plaisir|je vous en prie"
    r"|atenciosamente|(?:os )?(?:melhores )?cumprimentos|(?:um )?abraço|tenha um\w? \w+|não hesite|(?:à"
    r"|ao) (?:sua? |seu )?dispo\w+)"
    r"|^(?:regards|sincerely|best|cheers),?$|(?:^|[.!?]\s+)(?:de nada|cheers,)"
    r"|(?:^|[.!?]\s+)[¡]?(?:see you|bis|hasta|até|à|au) (?:then|soon|there|tomorrow|on \w+|next|dann|bald"
    r"|morgen|\w+tag|pronto|luego"
    r"|mañana|entonces|el \w+|breve|logo|já|amanhã|bientôt|demain|très vite|\w+di|plaisir)\b",
    re.IGNORECASE | re.MULTILINE,
)

_PARTS = {"greeting": _GREETING, "thanks": _THANKS, "please": _PLEASE, "closing": _CLOSING}

_NOT_AT_ALL = r"(?:can ?not|can't|could not|couldn't|must not|mustn't|may not)"
_WILLING = (
    r"(?:be able|help|assist|answer|provide|offer|accept|refund|exchange|change|cancel|make|disclose|discuss"
    r"|support|approve|reimburse"
    r"|take (?:it|this|that) back|replace|honou?r|agree|comment|speculate|guess|do (?:this|that|it|so))"
)
_FINDS = (
    r"(?:wait|thank|see|find|locate|believe|imagine|stress|recommend|help but|open|read|hear|reach|guarantee"
    r"|promise|trace|verify|spot"
    r"|do enough|say enough|tell (?:you )?(?:how|whether|if|from)|view|detect|remember|lose|praise|make out"
    r"|be happier|be more|agree more)"
)
_ADVERB = r"(?:really|simply|currently|directly|personally|also|legally|therefore)\b"
_UNABLE = r"(?:unable|not able|not allowed|not permitted|not authori[sz]ed|not in a position|not qualified|not willing|not going)"
_ENGLISH = (
    rf"\b(?:i|we) (?:\w+ )?{_NOT_AT_ALL}(?: {_ADVERB})*(?! (?:{_ADVERB}|{_FINDS}))(?= \w)"
    rf"|\b(?:i|we|and|but) (?:\w+ )?(?:won't|will not) (?:be )?{_WILLING}\b"
    rf"|\b(?:i|we)(?:'m| am|'re| are|'ll be| will be| won't be)(?: \w+)? {_UNABLE} to(?! {_FINDS})\b|\bnot comfortable\b"
    r"|\b(?:i|we)(?: \w+)? (?:must|have to|need to|'ll have to|going to have to)(?: \w+)? (?:decline|refuse"
    r"|say no|pass on this)\b"
    r"|\b(?:i|we) can only (?:answer|help|assist|talk|speak|respond|discuss)\b"
    r"|\b(?:i|we) (?:don't|do not) (?:accept|refund|exchange|give(?! up)|offer|take back|discuss|answer"
    r"|make exceptions|have permission)\b"
    r"|\b(?:i|we) (?:prefer|would rather) not\b|\b(?:i|we)'d (?:rather|prefer) not\b|\b(?:i'm|i am|we're"
    r"|we are) only here (?:to|for)\b"
    r"|\bthe answer (?:is|has to be) no\b|\bnot (?:something|a thing|anything) (?:that )?(?:i|we) (?:can"
    r"|am able|are able|could)\b"
    r"|\b(?:outside|beyond) (?:what (?:i|we)|(?:my|our|the) (?:scope|remit|expertise|area|role|abilities))\b"
    r"|\b(?:is|are|not be|wouldn't be|won't be) (?:\w+ )?(?:not )?possible for us\b|\b(?:is"
    r"|are) (?:\w+ )?not possible\b|\bnot be possible\b"
    r"|\b(?:cannot|can't|can not) be done\b|\bsorry, (?:but )?(?:there are )?no (?:refunds|exchanges|returns"
    r"|discounts|exceptions)\b"
)
_DARF = r"(?:kann|können|darf|dürfen|könnte|könnten|möchte|möchten)"
_FINDET = (
    r"(?:finden|sehen|erkennen|erreichen|öffnen|lesen|garantieren|versprechen|glauben|erwarten|warten|feststellen|entdecken"
    r"|hören)"
)
_DOES = (
    r"(?:nehmen?|erstatten|tauschen|geben?|bieten?|akzeptieren|gewähren|beantworten?|verraten?|beraten?"
    r"|äußern?|übernehmen?|erteilen?)"
)
_GERMAN = (
    rf"|\b(?:(?:ich|wir) {_DARF}|{_DARF} (?:ich|wir))\b[^.!?\n,]{{0,50}}\b(?:nicht(?! nur)"
    rf"|kein\w*)\b(?![^.!?\n]{{0,60}}\b{_FINDET}\b)"
    rf"|\b(?:(?:wir|ich) {_DOES}|{_DOES} (?:wir|ich))\b[^.!?\n,]{{0,40}}\b(?:nicht(?! nur)|kein\w*|niemand\w*)\b"
    r"(?![^.!?\n]{0,20}\bweiter\b)|\bmuss ich (?:leider )?passen\b|\bgibt es (?:bei uns )?leider (?:nicht|kein\w*)"
    r"|\b(?:ist|sind|wäre)\b[^.!?\n,]{0,50}\b(?:nicht (?:mehr |länger )?(?:möglich|gestattet|erlaubt)|ausgeschlossen)\b"
    r"|\bgeht (?:das )?(?:leider |so |bei [^.!?\n,]{3,30} )?(?:leider )?nicht *[,.!]"
    r"|\bnicht (?:befugt|berechtigt|in der lage|imstande)\b|\b(?:muss|müssen) (?:ich|wir)?[^.!?\n,]{0,30}\bablehnen\b"
)
_ENCUENTRA = r"(?:encontr|ver\b|localiz|abrir|leer|garantiz|promet|creer|esperar|evitar|agradec|recomend|comprobar|oír|acced)"
_SPANISH = (
    r"|\bno (?:(?:me|nos|le|te|les|os|se|lo|la|los|las) ){0,2}(?:puedo|podemos|podré|podremos|podría|podríamos|voy a poder"
    rf"|vamos a poder)(?= \w)(?! (?:\w+ )?{_ENCUENTRA})"
    r"|\bno (?:hacemos|aceptamos|ofrecemos|damos|reembolsamos|cambiamos|admitimos|devolvemos|doy|respondo|tengo permiso)\b"
    r"|\b(?:ya )?no (?:me |nos )?(?:es|resulta|será) posible\b|\bya no se puede\b|\bpref(?:iero|erimos) no\b"
    r"|\bno (?:estoy|estamos) (?:autorizad|en condiciones|en posición|capacitad)\w*|\bno está en mis? manos?\b"
    r"|\b(?:debo|debemos|tengo que|tenemos que) (?:rechazar|denegar)\b|\bfuera de (?:mis?|nuestr[oa]s?) \w+"
    r"|\bs[oó]lo (?:puedo|podemos) (?:ayudar|responder|atender)\w*|\b(?:siento|sentimos|lamento|lamentamos) no poder\b"
)
_TROUVE = (
    r"(?:trouver|voir|ouvrir|lire|garantir|promettre|croire|attendre|localiser|recommander|vérifier|entendre|remercier|joindre)"
)
_FRENCH = (
    r"|\b(?:je|nous) (?:ne )?(?:(?:vous|le|la|les|te) )?(?:peux|pouvons|pourrai|pourrons) (?:\w+ ){0,2}?(?:pas|rien)\b"
    rf"(?! (?:\w+ ){{0,2}}{_TROUVE})"
    r"|\b(?:je|nous) (?:ne |n')(?:reprenons|remboursons|échangeons|acceptons|offrons|accordons|faisons|donnons"
    r"|donne|fournis|réponds"
    r"|propose|peux répondre qu)\b(?: (?:pas|aucun\w*|plus)\b|')"
    r"|\bon ne (?:peut (?:\w+ )?pas vous|fait|reprend|rembourse|échange|donne|accepte) (?:\w+ )?(?:pas|plus|aucun\w*|\w+er)\b"
    r"|\b(?:suis|sommes) (?:\w+ )?pas (?:en mesure|autorisée?s?|habilitée?s?)\b"
    r"|\bn(?:e nous |e m)?'?est (?:malheureusement )?(?:pas|plus) possible\b|\bdans l'impossibilité\b"
    r"|\b(?:(?:m'est|nous est) (?:\w+ )?impossible\b|est impossible d)|\b(?:dois|devons) (?:\w+ )?(?:refuser|décliner)\b"
    r"|\bpréf(?:ère|érons) ne pas\b|\bne pas pouvoir\b|\b(?:pas le droit|pas la possibilité) d"
    r"|\bne relève pas de (?:mes|mon|ma|notre|nos)\b"
)
_ENCONTRA = r"(?:encontr|ver\b|localiz|abrir|ler\b|garant|promet|acredit|esperar|recomend|verific|agradec|aced)"
_PORTUGUESE = (
    r"|\bnão (?:(?:o|a|os|as|lhe|lhes|te|vos|me|nos) )?(?:posso|podemos|consigo|conseguimos|poderei|poderemos|vou poder)(?= \w)"
    rf"(?! (?:\w+ )?{_ENCONTRA})"
    r"|\bnão (?:fazemos|aceitamos|oferecemos|damos|reembolsamos|trocamos|devolvemos|dou|respondo|tenho permissão)\b"
    r"|\bsó (?:posso|podemos) (?:ajudar|responder)\w*|\bnão (?:me |nos )?(?:é|será) (?:mais )?possível\b"
    r"|\bjá não (?:é|será) possível\b"
    r"|\bnão (?:estou|estamos) autorizad\w*|\b(?:lamento|lamentamos) não poder\b|\bprefi?r(?:o|imos) não\b"
    r"|\b(?:tenho de|temos de|devo|devemos) recusar\b"
)
_REFUSED = re.compile(_ENGLISH + _GERMAN + _SPANISH + _FRENCH + _PORTUGUESE, re.IGNORECASE)
_IF = re.compile(
    r"\b(?:if|when|unless|in case|whenever|wenn|falls|sofern|si|cuando|lorsque|quand|se|caso|quando)\b", re.IGNORECASE
)
_YET = re.compile(
    r"\b(?:until|before|yet|without|bevor|ohne|erst|solange|hasta|antes|sin|avant|sans|tant que|até|sem|enquanto)\b",
    re.IGNORECASE,
)
_END = re.compile(r"[.!?\n]|$")
_BUT = re.compile(r"\b(?:but|however|aber|jedoch|pero|sin embargo|mais|mas|porém)\b", re.IGNORECASE)


def parts(answer: str) -> frozenset[str]:
    """Which polite parts an answer has: greeting, thanks, please, apology, closing."""
    answer = _plain(answer)
    found = {name for name, pattern in _PARTS.items() if pattern.search(answer)}
    if any(not _NO_APOLOGY.search(answer[: match.start()]) for match in _APOLOGY.finditer(answer)):
        found.add("apology")
    return frozenset(found)


def politeness(answer: str) -> float:
    """The weights of an answer's polite parts, 0 to 1; a part counts once however often it comes."""
    return sum(WEIGHTS[name] for name in parts(answer))


def refuses(answer: str) -> bool:
    """Whether the speaker declines what was asked; what is only put off or on condition is not declined."""
    answer = _plain(answer)
    return any(_is_refusal(answer, match) for match in _REFUSED.finditer(answer))


def _is_refusal(answer: str, match: re.Match[str]) -> bool:
    """Not in an if-clause, a question or with a condition that can be met."""
    before = re.split(r"[.!?\n,;:]", answer[: match.start()])[-1]
    end = _END.search(answer, match.end())
    rest = _BUT.split(answer[match.start() : end.start() if end else len(answer)])[0]
    asked = bool(end and end.group() == "?")
    return not (asked or _IF.search(before) or _YET.search(rest))


def _plain(text: str) -> str:
    """With one kind of apostrophe."""
    return text.replace("’", "'")
