"""What is known of a word by itself: how common it is in eight languages, and whether it is a first name, a surname, a place.

The lists are hashed (crc32) in names.npz, which benchmarks/train_names.py makes; one word in sixty thousand is mistaken for
another. No list is stored in readable form.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from importlib import resources
from typing import Any

import numpy as np

LANGUAGES = ("en", "de", "es", "fr", "pt", "it", "pl", "nl")
# Bits of a word's flags after two for each language's rank.
FIRST_AT, LAST_AT, PLACE, BRAND, THING = 16, 18, 1 << 20, 1 << 21, 1 << 22
Array = np.ndarray[Any, np.dtype[Any]]
SLOTS = 1 << 16

PARTICLES = frozenset(
    [
        "de",
        "da",
        "do",
        "dos",
        "das",
        "del",
        "della",
        "dello",
        "di",
        "du",
        "la",
        "le",
        "lo",
        "van",
        "von",
        "vom",
        "der",
        "den",
        "het",
        "ter",
        "ten",
        "te",
        "zu",
        "zur",
        "y",
        "e",
        "i",
        "al",
        "el",
        "bin",
        "ben",
        "ibn",
        "abu",
        "af",
        "av",
        "ap",
        "ní",
        "ó",
        "mac",
        "mc",
        "o'",
        "d'",
        "'t",
        "in",
        "st",
        "saint",
        "san",
        "santa",
    ]
)
# Words of these kinds stand around names and are none.
NEVER = frozenset({"greet", "bye", "title", "firm", "thing", "named"})
# Small, title, upper case, initial, mixed, number, address, nothing.
SHAPES = "lTUIMNX-"
_CLASSES = {
    "greet": "hi hello hey dear hiya morning hallo lieber liebe liebes moin servus grüezi hola estimado estimada querido "
             "querida apreciado apreciada bonjour "
    "bonsoir salut cher chère coucou ciao buongiorno buonasera salve caro cara gentile egregio gentilissima gentilissimo olá "
    "ola oi prezado prezada bom "
    "cześć hej witam witaj szanowny szanowna drogi droga siema hoi beste geachte dag lieve goedemorgen geehrte geehrter "
    "geehrtes sehr",
    "bye": "regards best sincerely cheers thanks thank thx grüße grüßen gruß grüsse mfg lg vg saludos saludo atentamente "
           "cordialmente cordialement cdt cdlt merci "
    "saluti distinti grazie cumprimentos atenciosamente abraço abraços obrigado obrigada att pozdrawiam pozdro poważaniem "
    "dzięki dziękuję groet groeten "
    "groetjes mvg gr danke gracias bedankt dank hochachtungsvoll love yours best",
    "title": "mr mrs ms miss mx dr prof sir madam herr herrn frau fr hr doktor familie sr sra srta señor señora señorita don "
             "doña d dña dra monsieur madame mme mlle "
    "maître docteur sig signor signora signorina dott dottor dottoressa dottssa avv avvocato ing ingegner geom architetto "
    "senhor senhora dona doutor doutora "
    "eng pan pani pana panią panu państwo doktora mecenas inż dhr mevr mevrouw meneer heer mw juffrouw drs ir hrn dokter "
    "dr. lic arq",
    "named": "name names named called heiße heisse heißt heiss llamo llama llamas appelle chiamo chiama chamo nazywam imię "
             "nazwisko heet naam nombre nom prénom prenom nome "
    "cognome sobrenome apelido apellido apellidos vorname nachname achternaam voornaam surname nombres namens mam firmado "
    "signed titular titulaire intestatario "
    "kontoinhaber kontoinhaberin inhaber ansprechpartner contact kontakt contacto contatto contactpersoon",
    "be": "am i'm im its it´s is this it's its here bin ist hier soy es aquí suis c'est ici sono sou é aqui jestem tu tutaj ben "
          "dit met spreekt habla spricht parla strony speaking",
    "with": "with to from by for mit von bei für an con de por para a avec à par pour chez da per com por z ze od do dla u met "
            "van door voor bij aan ask contact tell "
    "call email remind and und y et e i en or",
    "kin": "husband wife son daughter mother father mum mom dad brother sister partner boss colleague neighbour neighbor "
           "flatmate friend assistant lawyer uncle aunt niece "
    "nephew grandson granddaughter landlord tenant fiancé girlfriend boyfriend mann frau sohn tochter mutter vater bruder "
    "schwester chef chefin kollege kollegin nachbar "
    "nachbarin freund freundin oma opa enkel onkel tante vermieter mieter marido mujer esposa hijo hija madre padre hermano "
    "hermana jefe jefa compañero compañera vecino "
    "vecina casero amigo amiga novio novia abuela abuelo mari femme épouse fils fille mère père frère sœur patron collègue "
    "voisin voisine propriétaire ami amie locataire "
    "marito moglie figlio figlia fratello sorella capo collega vicino vicina amico amica nonno nonna inquilino suocera filho "
    "filha mãe pai irmão irmã chefe vizinho vizinha "
    "senhorio avó avô mulher namorada mąż żona syn córka matka mama ojciec tata brat siostra szef szefowa kolega koleżanka "
    "sąsiad sąsiadka babcia dziadek mężem żoną synem "
    "córką męża żony syna córki zoon dochter vrouw moeder vader broer zus baas buurman buurvrouw vriend vriendin huisbaas "
    "huurder man "
    "boy girl kid stepson stepdaughter cousin twin nan gran grandma grandpa grandad carer spouse toddler kumpel cousine schwager "
    "schwägerin schwiegermutter mitbewohner mitbewohnerin ehemann ehefrau mama papa enkelin niño niña nieto primo cuñada suegra "
    "cousin compagnon compagne garçon épouse cugino bambino bambina compagno compagna nipote menino menina neto sogra esposa "
    "colega synek chłopak dziewczyna wnuk kuzyn teściowa zoontje dochtertje neef schoonmoeder kleinzoon oom",
    "role": "technician driver engineer doctor nurse teacher manager agent patient guest passenger customer policyholder "
            "cardholder recipient sender beneficiary employee "
    "student courier plumber consultant receptionist techniker fahrer monteur berater mitarbeiter arzt patientin fahrgast gast "
    "empfänger absender técnico repartidor médico "
    "abogado paciente pasajero huésped cliente destinatario remitente conductor technicien livreur médecin conseiller "
    "conseillère passager destinataire tecnico corriere medico "
    "paziente passeggero destinatario mittente ospite estafeta advogado passageiro hóspede destinatário remetente condutor "
    "technik kurier lekarz doradca pacjent pasażer gość "
    "odbiorca nadawca kierowca monteur bezorger huisarts patiënt passagier ontvanger afzender bestuurder tenant colleague",
    "say":
    "said says told tells promised promises wrote writes replied mentioned swore thinks called phoned emailed forgot sold "
    "left booked signed ordered sagte sagt meinte meint schrieb versprach erzählte vergaß rief verkaufte dijo dice prometió "
    "escribió juró olvidó vendió llamó dit promis écrit juré vendu oublié appelé disse diz prometeu escreveu jurou vendeu "
    "ligou esqueceu detto dice promesso scritto giura venduto chiamato dimenticato powiedział powiedziała mówi mówił mówiła "
    "obiecał obiecała napisał napisała sprzedał dzwonił dzwoniła zapomniał zei zegt beloofde schreef vertelde verkocht "
    "belde vergat",
    "det":
    "the a an my your our their this that these those some any another every no der die das ein eine einen einem einer mein "
    "meine meinen dein ihr ihre ihren unser unsere kein keine dieser diese dieses el los las un una unos mi mis tu su sus "
    "nuestro nuestra vuestro este esta le la les une mon ma mes votre vos notre nos cette ce il lo gli i uno mio mia tuo "
    "suo nostro nostra vostro questo questa o os as um uma meu minha seu sua nosso nossa vosso mój moja moje twój nasz "
    "nasza ten ta to tego de het een mijn jouw uw onze ons deze",
    "firm": "gmbh ag ltd inc llc plc sarl sas sl srl spa lda ltda bv nv kg ohg co company shop store hotel bank firma empresa "
            "société ditta azienda bedrijf spółka sp team "
    "support service department desk abteilung departamento ufficio dział afdeling praxis restaurant café klinik hospital "
    "school university",
    "fame": "museum museo museu muzeum musée gallery galerie galleria galería galeria exhibition ausstellung sonderausstellung "
    "exposition exposición exposição mostra wystawa wystawę tentoonstelling retrospective theatre theater teatro teatr théâtre "
    "airport flughafen aeropuerto aéroport aeroporto lotnisko vliegveld station bahnhof estación gare estação stazione prize "
    "preis premio prix prémio nagroda prijs award statue denkmal estatua estátua statua pomnik standbeeld concert konzert "
    "concierto concerto koncert biography biografie biografía biographie biografia biografii opera ópera opéra musical "
    "novel novela romance romanzo powieść page seite página pagina stronie bladzijde collège lycée liceo liceum colegio colégio "
    "escola scuola szkoła foundation stiftung fundación fondation fundação fondazione fundacja library bibliothek biblioteca "
    "bibliothèque biblioteka bibliotheek",
    "way": "street road avenue lane straße strasse platz weg allee calle plaza avenida paseo rue place boulevard chemin via "
           "piazza corso viale rua praça alameda ulica ulicy ul al "
    "plac osiedle aleja straat laan plein gracht kade",
    "thing": "model size colour color brand product bag shoes boots dress jacket coat lamp sofa watch perfume phone printer app "
             "version modell größe farbe marke tasche schuhe "
    "kleid jacke modelo talla marca bolso zapatos vestido modèle taille marque sac chaussures robe modello taglia borsa scarpe "
    "tamanho mala sapatos rozmiar marka torebka buty "
    "sukienka maat merk tas schoenen jurk "
    "table chair bed bookcase wardrobe greenhouse cot pram tisch stuhl sessel lampe regal gewächshaus schrank puppe "
    "bluse mesa lámpara silla sofá cama estantería blusa lampe chaise canapé lit étagère fauteuil blouse candeeiro luminária "
    "cadeira estante poltrona tavolo lampada sedia divano letto libreria camicetta stół krzesło łóżko regał fotel szafa lampa "
    "bluzka tafel stoel boekenkast fauteuil book film buch libro livre livro książka boek",
}  # fmt: skip
_SHORT = frozenset(
    [
        "in",
        "up",
        "on",
        "to",
        "out",
        "off",
        "by",
        "ins",
        "le",
        "la",
        "les",
        "me",
        "te",
        "se",
        "lo",
        "as",
        "os",
        "nos",
        "da",
        "de",
        "das",
        "im",
        "am",
        "an",
        "ab",
        "en",
        "et",
        "it",
        "is",
        "ok",
        "one",
        "mit",
    ]
)
_CLASS_OF = {word: name for name, words in _CLASSES.items() for word in words.split()}


@dataclass(frozen=True)
class Word:
    """A word with what the tagger asks about it. `own` are hashes of its letters, `flags` what the lists say."""

    lower: str
    flags: int
    shape: str
    known: int
    kind: int
    kind_name: str
    own: tuple[int, ...]

    @cached_property
    def rank(self) -> int:
        """How common a word this is in the language where it is commonest, 0 to 3."""
        return max(self.flags >> 2 * place & 3 for place in range(8))

    @cached_property
    def first(self) -> int:
        """How common a first name this is, 0 to 3."""
        return self.flags >> FIRST_AT & 3

    @cached_property
    def last(self) -> int:
        """How common a surname this is, 0 to 3."""
        return self.flags >> LAST_AT & 3

    @cached_property
    def dull(self) -> bool:
        """Whether it is no part of a name wherever it stands: a number, a greeting, a common word in small letters."""
        if self.kind_name in NEVER or self.shape not in "TUIMl":
            return True
        known = self.first > 1 or self.last > 1
        return self.shape == "l" and self.lower not in PARTICLES and (len(self.lower) < 2 or (self.rank > 1 and not known))

    @cached_property
    def votes(self) -> int:
        """How much it speaks for each of the languages, 16 bits each: messages have some ten thousand characters at most."""
        return sum((0, 1, 3, 6)[self.flags >> 2 * place & 3] << 16 * place for place in range(8))

    @cached_property
    def looks(self) -> tuple[int, ...]:
        """Shape and what the lists say, seen from each language, and last from none."""
        shape = (self.flags >> 20 & 1) + 2 * ((self.lower in PARTICLES) + 2 * SHAPES.index(self.shape))
        known = 4 * (self.first + 4 * (self.last + 4 * shape))
        return tuple(7919 * (1 + (self.flags >> 2 * place & 3 if place < 8 else self.rank) + known) for place in range(9))


@cache
def model() -> dict[str, Array]:
    """The word lists and the weights, read once."""
    with resources.files("tailorbird.privacy").joinpath("names.npz").open("rb") as file, np.load(file) as stored:
        arrays = {name: stored[name] for name in stored.files}
    arrays["hashes"] = np.cumsum(arrays["hashes"], dtype=np.uint32)
    return arrays


def hashed(text: str, start: int = 0) -> int:
    """A stable 32-bit hash."""
    return zlib.crc32(text.encode("utf-8", "surrogatepass"), start)


def plain(word: str) -> str:
    """Without accents: josé and jose, łukasz and lukasz."""
    if word.isascii():
        return word
    bare = unicodedata.normalize("NFD", word.replace("ł", "l").replace("ø", "o").replace("ß", "ss"))
    return "".join(c for c in bare if not unicodedata.combining(c))


@lru_cache(maxsize=100_000)
def flags_of(lower: str) -> int:
    """The lists' flags of a word in small letters; 0 for an unknown one."""
    stored = model()
    hashes, key = stored["hashes"], hashed(lower)
    place = int(hashes.searchsorted(np.uint32(key)))
    return int(stored["flags"][place]) if place < len(hashes) and int(hashes[place]) == key else 0


