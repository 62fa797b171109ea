"""Postal addresses: a street with its number, or a postcode with its place, and what belongs to them on both sides."""

from __future__ import annotations

import re
from collections.abc import Iterator, Set
from dataclasses import dataclass

from tailorbird.privacy.findings import Finding

_CAP = r"(?:(?:St|Sta|Ste|S|Mt|Ft)\. ?)?[A-ZÀ-ÖØ-ÞĀĆČŁŃŚŠŹŻŽ][\w'’-]*"
_SMALL = (
    r"(?:de|la|las|los|el|del|dei|degli|della|delle|dell'|di|da|do|das|dos|du|des|le|les|l'|d'|van|von|vom|der|den|dem|het|"
    r"'t|y|e|i|im|am|of|the|and|in|an|auf|zu[mr]?|św\.?|ks\.?|gen\.?|sur|sous|aux|en|sotto|bis|op|aan|ten|ter)"
)
_NUMBER = r"\d{1,5}(?: ?[a-zA-Z](?![\w.]))?(?: ?[/–-] ?(?:\d{1,4}|[IVX]{1,4})(?: ?[a-zA-Z](?![\w]))?)?(?: ?(?:bis|ter|quater)\b)?"
_NAME = rf"(?:{_SMALL} ){{0,3}}(?:[\wÀ-ž'’.-]+)(?: (?:{_SMALL} ){{0,3}}{_CAP}){{0,5}}"
_NOT_COUNTED = r"(?! ?(?:%|€|£|\$|km\b|m²|min\b|Uhr|h\b|pm\b|am\b|days|Tage|st\b|nd\b|rd\b|th\b))"

