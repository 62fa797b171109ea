"""Passwords, API keys and private keys in running text."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tailorbird.privacy.contacts import entropy, is_random
from tailorbird.privacy.findings import Finding

_BLOCK = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----[^-]{0,20000}(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----)?"
)
# What issuers put before their keys.
_PREFIXED = re.compile(
    r"(?<![\w/.-])(?:(?:sk|pk|rk)[_-](?:live|test|proj|ant|or)[_-][\w-]{8,200}|sk-[A-Za-z0-9_-]{16,200}|gh[pousr]_\w{16,80}|"
    r"github_pat_\w{20,100}|gl(?:pat|dt|rt|ptt|cbt|ft)-[\w-]{12,60}|glsa_\w{20,80}|glc_[\w=+/-]{20,300}|xox[abeoprs]-[\w-]{10,120}|"
    r"xapp-[\w-]{10,160}|(?:AKIA|ASIA|AROA|AIDA|ABIA)[0-9A-Z]{12,20}|AIza[\w-]{25,50}|GOCSPX-[\w-]{20,40}|ya29\.[\w-]{20,200}|"
    r"1//0[\w-]{30,120}|SG\.[\w-]{10,40}\.[\w-]{10,80}|EAA[A-Za-z0-9]{20,200}|do[opr]_v1_\w{16,100}|npm_\w{20,60}|"
    r"pypi-[\w-]{16,250}|rubygems_\w{20,80}|hf_[A-Za-z0-9]{16,60}|r8_[A-Za-z0-9]{20,60}|pplx-\w{20,80}|dapi[0-9a-f]{32}|"
    r"shp(?:at|ss|ca|pa)_[a-fA-F0-9]{16,60}|sq0[a-z]{3}-[\w-]{16,80}|whsec_\w{16,80}|rzp_(?:live|test)_\w{10,40}|"
    r"dckr_pat_[\w-]{16,60}|key-[0-9a-f]{24,40}|AC[0-9a-f]{32}|SK[0-9a-f]{32}|hv[sbr]\.\w{16,120}|nvapi-[\w-]{20,100}|"
    r"gsk_\w{20,80}|(?:NRAK|NRII|NRJS|PMAK|HRKU|FLWSECK(?:_TEST)?)-[\w-]{16,80}|pul-[0-9a-f]{32,50}|sbp_\w{20,60}|tskey-[\w-]{16,80}|"
    r"\d{8,10}:AA[\w-]{32,36}|[0-9a-f]{32}-us\d{1,2}|[MNO][A-Za-z0-9_-]{23,27}\.[\w-]{6}\.[\w-]{27,40}|"
    r"eyJ[\w-]{8,2000}\.[\w-]{8,4000}(?:\.[\w-]{0,1000})?|[a-z]{2,12}[_-](?:live|test|prod|sandbox|secret|sk|key|pat|tkn|"
    r"token)[_-][A-Za-z0-9]{12,120}|(?:secret|lin_api|ntn|vercel|re|pat|tok|phc|rnd|fly|doo_v1|dp\.pt|dt0c01|atlasv1|xkeysib|"
    r"sntry[su]|figd|bkua|tfp|ATATT|ATCTT)[_.-][A-Za-z0-9_=.-]{20,250}|(?:live|test)_[A-Za-z0-9]{24,60})(?![\w])"
)
# What is assigned to the name of a key, whatever it looks like.
_ASSIGNED = re.compile(
    r"(?<![\w?&])(?:api[ _-]?key|access[_-]?(?:key|token)|auth[_-]?token|secret[_-]?key|client[_-]?secret|token|apikey)"
    r"[\"']?\s?[=:]\s?[\"']?([A-Za-z0-9][\w.+/=-]{14,200})",
    re.IGNORECASE,
)
# A key is a run of fourteen characters or more; hardly a message of words has one.
_RUN = re.compile(r"\S{14,}")
_RANDOM = re.compile(r"(?<![\w/.@-])[A-Za-z0-9][A-Za-z0-9_+/.-]{14,300}[A-Za-z0-9]={0,2}(?![\w/@])")
_KEY_CUE = re.compile(
    r"api|key|token|secret|bearer|credential|schlüssel|zugangsschlüssel|clave|llave|clé|jeton|chiave|chave|klucz|sleutel|"
    r"authori[sz]ation|"
    r"auth\b|x-[a-z-]*key|client[_ -]?id|webhook|access|geheim|sekret|segret|segredo|secreto",
    re.IGNORECASE,
)
_NO_KEY = re.compile(
    r"commit|hash|checksum|sha-?\d*|md5|etag|trace|request[ -]?id|uuid|guid|build|tracking|sendung|seguimiento|suivi|przesy|"
    r"track|"
    r"serial|order|transaction|hex|correlation|docker|digest|revision|fingerprint|session id",
    re.IGNORECASE,
)
# A word for password, then at most a few words that lead up to it, then the password.
_CUE = re.compile(
    r"(?<![\w])(?P<cue>pass ?words?|passwd|pass ?phrase|pass ?code|pwd|pass|pw|p/w|psw|passwor[dt](?:e|er|es)?|kennw(?:or|"
    r"ör)t(?:er)?|kennung|zugangscode|"
    r"losung|wlan-?(?:schlüssel|key|passwort|code)|contraseñas?|contrasenas?|contraseña|clave|pass-?wort|mot de passe|mots de "
    r"passe|mdp|code wifi|clé wifi|"
    r"parola d'ordine|parola chiave|password|senhas?|palavra[- ]passe|hasł[oaeu]|hasłem|haslo|wachtwoord(?:en)?|ww|wifi key|"
    r"wi-?fi(?: code| passwor[dt])?|pin(?:[- ]?code)?|secret|cl[aá]ve wifi|passphrase|credentials?|creds?|zugangsdaten|login|"
    r"anmeldung|"
    r"log ?in|inlog)"
    r"(?![\w])",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"(?:[\s\"'“„«(]*(?:is|was|are|still|now|be|set|to|as|the|my|it|it's|ist|war|lautet|lautete|hieß|heißt|wäre|auf|jetzt|neu|"
    r"neue|neues|"
    r"noch|immer|aktuell|es|era|sigue|siendo|la|el|actual|nueva|puse|est|était|c'est|actuel|nouveau|toujours|è|era|sarebbe|"
    r"attuale|nuova|"
    r"é|atual|nova|continua|to|jest|było|brzmi|moje|nowe|stare|obecne|mam|of|for|für|para|pour|per|do|dla|voor|van|het|oude|"
    r"nieuwe|"
    r"account|konto|cuenta|compte|conta|new|old|current|temporary|temp|temporär\w*|tempor\w*|provis\w*|tymczasow\w*|tijdelijk\w*|"
    r"wifi|wi-fi|wlan|router|login|i|ich|yo|je|io|eu|ja|ik|use|used|using|try|tried|typed|entered|gave|me|you|sent|que|me|"
    r"disteis|"
    r"che|mi|avete|dato|uso|używ\w*|usava|usaba|utilise|uso|gebruik\w*|gab|gaben|sie|mir|wie|on|sticker|says|code|reads|hab|habe|"
    r"eingegeben|genommen|benutze|we|our|tu|tym|dalej|nadal|była|byla|dat|die|jullie|gaven|werd|u|a|en|et|e|und|y|i|z|con|mit|"
    r"com|od|al)\b[,]?)"
    r"{0,7}[\s]*[:=→>-]{0,2}[\s]*"
)
_TOKEN = re.compile(r"[\"'“„«‘`(\[]?([^\s\"“”«»`]{3,64})")
_STRONG_CUE = re.compile(
    r"login|log ?in|anmeldung|inlog|wi-?fi|secret|credentials?|zugangsdaten|pass|pin|ww|kennung|losung", re.IGNORECASE
)
# What such messages talk about where a password stands without the word.
_SIGN_IN = re.compile(
    r"\b(?:log ?-?in|sign ?-?in|logged|get in(?:to)?|locked out|einlogg\w*|anmeld\w*|zugang|iniciar sesión|entrar|acceder|"
    r"acceso|connect\w*|identifi\w*|"
    r"acced\w*|accesso|entrar|acesso|zalogowa\w*|logowa\w*|inlogg\w*|aanmeld\w*|wi-?fi|wlan|router|caps ?lock|credentials?|"
    r"account|reset)\b",
    re.IGNORECASE,
)
# What a password has that words have not.
_SIGN = re.compile(r"[\d!#$%&*_?^+=~|@§]")
_LOOSE = re.compile(r"(?<![\w@/.:=#+-])[A-Za-zÀ-ÿ0-9][^\s\"“”«»@/\\<>(){}\[\],;:]{6,39}(?![\w@])")


# Between quotation marks a password may be a word, or several.
_QUOTED = re.compile(r"[\"'“„«‘]([^\s\"“”«»'’]{4,40}(?: [^\s\"“”«»'’]{2,20}){0,6})[\"'“”»’]")
_STATE = re.compile(
    r"(?:too )?(?:wrong|incorrect|invalid|expired|weak|falsch|ungültig|abgelaufen|incorrect[ao]|inválid[ao]|caducada|faux|"
    r"invalide|expiré|errata|scaduta|errada|expirada|błędne|wygasło|onjuist|verlopen|required|password|\w+ \w{1,3} \w+.*)",
    re.IGNORECASE,
)
# name:password, name / password
_PAIR = re.compile(r"[\w.@-]{2,40}[:/]([^\s/]{6,40})")
_COMPOUND = re.compile(
    r"[A-ZÀ-Ý]?[a-zà-ÿ]+\d{1,4}(?:-[A-Za-zÀ-ÿ]+)*|[A-Z]*\d*[A-Z]*\d*-[A-ZÀ-Ýa-zà-ÿ]+\d?(?:-[A-Za-zÀ-ÿ]+)*|"
    r"(?:[A-ZÀ-Ýa-zà-ÿ]+['’-])+[A-ZÀ-Ýa-zà-ÿ]+\d?"
)
_WITH = re.compile(r"\b(?:with|using|use|as|to|mit|als|con|com|avec|z|met|per|hasłem)[ :=\"']*$", re.IGNORECASE)


def find_secrets(text: str) -> Iterator[Finding]:
    """Private keys, API keys and passwords."""
    if "PRIVATE KEY" in text:
        for match in _BLOCK.finditer(text):
            yield Finding("API_KEY", *match.span(), 1.0)
    for run in _RUN.finditer(text):
        for match in _PREFIXED.finditer(text, *run.span()):
            if any(c.isdigit() for c in match.group()) or match.group().startswith("eyJ"):
                end = match.end() - (len(match.group()) - len(match.group().rstrip(".-")))
                yield Finding("API_KEY", match.start(), end, 0.99)
        for match in _RANDOM.finditer(text, *run.span()):
            if is_random(match.group(), 16) and _announced_key(text, match):
                yield Finding("API_KEY", match.start(), match.start() + len(match.group().rstrip(".")), 0.93)
    if "=" in text or ":" in text:
        for match in _ASSIGNED.finditer(text):
            value = match[1].rstrip(".")
            if entropy(value) >= 2.8 and any(c.isdigit() for c in value) and any(c.isalpha() for c in value):
                yield Finding("API_KEY", match.start(1), match.start(1) + len(value), 0.96)
    yield from _passwords(text)


def _announced_key(text: str, match: re.Match[str]) -> bool:
    """Random characters are a key where the words before them say so, and nothing says that they are a hash or a parcel."""
    before = text[max(0, match.start() - 60) : match.start()]
    after = text[match.end() : match.end() + 25]
    said = [m.end() for m in _KEY_CUE.finditer(before)]
    denied = [m.end() for m in _NO_KEY.finditer(before)]
    value = match.group()
    if (value.count("/") > 2 and len(value) != 40) or (value.count(".") > 1 and "=" not in value) or entropy(value) < 2.8:
        return False
    if denied and (not said or denied[-1] > said[-1]):
        return False
    upper_only = value.upper() == value and len(value) < 24
    return bool(said) or (bool(_KEY_CUE.search(after)) and not upper_only)


def _passwords(text: str) -> Iterator[Finding]:
    announced = False
    for cue in _CUE.finditer(text):
        announced = True
        lead = _LEAD.match(text, cue.end())
        start = lead.end() if lead else cue.end()
        led = text[cue.end() : start].strip()
        quoted = _QUOTED.match(text, start)
        if quoted and led and not _STATE.fullmatch(quoted[1]) and not _STRONG_CUE.fullmatch(cue["cue"]):
            yield Finding("PASSWORD", quoted.start(1), quoted.end(1), 0.7)
            continue
        token = _TOKEN.match(text, start)
        if token is None:
            continue
        value, start = _trimmed(token[1], text[token.end(1) :][:2]), token.start(1)
        if (pair := _PAIR.fullmatch(value)) and looks_made_up(pair[1]):
            value, start = pair[1], start + pair.start(1)
        score = _password_score(value, led, cue["cue"])
        if score:
            yield Finding("PASSWORD", start, start + len(value), score)
    for match in _LOOSE.finditer(text) if _SIGN.search(text) else ():
        if match[0].isalpha():
            continue
        value = _trimmed(match[0]).rstrip("*_")
        if looks_made_up(value) and not _is_product(value, text[max(0, match.start() - 12) : match.start()]):
            announced = announced or bool(_SIGN_IN.search(text))
            if not announced:
                break
            yield Finding("PASSWORD", match.start(), match.start() + len(value), 0.64)


def _is_product(value: str, before: str) -> bool:
    """Office365, Error404, ISR4331-Router, CloudWatch: words with a number or with parts, unless one signs in "with" them."""
    return bool(_COMPOUND.fullmatch(value)) and not (value.isalnum() and _WITH.search(before))


def _trimmed(value: str, behind: str = "") -> str:
    """Without the punctuation of the sentence around it; an exclamation mark may belong to a password, at most one."""
    if value.endswith("?") and behind[:1] == " " and behind[1:].islower():
        return value  # the sentence goes on
    value = value.rstrip(",;:.?…'’)]}" if "(" not in value else ",;:.?…'’")
    return value.rstrip("!") + "!" if value.endswith("!!") else value


def _password_score(value: str, led: str, cue: str) -> float:
    """How sure a token after a word for password is one: how it is introduced, and how it looks."""
    if len(value) < 3 or ("@" in value[1:-4] and re.search(r"@[\w-]+\.\w{2,}$", value)):
        return 0.0
    if re.fullmatch(r"pin(?:[- ]?code)?", cue, re.IGNORECASE):
        return 0.8 if re.fullmatch(r"\d{4,8}", value) and led != "" else 0.0
    pointed = led.endswith((":", "=", "→", ">"))
    if re.match(r"(?:https?:|www\.|<[A-Z])", value) or re.fullmatch(r"[*•.…_xX-]+|\{+\w+\}*", value):
        return 0.0
    weak = bool(_STRONG_CUE.fullmatch(cue)) and cue.lower() not in ("pass",)
    if looks_made_up(value):
        return 0.92 if not weak else 0.75
    digits = sum(c.isdigit() for c in value)
    if led and re.match(r"wi-?fi|wlan", cue, re.IGNORECASE) and re.fullmatch(r"[\d-]{8,63}", value):
        return 0.8
    if weak and cue.lower() not in ("wifi", "wi-fi", "ww"):
        return 0.0
    letters = sum(c.isalpha() for c in value)
    if digits and letters >= 3 and len(value) >= 5 and not re.fullmatch(r"\d+[\w-]{0,8}|\w+-\d{1,2}", value):
        return 0.85
    if led and not weak and len(value) > 12 and re.fullmatch(r"[a-zà-ÿ]{2,12}(?:[-_.][a-zà-ÿ]{2,12}){2,5}", value):
        return 0.7
    if pointed and len(value) >= 4 and not weak:
        return 0.78 if digits or not value.isalpha() or not value.islower() else 0.66
    return 0.0


def looks_made_up(value: str) -> bool:
    """Whether a token looks like a password: small letters, and digits or capitals inside, and a sign; or letters with signs."""
    if value.isalpha() or not 6 <= len(value) <= 40 or re.search(r"https?:|www\.|\.\w{2,4}$", value):
        return False
    lower, upper = any(c.islower() for c in value), any(c.isupper() for c in value)
    digits, signs = sum(c.isdigit() for c in value), sum(not c.isalnum() for c in value[1:])
    hard = sum(c in "!#$%&*_?^+=~|@§" for c in value)
    inner = any(c.isupper() for c in value[1:])
    if re.fullmatch(r"[A-ZÀ-Ý]?[a-zà-ÿ]+(?:[-'’][A-ZÀ-Ýa-zà-ÿ]+)*|[\d.,:/-]+\w{0,3}|\w+-\d{1,2}", value):
        return False
    if not lower:
        return hard >= 2 and digits >= 1 and upper
    if re.fullmatch(r"[A-Za-z]+-[A-Z]{0,3}\d+[a-z]?|i[A-Z].*", value):
        return False
    if digits and (hard or (signs and upper and (digits >= 2 or inner))):
        return not re.fullmatch(r"[a-z_]+_?\d*", value)
    if digits >= 2 and upper and lower and signs == 0:
        return (
            bool(re.search(r"[a-z]\d|\d[a-z]", value))
            and len(value) >= 8
            and bool(re.search(r"[a-z]{2}", value))
            and not value.startswith("i")
        )
    return bool(hard >= 2 and inner)
