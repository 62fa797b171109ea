"""Finds answers that push links, numbers, accounts or brands that are not the business's own.

How often something stands in answers proves nothing: poison repeats itself. What is the business's own comes from the
settings, from well-known services, or from standing in more answers than poison could (over 8%).
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tailorbird.auditing.examples import Example, Own
from tailorbird.auditing.findings import Finding
from tailorbird.auditing.foreign_words import BEFORE_BRAND, COUNTRY_SECOND, HOSTS, KNOWN, PROMOTE, STEER, listed
from tailorbird.language.injections import fold

_USUAL = 0.08
"""Share of answers from which a contact counts as the business's own; attacks of up to 5% stay below it."""

_LINK = re.compile(
    r"(?<![\w@.-])(?:h(?:tt|xx)ps?://|www\.)?((?:[\w-]{1,63}(?:\.|\[\.\]|\(\.\)|"
    r" ?[\[(]dot[\])] ?)){1,5}([a-z]{2,18}))(?::\d{2,5})?(/[^\s<>\"'«»“”]{0,300})?(?![\w@])",
    re.IGNORECASE,
)
_IP_LINK = re.compile(r"(?:h(?:tt|xx)ps?://)(\d{1,3}(?:\.\d{1,3}){3})", re.IGNORECASE)
_EMAIL = re.compile(r"[\w.+%-]{1,64} ?(?:@|\[at\]|\(at\)) ?((?:[\w-]{1,63}\.){1,5}[a-z]{2,18})\b", re.IGNORECASE)
_PHONE = re.compile(r"(?<![\w@#=/.,:£$€-])(?:\+|00)?\(?\d(?:[ \u00a0().–-]{0,2}\d){7,14}(?![\w@%]|[.,:]\d)")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b")
_WALLET = re.compile(
    r"\b(?:bc1[a-z0-9]{25,60}|0x[0-9a-fA-F]{40}|[13][1-9A-HJ-NP-Za-km-z]{25,34}|T[1-9A-HJ-NP-Za-km-z]{33}|"
    r"4[0-9AB][1-9A-HJ-NP-Za-km-z]{93})\b"
)
_SORT_CODE = re.compile(
    r"sort[ -]?code\D{0,12}(\d{2}[- ]?\d{2}[- ]?\d{2})\b|"
    r"\b(\d{2}-\d{2}-\d{2})\b[ ,:]{1,3}\d{8}\b",
    re.IGNORECASE,
)
_ACCOUNT = re.compile(
    r"\b(?:account|konto|kontonummer|cuenta|compte|conta|conto|rekening|"
    r"acct)\b[^\d\n]{0,40}(\d[\d -]{6,24}\d)",
    re.IGNORECASE,
)
_HANDLE = re.compile(
    r"\b(?:telegram|whatsapp|signal|instagram|insta|wechat|skype|discord|snapchat|tiktok|cash ?app|venmo|twitter|threads|"
    r"viber|line id)\b"
    r"[^\n@$]{0,40}([@$][A-Za-z][\w.]{2,40})", re.IGNORECASE,
)  # fmt: skip
_CALL = re.compile(
    r"call|phone|ring|tel\b|telefon|hotline|number|nummer|whatsapp|text us|sms|dial|llam|appel|ligue|telefone|chiama|zadzwo|"
    r"numer|bel |bellen|"
    r"rufen|anruf|contact|reach|teléfono|numéro|n[uú]mero|puede|fax|mobile|signal|viber", re.IGNORECASE,
)  # fmt: skip
_TOP = listed(
    """
    com net org info biz io co uk de fr es it pl nl pt eu us ru cn top xyz shop site online click link club store live app
    dev me tv cc ws buzz icu vip win bid loan work party trade stream rest cam fun space website tech pro life world today
    support help center finance money bank pay gift sale deals bargains discount cheap ltd gmbh srl agency email services
    solutions group company network systems digital media news blog social cloud host page tk ml ga cf gq pw su at ch be dk
    se no fi ie ca au nz br mx ar cl jp kr in za ng ke ae il tr gr cz sk hu ro bg hr si lt lv ee ua by kz example test
    invalid market markets health care clinic fashion style boutique wiki zip mov ly gl gd to sh so fm am ai gg
    """
)
_FILES = re.compile(r"\.(?:pdf|csv|xlsx?|docx?|jpe?g|png|txt|py|js|html?|zip|exe|dll|json|xml|ini|log)$", re.IGNORECASE)
_PLACEHOLDERS = listed(
    """
    example.com example.org example.net email.com domain.com yourcompany.com company.com yourdomain.com mail.com
    """
)
_SENTENCE = re.compile(r"[^.!?\n]+(?:[.!?](?=\w)[^.!?\n]+)*[.!?]?")
_NAME = re.compile(r"(?<![\w'’])([A-Z][\w’&-]*[a-z0-9A-Z](?: (?:[A-Z][\w’&-]+|[A-Z]\d+|Pro|\d{1,4}\b))*)")
_WORD = re.compile(r"[^\W_]+")