_EN_TYPE = (
    r"(?:street|st|road|rd|avenue|ave|lane|ln|drive|dr|close|court|ct|crescent|cres|terrace|way|place|pl|square|sq|gardens|gdns|"
    r"grove|"
    r"mews|row|hill|park|parade|walk|rise|view|green|boulevard|blvd|parkway|pkwy|highway|hwy|circle|cir|trail|trl|loop|quay|"
    r"wharf|yard|"
    r"embankment|broadway|mill|vale|heights|alley|path|gate|crossing|ridge|run|pike|turnpike|bank|fold|croft|meadow|common|"
    r"drove|wynd|brae)"
)
_FR_TYPE = (
    r"(?:rue|avenue|av\.?|bd\.?|bld\.?|boulevard|chemin|ch\.|allée|allee|impasse|imp\.|place|pl\.|quai|cours|route|rte|square|"
    r"passage|sentier|"
    r"ruelle|rond-point|faubourg|fbg|cité|lotissement|résidence|hameau|esplanade|promenade|montée|villa|traverse|clos)"
)
_FIRST_TYPE = (
    r"(?:calle|c/|avda\.?|avenida|avd?\.|paseo|p\.º|pº|plaza|pza\.?|plza\.?|camino|cno\.?|carretera|ctra\.?|ronda|rda\.?|"
    r"travesía|rambla|rbla\.?|glorieta|gta\.?|"
    r"cuesta|carrer|passeig|avinguda|plaça|rúa|laan van|plein|weg van|straat van|urbanización|urb\.|polígono|callejón|"
    r"costanilla|barrio|via|viale|v\.le|v\.|corso|c\.so|piazza|p\.zza|p\.za|piazzale|largo|vicolo|"
    r"strada|contrada|c\.da|frazione|fraz\.|località|loc\.|borgo|salita|vico|calata|galleria|lungo\w{2,12}|rione|traversa|rua|"
    r"r\.|travessa|tv\.|praça|pç\.?|praceta|alameda|estrada|"
    r"est\.|beco|rodovia|quinta|bairro|urbanização|calçada|largo|av\.|avenida|azinhaga|loteamento|rotunda|ul\.|ulica|ulicy|"
    r"ulicę|al\.|aleja|alei|aleje|pl\.|plac|placu|os\.|osiedle|"
    r"osiedlu|rondo|skwer|bulwar|wybrzeże|rynek)"
)
_ENDING = (
    r"(?:straße|strasse|strasse|str\.|str|weg|platz|allee|gasse|ring|damm|ufer|chaussee|steig|pfad|graben|wall|stieg|twiete|"
    r"brücke|tor|markt|hof|berg|kamp|deich|feld|"
    r"garten|wiese|heide|siedlung|park|bogen|winkel|kai|straat|laan|gracht|kade|plein|dijk|singel|steeg|pad|dreef|baan|"
    r"plantsoen|burgwal|haven|wal|hage|"
    r"lei|vest|hoek|veld|akker|erf|wegje|straatje|boulevard|promenade|zicht|oord|horst|kwartier|meent|brink|tuin|donk|weide|"
    r"hout|park)"
)
_STREETS = (
    # 14 Larkfield Road; 1893 Pinecrest Ave; 221b Baker St.
    (re.compile(rf"(?<![\w./-])\d{{1,5}}[a-zA-Z]?(?:[/-]\d{{1,4}}[a-zA-Z]?)?,? (?:(?:[NSEW]\.?|north|south|east|west|the|old|"
                rf"upper|lower|great|st\.?) )?(?:(?!\d+ )[\w'’.-]{{2,18}} ){{1,3}}?{_EN_TYPE}\b(?: (?:[NSEW]{{1,2}}|north|south|"
                rf"east|west)\b)?\.?(?![\w'’])", re.I), "en", 0.86),
    # 12 bis rue des Capucins
    (re.compile(rf"(?<![\w./-])(?:{_NUMBER},? ){_FR_TYPE} (?!\d){_NAME}", re.I), "fr", 0.88),
    # Calle Mayor 12; ul. Długa 5/7; Rua da Rosa, n.º 14
    (re.compile(rf"(?<![\w./-])(?i:{_FIRST_TYPE})(?: |(?<=[./]) ?)(?:{_SMALL} ){{0,3}}(?:[\wÀ-ž'’.-]{{2,24}}|[A-ZÀ-Ž]\.|"
                rf"\d{{1,2}} (?=[A-ZÀ-Ža-z]))(?: (?:{_SMALL} ){{0,3}}[\wÀ-ž'’.-]{{1,24}}){{0,4}}?,? ?(?i:núm\.? ?|nº ?|n\.? ?º ?|"
                rf"n\.? ?|n° ?|nr\.? ?|número |numero |civico |km )?"
                rf"(?:{_NUMBER}|s/n|snc)(?!\w){_NOT_COUNTED}", re.U), "first", 0.86),
    # Albrechtstraße 9a; Prinsengracht 318-II; Lange Straße 4
    (re.compile(rf"(?<![\w./-])(?:(?:{_CAP} |(?:Am|An|Auf|Im|In|Zum|Zur|Alte[rns]?|Neue[rns]?|der|den|dem|de|het) "
                rf"){{0,3}})[\w'’-]*(?:{_ENDING}|(?<![a-z])(?i:{_ENDING})) ?{_NUMBER}{_NOT_COUNTED}(?![\w])", re.U), "end", 0.82),
    # PO Box 12; Postfach 3; Apartado 40
    (re.compile(r"(?<!\w)(?i:P\.? ?O\.? ?Box|Postfach|Postbus|Apartado(?: de correos| postal)?|Apdo\.?|Boîte postale|BP|Casella "
                r"postale|C\.P\.|Caixa postal|Skr(?:ytka|\.) poczt\w*\.?)"
                r"(?: (?i:no\.?|nr\.?|n\.?º))? \d{1,6}(?!\w)"), "box", 0.72),
    # Am Markt 5; Hinterm Deich 4; Unter den Linden 7
    (re.compile(rf"(?<![\w./-])(?:Am|An de[rnm]|Im|In de[rnm]|Auf de[rnm]|Zum|Zur|Hinterm|Hinter de[rm]|Unter de[nrm]|Unterm|"
                rf"Vor dem|Vorm|Beim|Bei de[rn]|Ob de[rn]|Op de|Op het|Aan de|Aan het|Achter de|Achter het|Bij de|Onder de|"
                rf"Lange|Korte|Nieuwe|Oude) (?:{_CAP} ?){{1,3}}{_NUMBER}(?![\w.:,]\d|[\w]){_NOT_COUNTED}"), "in", 0.6),
)  # fmt: skip
_GB = r"(?:GIR 0AA|[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2})"
_CITY = rf"{_CAP}(?:[ -](?:(?:{_SMALL}|a\.? ?d\.?|am|an der|upon|on|sur|im|in|lès|près) ){{0,2}}{_CAP}){{0,3}}"
_PLACES = (
    (re.compile(rf"(?<![\w])(?:{_GB})(?![\w])"), "gb", 0.7),
    (re.compile(rf"(?<![\w]){_CAP}(?: {_CAP}){{0,2}},? (?:A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|"
                rf"N[CDEHJMVY]|O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[AT]|W[AIVY]),? \d{{5}}(?:-\d{{4}})?(?![\w-])"), "us", 0.85),
    (re.compile(rf"(?<![\w.,/-])(?:[DFAILB]|CH|PL|PT|NL|ES|IT|DE|FR|L)?[-–]?\d{{5}}(?:-\d{{3}})? {_CITY}(?: ?\([A-Z]{{2}}\)| "
                rf"[A-Z]{{2}}\b)?"), "five", 0.72),
    (re.compile(rf"(?<![\w.,/-])\d{{2}}-\d{{3}},? {_CITY}"), "pl", 0.84),
    (re.compile(rf"(?<![\w.,/-])\d{{4}}-\d{{3}},? {_CITY}"), "pt", 0.84),
    (re.compile(r"(?<![\w.,/-])\d{5}-\d{3}(?![\w-])|(?<![\w.,/-])\d{2}-\d{3}(?![\w-])"), "bare", 0.5),
    (re.compile(rf"(?<![\w.,/-])[1-9]\d{{3}} ?(?!SA|SD|SS)[A-Z]{{2}}(?![\w])(?:,? {_CITY})?"), "nl", 0.7),
    (re.compile(rf"(?<![\w.,/-])(?:A|CH|B|DK|L)?-?\d{{4}} (?!Uhr|Euro|EUR|Stück|Punkte){_CITY}"), "four", 0.5),
    (re.compile(r"(?<![\w])[A-Z]\d[A-Z] \d[A-Z]\d(?![\w])|(?<![\w])[A-Z]\d[\dW] [A-Z\d]{4}(?![\w])"), "gb", 0.6),
    (re.compile(r"(?<![\w.,/+-])\d{5}(?:-\d{4})?(?![\w.,/-])"), "bare", 0.4),
)  # fmt: skip
_UNIT = (
    r"(?:flat|apartment|apt|unit|suite|ste|room|studio|floor|block|house|building|bldg|po box|p\.o\. box|c/o|rear of|lot|"
    r"maisonette|wohnung|whg|hinterhaus|vorderhaus|"
    r"etage|stock|stiege|top|haus|aufgang|postfach|bât|bat|bâtiment|batiment|appt|appartement|app|étage|esc|escalier|résidence|"
    r"residence|res|lieu-dit|lieu dit|bp|int|interno|scala|"
    r"piano|palazzina|pal|presso|piso|puerta|pta|portal|bajo|ático|bloque|blq|escalera|edificio|ed|apto|ap|andar|bloco|bl|lote|"
    r"lt|esq|dto|r/c|rés-do-chão|fração|casa|cave|loja|"
    r"m|lok|mieszkanie|mieszk|klatka|kl|piętro|p|bus|toren|etage|hs|huis|verdieping|kamer|dorp|os|osiedle|izda|dcha|urb|"
    r"urbanización|conjunto|torre|fazenda|sítio|chácara)"
)
_VALUE = r"(?:(?:\.? ?(?=\d)|\.? |\. ?)(?:\d[\w/º°ª-]{0,5}|[A-Z](?![a-z])\w{0,2}|[a-z](?!\w)))"
_UNIT_PART = (
    rf"(?:#\d{{1,5}}\w?|{_UNIT}{_VALUE}(?: ?{_CAP}){{0,3}}|\d{{1,3}} ?[.ºª°]+ ?(?:[A-Za-z]{{1,6}}\.?|\d{{1,3}}ª?)?(?: "
    rf"[A-Z]\b)?|(?i:hinterhaus|vorderhaus|bajo|ático|sous-sol|r/c|rés-do-chão|parterre|ground floor|top floor|first "
    rf"floor|second floor|{_UNIT}\.?)|\d{{1,3}}(?:st|nd|rd|th) floor|\d{{1,3}}\.? (?:Stock|OG|Etage|étage|piano|piętro|"
    rf"andar|floor)|[A-Z]?\d{{0,4}}[A-Z]?)"
)
_SEPARATOR = r"[ \t]*(?:,|;|\n|\r\n| - | – |/|·|\|)?[ \t]*"
_BETWEEN = re.compile(
    rf"{_SEPARATOR}(?:(?:(?i:{_UNIT_PART})|{_CITY}|(?i:postcode|plz|cp|c\.p\.|cap|kod|kod pocztowy|postal code|zip|código "
    rf"postal|postleitzahl|in|à|w|en|em|te|a)\.?:?){_SEPARATOR}){{0,4}}"
)
_UNIT_LEFT = re.compile(
    rf"(?<![\w])(?i:{_UNIT}){_VALUE}(?: {_CAP}){{0,2}}(?:,? ?|\n)$|(?<![\w])(?i:résidence|residence|edificio|urb\.|urbanización|"
    rf"lieu-dit|haus|os\.|villa|house|po box|c/o)(?: {_CAP}| {_SMALL}){{1,4}},? ?$|(?<![\w-])\d{{1,4}}[a-z]?,? ?$"
)
_CAP_LEFT = re.compile(rf"(?<![\w'’])(?:{_CAP}|\d{{1,4}}[a-zA-Z]?)(?: (?:{_CAP}|{_SMALL}|y|the|\d{{1,4}}))*,\s?$")
_UNIT_RIGHT = re.compile(
    rf",? ?(?:(?i:{_UNIT}){_VALUE}\b(?: (?:izda|dcha|esq|dto|[A-Z])\b\.?)?|#\d{{1,5}}\w?|\d{{1,3}} ?[ºª°]\.? "
    rf"?(?:[A-Za-z]{{1,6}}\b\.?)?(?:,? ?\d?[A-Z]\b)?|(?i:hinterhaus|vorderhaus|bajo|ático|r/c|s/n))"
)
_CITY_RIGHT = re.compile(
    rf"(?:,| in|\n| -| w| à| en| em| te| a)[ \t]?\s?(?:{_CITY})(?: \d{{4,6}})?(?=\s*(?:[,.;:!?)\n\"“”]|$|"
    rf"\())"
)
_COUNTRY = (
    r"(?:United Kingdom|UK|England|Scotland|Wales|Ireland|Northern Ireland|USA|U\.S\.A\.|United States|Canada|Australia|New "
    r"Zealand|Germany|Deutschland|France|Spain|España|Italy|Italia|"
    r"Portugal|Poland|Polska|Netherlands|The Netherlands|Nederland|Belgium|België|Belgique|Austria|Österreich|Switzerland|"
    r"Schweiz|Suisse|Denmark|Sweden|Norway|Luxembourg|Brasil|Brazil|México)"
)
_COUNTRY_RIGHT = re.compile(rf"(?:,|\n|, ?\n| -)? ?{_COUNTRY}(?!\w)")
_REGION_RIGHT = re.compile(
    rf"(?:,? \([A-ZÀ-Ž][\w ]{{1,20}}\)|,? ?[-–]? ?[A-Z]{{2}}(?![\w])|,\s?{_CAP}(?: {_CAP}){{0,2}}(?=\s*(?:[,.;:!?)\n\"]|$))|,? "
    rf"\d{{5}}-\d{{3}}|,? {_GB}(?!\w)|,? \d{{5}}(?!\w))"
)
_CUE = re.compile(
    r"post ?codes?|postal|zip|plz|postleitzahl|code postal|c\.?p\.?\b|cap\b|código postal|kod pocztowy|kodu?\b|address|adresse|"
    r"anschrift|dirección|direccion|indirizzo|morada|endereço|"
    r"adres|deliver|ship|liefer|envi[aoáé]|entreg|livr|sped|consegn|wysł|dostaw|dostar|bezorg|lever|live[sd]? (?:at|in)|wohn|"
    r"vivo|vive|habit|abit|moro|mora|mieszk|zamieszk|woon|moved|zieh|"
    r"umgezogen|mudad|déménag|trasfer|przeprow|verhuis|residen",
    re.IGNORECASE,
)
_STOPS = (
    "Hi Hello Dear Hallo Hola Bonjour Ciao Cześć Dag Hoi Olá Regards Thanks Please Danke Gracias Merci Grazie Obrigado "
    "Obrigada Dziękuję Bedankt Mr Mrs Ms Herr Frau I We My The Company"
)
_STOP_WORDS = frozenset(_STOPS.split())


