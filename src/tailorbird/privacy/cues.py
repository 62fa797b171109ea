"""Words that say what the number beside them is, in eight languages; the nearest one decides.

"My passport is X4817263" and "order X4817263" hold the same characters: only the words around tell them apart. OTHER stands
for everything that is nobody's personal data: orders, invoices, parcels, versions, products, companies' tax numbers.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
from functools import cached_property, lru_cache

_WORD = re.compile(r"[^\W\d_]+(?:['’´][^\W\d_]+)*", re.UNICODE)
_FAR = 60
# These say that it is a phone unless a word before them says what number it is.
_NUMBER = frozenset(["number", "numbers", "no", "numéro", "número", "numero", "numer", "nummer", "nr"])
# Words that mean something else after these: national insurance, customer account, gift card.
_AFTER = {
    "order": ({"standing"}, "BANK_ACCOUNT"),
    "insurance": ({"national", "social"}, "NATIONAL_ID"),
    "account": ({"customer", "client", "user", "my", "loyalty"}, "OTHER"),
    "card": (
        {"gift", "loyalty", "club", "sim", "member", "membership", "library", "points", "id", "identity", "fidelity", "store"},
        "OTHER",
    ),
    "license": ({"driver's", "drivers", "driver", "driving"}, "NATIONAL_ID"),
    "licence": ({"driver's", "drivers", "driver", "driving"}, "NATIONAL_ID"),
    "karte": ({"sim"}, "OTHER"),
    "number": ({"order", "customer", "model", "item"}, "OTHER"),
    "tarjeta": ({"regalo"}, "OTHER"),
    "carte": ({"vitale"}, "NATIONAL_ID"),
    "carta": ({"fedeltà", "identità"}, "OTHER"),
    "kaart": ({"sim"}, "OTHER"),
    "id": (
        {
            "order",
            "user",
            "customer",
            "session",
            "request",
            "account",
            "device",
            "transaction",
            "product",
            "item",
            "ticket",
            "booking",
            "student",
            "employee",
            "staff",
            "member",
            "driver",
            "tenant",
            "player",
            "meeting",
            "zoom",
            "game",
            "merchant",
            "seller",
            "shop",
            "case",
            "reservation",
            "apple",
        },
        "OTHER",
    ),
}
# A cue that stands after the number, or beyond the end of a sentence, counts as if it stood this much farther away.
_BEHIND, _BREAK = 12, 22

# Whole words; those that end in * are the beginnings of words (five letters at least).
_TABLE = {
    "NATIONAL_ID": """
        ssn itin nino ni nin dni nie nif niss nir cni pesel bsn cpf rg dowod dowodu dowodzie dowód aadhaar insee sécu secu tin
        nhs insurance-number national social idnr perso curp rrn nss bilhete cc ausweis* personalausweis* steuerid* steuer
        steueridentif* steuernummer sozialversicherung* rentenversicherung* identifikationsnummer sécurité securite seguridad
        segurança fiscale fiscal fiscaal contribuinte contribuyente cidadão ciudadan* citoyen* tożsamości identit* identyfik*
        identidad* identidade* burgerservice* sofinummer rijksregister* osobist* dowodów tessera sanitaria führerschein*
        rijbewijs* prawa jazdy conducir condução conduire patente permiso permis permesso nationalit*
        identity id-number id-card id-nummer id taxpayer sozialversicherungs* versichertennummer krankenversicherten*
    """,
    "PASSPORT": """
        passport* reisepass* passnummer pasaporte* passeport* passaport* paszport* paspoort* paspoortnummer passnr
    """,
    "BANK_ACCOUNT": """
        account acct acc routing aba checking savings sort-code sortcode sort kontonummer* konto kontonr kto blz bankleitzahl*
        cuenta ccc compte rib guichet banque conto corrente abi cab conta nib agência agencia rachunek rachunku rachunkiem
        konta kontem nrb rekening* bankrekening* bankverbindung* bankkonto* girokonto* transit beneficiary iban
    """,
    "PLATE": """
        plate plates registration reg kennzeichen* nummernschild* matrícula matricula matrículas placa placas plaque plaques
        immatricul* targa targat* tablic* rejestrac* rej kenteken* numberplate* licence-plate car van vehicle truck lorry
        motorbike motorcycle scooter wagen auto autos fahrzeug* pkw lkw coche furgoneta vehículo vehiculo moto voiture
        véhicule vehicule camion camionnette macchina furgone veicolo viatura carro carrinha veículo samochód samochod
        samochodu samochodem pojazd* voertuig* busje bestelwagen aut autem bmw audi toyota ford renault peugeot citroën
        volkswagen golf polo skoda škoda opel vauxhall seat fiat volvo mercedes nissan hyundai kia honda mazda dacia tesla
        parked parking parkplatz geparkt aparcad* estacionad* aparcamiento garé garée stationn* parcheggi* zaparkow* parkeer*
        mietwagen leihwagen dienstwagen firmenwagen ersatzwagen lieferwagen wohnmobil* anhänger rental huurauto leenauto
        leaseauto noleggio camper caravan motorhome trailer taxi minivan minibus cab
        geparkeerd towed abgeschleppt stellplatz* falschpark* kombi parkt parque parkeren parcheggiat*
    """,
    "CARD": """
        card cards visa mastercard amex maestro debit credit karte kreditkarte* creditcard* tarjeta carte cb bancaire carta
        cartão cartao karta kartę karty kartą kaart kaartnummer discover mc kredit crédit crédito credito cvc cvv expiry exp
        american-express betaalpas
    """,
    "PHONE": """
        phone telephone tel mobile cell call ring text whatsapp fax reach telefon* handy* mobil mobilnummer mobilfunk*
        anrufen rufnummer rückruf zurückrufen erreichbar erreichen móvil movil teléfono telefono llamar llámame llamadme
        llámeme llámenme fijo téléphone telephone portable appeler appelez rappeler rappelez joindre joignable cellulare cell
        chiamare chiamatemi telemóvel telemovel ligar ligue liguem telefone contacto contato celular dzwonić zadzwoń dzwonic
        komórk* kom line ligne línea linea linha zadzwonić bellen bel gebeld telefoonnummer mobiel sms llame llamen contact
        contacter
        contattare contattatemi hotline dial
        recapito anruf durchwahl landline mobi telephon*
        zadzwo* oddzwo* dzwoń* dzwon* txt txting texting smsem rufen calling called callback gsm
    """,
    "IP": """
        ip ips ipv logged login log logs connect connection host server firewall whitelist blocked router gateway vpn access
        network dns proxy ping attempts traffic zugriff* anmeldung eingeloggt angemeldet gesperrt server netzwerk verbindung*
        entra bloquead* conexión conexion acceso red servidor connexion connecté accès bloqu* réseau serveur accesso
        tentativ* connessione rete bloccat* acesso ligação sessão rede logowani* zalogow* połączeni* dostęp* serwer sieć
        adresu ingelogd inlog* verbinding netwerk geblokkeerd geblok* toegang zablokowan* adres adresse adresse dirección
        indirizzo endereço range subnet ddos request requests origin client-ip
    """,
    "VERSION": """
        version versions release build firmware driver upgrade upgraded update updated downgrade patch app ios android
        versión version versione versão wersja wersji wersję versie treiber sterownik* aktualisier* aktualizac* actualiz*
        aggiorn* atualiz* mise-à-jour pilote controlador bijgewerkt software windows macos plugin section abschnitt chapter
        kapitel
    """,
    "OTHER": """
        order orders invoice ticket tickets case reference ref refs tracking parcel shipment package booking reservation
        confirmation customer client serial model part sku article item items product po voucher gift coupon promo loyalty
        membership member policy claim contract quote barcode ean isbn imei lot batch flight train room error transaction
        receipt meter quotation listing job delivery consignment waybill awb hs tariff bill points points-card purchase
        listing subscription complaint vat company nip regon krs nipc siret siren tva btw kvk iva ein cnpj hrb ustid
        partita umsatzsteuer* handelsregister* cif prescription insurance vorgang* bestell* auftrag* rechnung* sendung*
        paket* kundennummer* kunde kunden buchung* serien* artikel* vertrag* zähler* gutschein* geschenk* schaden*
        police* aktenzeichen reklamation* angebot* lieferschein* mitglied* beleg* pedido* factura* seguimiento envío
        envio paquete* reserva* referencia* cliente póliza poliza contrato* albarán presupuesto siniestro incidencia
        expediente socio commande* facture* suivi colis dossier réservation* client contrat* référence* devis sinistre
        série article ordine ordini fattura* spedizion* tracciament* pacco prenotazion* cliente pratica lotto richiesta
        contratto preventivo sinistro polizza matricola codice-ordine encomenda* fatura* rastrei* processo apólice
        referência* zamówieni* zamowieni* faktur* przesył* przesyl* paczk* rezerwac* klient* umow* reklamac* zgłoszeni*
        sprawa sprawy polis* seryjn* partii bestelling* ordernummer* factuur* bon bonnummer pakket* zending* boeking*
        klantnummer* klant dossiernummer melding* offerte* polisnummer track track-and-trace barcode* artikelnummer*
        lotnummer* serienummer* contractnummer* meternummer* lidnummer* vlucht* wagon coach seat-no gate hex colour color
        farbe kleur couleur colore cor kolor size größe talla taille taglia tamanho rozmiar maat isin swift bic
        btw-nummer ust ustidnr idnrust modell* modelo modèle modello model* modelnummer retoure return rma
        promocyj* rabat* kupon* sconto descuento desconto korting* promotion* discount code-promo student matrikel*
        abonnement* zählernummer abholnummer sledování  warranty garantie* garantía garanzia garantia gwaranc*
        fall vorgang* cas caso commit hash checksum md5 sha digest fingerprint etag uuid trace
    """,
}


@dataclass(frozen=True)
class Cue:
    """A word that says what stands near it."""

    kind: str
    start: int
    end: int


@dataclass
class Cues:
    """All cue words of one text, to be asked which is nearest to a number. They are only looked for when asked for."""

    text: str

    @cached_property
    def found(self) -> list[Cue]:
        """The cue words in order."""
        found: list[Cue] = []
        before = ""
        for word in _WORD.finditer(self.text):
            lower, kind = _kind_of(word[0])
            if kind is None:
                near = found and word.start() - found[-1].end < 8
                kind = _own_kind(lower) if near else "PHONE" if len(lower) > 2 else ""
            if lower == "nie" and word[0] != "NIE":
                kind = ""  # Polish for not; the Spanish number is written in capitals
            elif lower == "c" and self.text[max(0, word.start() - 2) : word.start()].lower() in ("a/", "s/"):
                kind = "BANK_ACCOUNT"
            if lower in _AFTER and before in _AFTER[lower][0]:
                kind = _AFTER[lower][1]
            if kind:
                found.append(Cue(kind, word.start(), word.end()))
            before = lower
        return found

    @cached_property
    def _starts(self) -> list[int]:
        return [cue.start for cue in self.found]

    def near(self, start: int, end: int, among: tuple[str, ...] = ()) -> tuple[str, int]:
        """The kind of the nearest cue (of `among`, or of all), and how far away it is; ("", 999) without one."""
        best = ("", 999)
        place = bisect_left(self._starts, start)
        for cue in reversed(self.found[max(0, place - 8) : place]):
            if start - cue.end > _FAR:
                break
            if cue.end <= start and (not among or cue.kind in among):
                best = min(best, (cue.kind, self._away(cue.end, start)), key=lambda pair: pair[1])
        for cue in self.found[place : place + 4]:
            if cue.start >= end and cue.start - end <= _FAR // 2 and (not among or cue.kind in among):
                behind = _BEHIND if cue.kind not in ("OTHER", "VERSION") else 2 * _BEHIND
                best = min(best, (cue.kind, self._away(end, cue.start) + behind), key=lambda pair: pair[1])
        return best

    def has(self, kind: str) -> bool:
        """Whether the text has such a cue anywhere."""
        return any(cue.kind == kind for cue in self.found)

    def _away(self, left: int, right: int) -> int:
        between = self.text[left:right]
        return len(between) + (_BREAK if re.search(r"[.!?;]\s|\n", between) else 0)


@lru_cache(maxsize=50_000)
def _kind_of(word: str) -> tuple[str, str | None]:
    """The word without a French or Italian article, and its kind; None for "number", which depends on the word before."""
    lower = re.sub(r"^[dlnsc]'", "", word.lower().replace("’", "'"))
    return lower, None if lower in _NUMBER else _own_kind(lower)


def _own_kind(word: str) -> str:
    if (kind := _WHOLE.get(word)) is not None:
        return kind
    for length in range(min(len(word), _LONGEST), 4, -1):
        if (kind := _BEGINNINGS.get(word[:length])) is not None:
            return kind
    return ""


def _tables() -> tuple[dict[str, str], dict[str, str]]:
    whole: dict[str, str] = {}
    beginnings: dict[str, str] = {}
    for kind, words in _TABLE.items():
        for word in words.split():
            if word.endswith("*"):
                beginnings.setdefault(word[:-1], kind)
            elif "-" not in word:
                whole.setdefault(word, kind)
    return whole, beginnings


_WHOLE, _BEGINNINGS = _tables()
_LONGEST = max(map(len, _BEGINNINGS))