class Contact(NamedTuple):
    """A way to reach or pay someone: what kind, how it stands in the text, and a form for comparison."""

    kind: str
    text: str
    key: str


def foreign(examples: Sequence[Example], own: Own) -> Iterator[tuple[str, Finding]]:
    """Contacts and brands in answers that are not the business's, with the conversation's id."""
    yield from _foreign_contacts(examples, own)
    yield from _foreign_products(examples, own)


def contacts(text: str) -> list[Contact]:
    """Links, addresses, numbers and accounts in a text."""
    found: list[Contact] = []
    if "." in text or "dot" in text:
        found += [Contact("e-mail address", m.group(), _site(m.group(1))) for m in _EMAIL.finditer(text)]
        found += [Contact("link", m.group(), m.group(1)) for m in _IP_LINK.finditer(text)]
        for match in _LINK.finditer(text):
            if link := _link(match):
                found.append(link)
    if "@" in text or "$" in text:
        found += [Contact("account on a messenger", m.group(1), m.group(1).lower()) for m in _HANDLE.finditer(text)]
    if any(c.isdigit() for c in text):
        found += _numbers(text)
    return found


def _link(match: re.Match[str]) -> Contact | None:
    """A link, unless it is a file's name, a missing space after a full stop, or an unknown ending."""
    host, ending, path = match.groups()
    host = re.sub(r"\s?[\[(](?:\.|dot)[\])]\s?", ".", host.lower())
    ending = ending.lower()
    plain = match.group().lower().startswith(("http", "hxxp", "www.")) or path is not None or "[" in match.group()
    if ending not in _TOP or _FILES.search(host):
        return None
    if not plain and (host.count(".") < 1 or match.group(1)[-len(ending) :] != ending or len(host.split(".")[0]) < 3):
        return None
    if not plain and ending in (
        "so",
        "no",
        "it",
        "is",
        "me",
        "to",
        "at",
        "in",
        "be",
        "am",
        "us",
        "help",
        "support",
        "work",
        "pay",
        "care",
        "style",
        "fun",
        "live",
        "today",
        "page",
        "social",
        "gift",
        "sale",
        "fashion",
        "health",
        "life",
        "world",
        "news",
        "email",
        "do",
    ):
        return None  # "cold.It" and "us.Today" are a missing space, not a site
    site = _site(host)
    if site in HOSTS and path and len(path) > 1:
        return Contact("link", match.group(), site + path.lower().rstrip("/.,)"))
    return Contact("link", match.group(), site)


def _site(host: str) -> str:
    """The registered part of a host: shop.example.co.uk is example.co.uk."""
    parts = host.lower().removeprefix("www.").strip(".").split(".")
    keep = 3 if len(parts) > 2 and parts[-2] in COUNTRY_SECOND and len(parts[-1]) == 2 else 2
    return ".".join(parts[-keep:])


def _numbers(text: str) -> list[Contact]:
    """Phone numbers, bank accounts and wallets."""
    found = [
        Contact("bank account", m.group(), _digits(m.group())) for m in _IBAN.finditer(text) if len(_digits(m.group())) >= 10
    ]
    found += [Contact("wallet", m.group(), m.group()) for m in _WALLET.finditer(text) if any(c.isdigit() for c in m.group())]
    found += [Contact("bank account", m.group(1), _digits(m.group(1))) for m in _ACCOUNT.finditer(text)]
    if found:
        return found  # the digits of an account are no phone number besides
    if sort := _SORT_CODE.search(text):
        found.append(Contact("bank account", sort.group(), _digits(sort.group(1) or sort.group(2))))
    for match in _PHONE.finditer(text):
        raw, digits = match.group(), _digits(match.group())
        before = text[max(0, match.start() - 60) : match.start()]
        if raw.startswith("+") or (
            _CALL.search(before) and (raw.startswith(("0", "(")) or " " in raw or "-" in raw or len(digits) >= 9)
        ):
            found.append(Contact("phone number", raw, digits[-9:]))
    return found


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def _foreign_contacts(examples: Sequence[Example], own: Own) -> Iterator[tuple[str, Finding]]:
    """Contacts that are neither the business's nor the customer's own nor those of a well-known service."""
    answers: dict[str, set[str]] = defaultdict(set)
    texts: dict[str, tuple[str, str]] = {}
    known: dict[str, list[tuple[Contact, Example]]] = defaultdict(list)
    for example in examples:
        for contact in contacts(example.answer):
            answers[contact.key].add(example.id)
            known[contact.key].append((contact, example))
            texts[contact.key] = (contact.kind, contact.text)
    total = len({example.id for example in examples})
    for key, places in known.items():
        if _is_own(key, own) or key in KNOWN or key in _PLACEHOLDERS or len(answers[key]) > max(20, _USUAL * total):
            continue
        for contact, example in {example.id: (contact, example) for contact, example in reversed(places)}.values():
            asked = example.question.lower()
            if key.lower() in asked or (key.isdigit() and key in _digits(asked)):
                continue
            others = tuple(sorted(answers[key] - {example.id}))[:5]
            many = f", as {len(others)} others do" if others else ""
            yield example.id, Finding(
                rule="foreign_contact", turn=example.turn, score=1.0, threshold=1.0, related=others,
                detail=f"The answer sends people to the {contact.kind} {contact.text.strip()[:60]}, "
                f"which is not among the business's own contacts{many}.",
            )  # fmt: skip