@dataclass
class _Anchor:
    start: int
    end: int
    form: str
    score: float

    @property
    def street(self) -> bool:
        return self.form in ("en", "fr", "first", "end", "in", "box")


def find_addresses(text: str, language: str = "", words: Set[str] | None = None) -> Iterator[Finding]:
    """Whole addresses, each one finding, with flat, house, postcode and place.

    `language` is the message's, if known, `words` are all its words in small letters: without a word such as calle or via
    the search for what follows it is left out.
    """
    if not _DIGIT.search(text) and "s/n" not in text:
        return
    for group in _joined(text, _anchors(text, language, words)):
        score = _group_score(text, group)
        if score < 0.5:
            continue
        start, end = _stretched(text, group)
        yield Finding("ADDRESS", start, end, score)


def _anchors(text: str, language: str, words: Set[str] | None) -> list[_Anchor]:
    found: list[_Anchor] = []
    small = text == text.lower()
    for pattern, form, score in (*_STREETS, *_PLACES):
        if (form == "end" and not _ends_like_street(text)) or (form == "us" and not _US_CODE.search(text)):
            continue
        if words is not None and form in _OPENINGS and _OPENINGS[form].isdisjoint(words):
            continue
        for match in pattern.finditer(text):
            end = match.start() + len(match.group().rstrip(" ,"))
            start = match.start() + (len(article.group()) if (article := _ARTICLE.match(match.group())) else 0)
            if form == "en" and not _is_street(match.group()):
                continue
            if form == "first" and not (_is_named(match.group(), text) and _is_italian_via(match.group(), language)):
                continue
            if form == "end" and _is_season(match.group(), small):
                continue
            if form == "end" and not _STRONG_END.search(match.group()):
                score = 0.45
            found.append(_Anchor(start, end, form, score))
    kept: list[_Anchor] = []
    taken: set[int] = set()
    for anchor in sorted(found, key=lambda a: (-a.score, a.start - a.end)):
        if taken.isdisjoint(range(anchor.start, anchor.end)):
            taken.update(range(anchor.start, anchor.end))
            kept.append(anchor)
    return sorted(kept, key=lambda a: a.start)