def shape_of(word: str) -> str:
    """l(ower), T(itle), U(pper), I(nitial), M(ixed), N(umber), X (an address or placeholder)."""
    if not word[0].isalnum() or "@" in word or ("/" in word and ":" in word) or word[:4].lower() == "www.":
        return "X"
    if any(c.isdigit() for c in word):
        return "N"
    if word.islower():
        return "l"
    if len(word) == 1:
        return "I"
    if word.isupper():
        return "U"
    parts = re.split(r"[-'’´]", word)
    return "T" if word[0].isupper() and all(_is_title(part) for part in parts) else "M"


def _is_title(part: str) -> bool:
    """Kowalska, the ji of Eun-ji, McGregor; not the in of Check-in."""
    if part[:1].islower():
        return len(part) < 4 and part not in _SHORT
    return part[1:].islower() or len(part) < 2 or bool(re.match(r"(?:Mc|Mac|De|Di|La|Le|Van|O)[A-Z]", part))


@lru_cache(maxsize=50_000)
def describe(word: str) -> Word:
    """All that the tagger asks about a word, however often it is asked."""
    lower, shape = word.lower(), shape_of(word)
    if shape in "NX":
        known = hashed(shape)
        return Word(lower, 0, shape, known, hashed(shape), shape, (known,))
    flags = flags_of(lower) or _of_parts(lower)
    kind_name = _CLASS_OF.get(lower.replace("’", "'"), "")
    common = max(flags >> 2 * i & 3 for i in range(8)) >= 2 or kind_name
    known = hashed(lower) if common else hashed("?" + lower[-3:])
    padded = f"^{plain(lower)[:20]}$"
    own = {hashed("3" + padded[i : i + 3]) for i in range(len(padded) - 2)} | {hashed("4" + padded[-i:]) for i in (3, 4, 5)}
    own |= {hashed("p" + padded[:i]) for i in (3, 4)} | {hashed(f"n{min(len(word), 12)}")}
    if flags & 0xFFFF:
        own.add(hashed("w" + lower))
    return Word(lower, flags, shape, known, hashed("c" + kind_name) if kind_name else 0, kind_name, tuple(own))


def _of_parts(lower: str) -> int:
    """Flags of a word that is only known without accents, without a genitive s, or by the parts that a hyphen joins."""
    bare = plain(lower)
    if bare != lower and (found := flags_of(bare)):
        return found
    parts = [part for part in re.split(r"[-'’´]", lower) if part]
    if len(parts) > 1:
        if parts[-1] == "s":
            return flags_of("".join(lower[:-2]))
        known = [flags_of(part) or flags_of(plain(part)) for part in parts]
        names = [f for f in known if f >> FIRST_AT & 15]
        whole = len(names) + sum(part in PARTICLES for part in parts) >= len(parts)
        return max(names, key=lambda f: f >> FIRST_AT & 15) & (15 << FIRST_AT) if names and whole else 0
    return 0