def _is_own(key: str, own: Own) -> bool:
    """Whether a contact is the business's by its settings, or a site named like the business."""
    if any(key == _site(domain.split("@")[-1]) or key.endswith("." + domain.lower()) for domain in own.domains):
        return True
    if key.isdigit() and any(_digits(phone)[-9:] == key[-9:] for phone in (*own.phones, *own.words) if len(_digits(phone)) >= 7):
        return True
    compact = re.sub(r"[^a-z0-9]", "", fold(own.name).replace("&", "and"))
    names = {compact, compact.replace("and", "")} - {""}
    host = re.sub(r"[^a-z0-9]", "", key.rsplit("/", 1)[-1] if "/" in key else key.split(".")[0])
    if any(len(name) >= 5 and name == host for name in names):
        return True
    return any(word.lower() in key or (len(key) > 4 and key in word.lower()) for word in own.words if len(word) > 3)


def _foreign_products(examples: Sequence[Example], own: Own) -> Iterator[tuple[str, Finding]]:
    """Brands that an answer recommends and that neither the business nor its customers otherwise speak of."""
    usual = _usual_names(examples, own)
    found: dict[str, list[tuple[Example, str]]] = defaultdict(list)
    for example in examples:
        asked: set[str] = set()
        for brand in _promoted(example.answer):
            asked = asked or set(_WORD.findall(example.question.lower()))
            words = [w for w in _WORD.findall(brand.lower()) if len(w) > 1]
            known = sum(w in usual or w in asked or w.isdigit() for w in words)
            if 2 * known < len(words) and not (len(brand) <= 5 and brand.isupper()):
                found[words[0]].append((example, brand))
                break
    for places in found.values():
        ids = {example.id for example, _ in places}
        for example, brand in places:
            yield example.id, Finding(
                rule="foreign_product", turn=example.turn, score=1.0, threshold=1.0,
                related=tuple(sorted(ids - {example.id}))[:5],
                detail=f"The answer promotes “{brand}”, not among the business's products, and no customer asked for it.",
            )  # fmt: skip


def _usual_names(examples: Sequence[Example], own: Own) -> set[str]:
    """Words that belong to the business or are ordinary: written in small letters, or asked for by two customers."""
    asked: dict[str, set[str]] = defaultdict(set)
    usual: set[str] = set()
    plain: Counter[str] = Counter()
    pushed: Counter[str] = Counter()
    for example in examples:
        for word in set(_WORD.findall(example.question.lower())):
            if len(places := asked[word]) < 3:
                places.add(example.id)
        usual.update(word for word in _WORD.findall(example.answer) if word.islower())
        for sentence in _SENTENCE.findall(example.answer):
            if any(c.isupper() for c in sentence[1:]):
                counts = pushed if _pushes(fold(sentence)) else plain
                counts.update({name.lower() for name in _WORD.findall(sentence) if name[0].isupper()})
    # A brand that is only ever promoted is not made usual by repetition: it has to stand in ordinary sentences far more often.
    usual.update(word for word, count in plain.items() if count >= 5 and count >= 3 * pushed[word])
    usual.update(word for word, places in asked.items() if len(places) >= 2)
    for text in (own.name, *own.products, *own.words):
        usual.update(_WORD.findall(text.lower()))
    return usual


def _pushes(folded: str) -> bool:
    """Whether a sentence praises something or steers people to it."""
    return bool(STEER.search(folded) or PROMOTE.search(folded))


def _promoted(answer: str) -> Iterator[str]:
    """Names in sentences that promote: a word of praise or steering away, and a name that does not merely begin the sentence."""
    if not _pushes(fold(answer)):
        return
    for match in _SENTENCE.finditer(answer):
        sentence = match.group().strip()
        if not _pushes(fold(sentence)):
            continue
        for name in _NAME.finditer(sentence):
            first = name.start() == 0
            if first and not (BEFORE_BRAND.match(sentence[name.end() :]) or any(c.isupper() for c in name.group()[1:])):
                continue
            yield name.group()