_DIGIT = re.compile(r"\d")
_DIGITS = re.compile(r"\d+")
_ENDINGS = tuple(sorted(set(_ENDING[3:-1].replace("\\.", ".").split("|"))))
# Without these the patterns, which are slow, find nothing.
_US_CODE = re.compile(r"[A-Z]{2},? \d{5}")
_BOX = "o box postfach postbus apartado apdo boîte bp casella c caixa skrytka skr"
_IN = "am an auf im in zum zur hinterm hinter unter unterm vor vorm beim bei ob op aan achter bij onder lange korte nieuwe oude"
_FIRST = re.findall(r"(?<=[:|])[^\W\d_]+", _FIRST_TYPE)
_LUNGO = "avd lungomare lungolago lungarno lungotevere lungofiume lungadige"
_OPENINGS = {"box": frozenset(_BOX.split()), "in": frozenset(_IN.split()), "first": frozenset([*_FIRST, *_LUNGO.split()])}


def _ends_like_street(text: str) -> bool:
    """Whether a number stands behind a word that ends like straße, weg, laan."""
    starts = (match.start() for match in _DIGITS.finditer(text))
    return any(text[max(0, start - 16) : start].rstrip(" ").lower().endswith(_ENDINGS) for start in starts)


_EN_SHORT = re.compile(
    r"\b(?:st|dr|way|place|pl|park|view|green|run|hill|court|ct|square|close|row|walk|rise|gate|yard|path|common|bank|mill|loop|"
    r"drive|common|circle|trail)\.?$",
    re.I,
)
_EN_VERB = re.compile(
    r"\b(?:to|for|from|of|is|are|in|on|at|by|per|my|your|our|a|an|i|you|we|it|this|that|with|times?|days?|items?|x|pcs|people|"
    r"hours?|minutes?|weeks?|months?|years?|am|pm|and|or|not)\b",
    re.I,
)


_ARTICLE = re.compile(r"(?:der|den|dem|des|de|het|in|im|am|die|das) ")
_STRONG_END = re.compile(
    r"(?:stra(?:ß|ss)e|str\.?|weg|platz|allee|gasse|ring|damm|ufer|chaussee|straat|laan|gracht|kade|plein|dijk|singel|steeg|pad|"
    r"markt) ?\d",
    re.I,
)
_WORD_TYPE = re.compile(
    r"(?:via|largo|place|plaza|camino|ronda|quinta|est\.|v\.|r\.|pl\.|al\.|av\.|corso|strada|plac|ed)\b ?", re.I
)


def _is_named(value: str, text: str) -> bool:
    """Words such as "via" and "largo" begin a street where a name in capitals follows, or where nothing is written large."""
    begin = _WORD_TYPE.match(value)
    return begin is None or text.islower() or bool(re.match(rf"(?:{_SMALL} )*[A-ZÀ-Ž\d]", value[begin.end() :]))


def _is_italian_via(value: str, language: str) -> bool:
    """In other languages "via Office 365" is no street."""
    return language in ("it", "") or not value.startswith("via ")


def _is_season(value: str, small: bool) -> bool:
    """Spring 2022, string 2: streets of such endings are written large, and houses have other numbers than years."""
    word = re.split(r" (?=\D)", value)[-1]
    return (word[0].islower() and not small) or bool(re.search(r"\b(?:19|20)\d\d$", value))


def _is_street(value: str) -> bool:
    """A number and words that end like a street: not "2 items on the way"; short endings want a capital."""
    if _EN_VERB.search(value.replace(",", "")):
        return False
    return not _EN_SHORT.search(value) or bool(re.search(r"[A-Z][\w'’.-]* ?\w*\.?$", value))


def _joined(text: str, anchors: list[_Anchor]) -> Iterator[list[_Anchor]]:
    group: list[_Anchor] = []
    for anchor in anchors:
        if group and not _belongs(text, group, anchor):
            yield group
            group = []
        group.append(anchor)
    if group:
        yield group


def _belongs(text: str, group: list[_Anchor], anchor: _Anchor) -> bool:
    """Whether an anchor goes on with the address before it: near, little between, and not a second street."""
    before = group[-1]
    if anchor.start - before.end > 60 or not _BETWEEN.fullmatch(text, before.end, anchor.start):
        return False
    if not anchor.street:
        return True
    return before.form == "bare" if not before.street else len(group) == 1


def _group_score(text: str, group: list[_Anchor]) -> float:
    """A street with its number is enough, better with a postcode; a postcode by itself needs a word that announces it."""
    streets = [anchor for anchor in group if anchor.street]
    places = [anchor for anchor in group if not anchor.street]
    if streets and places:
        return 0.95
    first = group[0]
    cue = bool(_CUE.search(text[max(0, first.start - 40) : first.start]))
    if streets:
        best = max(streets, key=lambda a: a.score)
        weak = best.form == "in" or best.score < 0.5
        return (0.78 if cue else 0.3) if weak else best.score
    best = max(places, key=lambda a: a.score)
    if best.form == "bare":
        return 0.66 if cue and _post_cue(text, first.start) else 0.0
    if _CAP_LEFT.search(text[max(0, first.start - 60) : first.start]) or (
        best.form == "gb" and re.search(rf"{_CAP} $", text[max(0, first.start - 30) : first.start])
    ):
        return 0.8 if best.form in ("gb", "us", "five", "pl", "pt", "nl") else 0.55
    return (
        0.82
        if cue and best.form != "four"
        else 0.6
        if best.form in ("pl", "us", "pt")
        else 0.72
        if cue and _post_cue(text, first.start)
        else 0.0
    )


def _post_cue(text: str, start: int) -> bool:
    return bool(
        re.search(
            r"(?:post ?code|postal(?: code)?|zip(?: ?code)?|plz|postleitzahl|code postal|c\.?p\.?|cap|código postal|codigo "
            r"postal|kod pocztowy|kod)\b[^.\n]{0,25}$",
            text[max(0, start - 45) : start],
            re.IGNORECASE,
        )
    )


def _stretched(text: str, group: list[_Anchor]) -> tuple[int, int]:
    """The address with what belongs to it: flat and house before it, floor, place, region behind it."""
    start, end = group[0].start, group[-1].end
    placed = any(not anchor.street for anchor in group)
    if (
        group[0].form == "gb"
        and (city := re.search(rf"(?:{_CAP} ){{1,3}}$", text[max(0, start - 40) : start]))
        and city.group().split()[0] not in _STOP_WORDS
    ):
        start -= len(city.group())
    for _ in range(4):
        before = text[max(0, start - 60) : start]
        unit = _UNIT_LEFT.search(before)
        if unit is None and placed and not any(a.street for a in group):
            unit = _CAP_LEFT.search(before)
        if (
            unit is None
            or re.match(r"c/o", before[unit.start() :], re.IGNORECASE)
            or before[unit.start() :].split()[0].strip(",") in _STOP_WORDS
        ):
            break
        start -= len(before) - unit.start()
    for pattern in (
        _UNIT_RIGHT,
        _UNIT_RIGHT,
        *((_COUNTRY_RIGHT,) if placed or group[0].form == "box" else ()),
        *(() if placed else (_CITY_RIGHT,)),
        _REGION_RIGHT,
        _REGION_RIGHT,
    ):
        if match := pattern.match(text, end):
            if match.group().strip(" ,\n").split(" ")[0] in _STOP_WORDS:
                break
            end = match.end()
    trimmed = text[start:end].rstrip(" ,.;\n")
    return start, start + len(trimmed)
