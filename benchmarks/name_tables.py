"""Months, names that are words too, trades, streets, things named after people, and labels of forms, by language."""

from __future__ import annotations

MONTHS = {
    "en": "January February March April May June July August September October November December",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "pt": "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "pl": "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia",
    "nl": "januari februari maart april mei juni juli augustus september oktober november december",
}
DAYS = {
    "en": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
    "de": "Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag",
    "es": "lunes martes miércoles jueves viernes sábado domingo",
    "fr": "lundi mardi mercredi jeudi vendredi samedi dimanche",
    "pt": "segunda terça quarta quinta sexta sábado domingo",
    "it": "lunedì martedì mercoledì giovedì venerdì sabato domenica",
    "pl": "poniedziałek wtorek środę czwartek piątek sobotę niedzielę",
    "nl": "maandag dinsdag woensdag donderdag vrijdag zaterdag zondag",
}
# Names that are words too: they must be learned from what stands around them.
AMBIGUOUS = {
    "en": "Will Mark Rose Grace Faith Hope Joy May June April August Bill Rob Pat Sue Jack Frank Art Dawn Drew Chip Grant Ray "
    "Dale Glen Cliff Iris Ivy Ruby Amber Jade Summer Autumn Robin Jay Penny Ginger Olive Daisy Lily Violet Heather Holly "
    "Sandy Dean Guy Earl Duke Miles Chase Hunter Mason Carter Page Brook Christian Angel Jasmine Crystal Destiny Mercy "
    "Charity Precious Blessing Gift Sunny Happy King Prince Young Long Brown Green White Black Small Short Cook Baker "
    "Price Rich Love Bird Fox Wolf Stone Wood Field Hill Bush Waters Rivers Banks Day Knight Bishop Pope Major",
    "de": "Kaiser König Bäcker Koch Jung Klein Lang Groß Sommer Winter Engel Stein Wolf Fuchs Vogel Rose Rosa Viola Jasmin "
    "Sonne Ernst Horst Gerade Wolke Heide Linde Erika Iris Melissa Frank Christian Roman Kraus Schwarz Weiß Braun Grün "
    "Roth Kurz Sauer Herzog Graf Ritter Richter Schneider Müller Schmied Becker Wagner Weber Zimmermann Fischer Jäger "
    "Schäfer Berg Busch Blum Baum Beer Reich Arm Freitag Sonntag März",
    "es": "Sol Luz Paz Mar Rosa Pilar Dolores Mercedes Consuelo Esperanza Gloria Nieves Cruz Ángel Jesús Concepción Rosario "
    "Socorro Alba Luna Estrella Remedios Soledad Blanca Iris Rocío Salvador Domingo León Abril Victoria Rubio Moreno "
    "Delgado Calvo Bravo Leal Rey Reina Herrero Zapatero Guerra Iglesias Campos Flores Prado Ríos Cabello Blanco",
    "fr": "Rose Pascal Grâce Colin Martin Marguerite Violette Clémence Prudence Olive Aimé Désiré Noël Blanche Claire Constant "
    "Parfait Juste Loup Pierre Ange Céleste Fleur Iris Jade Avril Petit Grand Blanc Noir Roux Boulanger Berger Leroy "
    "Moulin Fontaine Marchand Lebon Lejeune Legrand Ravel Rivière Dupont Lesage Marin",
    "pt": "Rosa Luz Sol Graça Paz Esperança Salvador Cruz Leite Coelho Carneiro Pinto Pereira Oliveira Silva Campos Reis Rocha "
    "Ribeiro Ferreira Ramos Aurora Estrela Glória Conceição Vitória Branco Preto Bravo Rico Bento Machado Leão Lobo "
    "Cordeiro Moreira Nogueira Sales Jardim Pires Anjos Lima Serra Amado Celeste Íris",
    "it": "Sole Rosa Gioia Luna Gemma Perla Grazia Pace Viola Angelo Fortuna Aurora Alba Stella Bianca Chiara Serena Celeste "
    "Felice Vittoria Gloria Speranza Libero Primo Sergio Leone Gatto Grasso Costa Conti Fontana Monti Villa Chiesa "
    "Ferrari Bianchi Rossi Neri Verdi Bruno Marino Fiore Romano Greco Basso Allegra Innocenti",
    "pl": "Róża Kuba Maja Nadzieja Malina Jagoda Kalina Zając Wróbel Kot Gołąb Baran Król Mazur Maj Bąk Lis Wilk Sowa Sikora "
    "Kowal Młynarz Kos Żak Szczęsny Iskra Zima Mróz Wrona Duda Kozioł Góra Las Rzepka Kapusta Groch Mucha Pająk Krawiec "
    "Sołtys Wójcik Pola Gloria Wiktoria",
    "nl": "Roos Fleur Bloem Mei Koning Bakker Visser Smit Kuiper Mulder Vos Wolf Berg Bos Veld Winter Zomer Sterre Storm Wolf "
    "Jong Kok Schouten Prins Hertog Kaiser Groen Wit Zwart Bruin Post Dam Dijk Schilder Timmerman Slager Linde Iris "
    "Jasmijn Lente Vrede Faith Hope Bloemen",
}
TRADES = {
    "en": "Bakery,Motors,Dental,Solicitors,Carpentry,Roofing,Logistics,Kitchens,Estate "
    "Agents,Garage,Coffee,Florists,Plumbing,Consulting,Books",
    "de": "Bäckerei,Autohaus,Immobilien,Haustechnik,Logistik,Apotheke,Gärtnerei,Elektro,Dachbau,Möbel,Kanzlei,Metzgerei",
    "es": "Talleres,Muebles,Panadería,Clínica,Asesores,Farmacia,Transportes,Bodegas,Hermanos,Ferretería",
    "fr": "Garage,Boulangerie,Pharmacie,Cabinet,Transports,Menuiserie,Fleurs,Maison,Plomberie,Traiteur",
    "pt": "Padaria,Oficina,Clínica,Farmácia,Transportes,Construções,Café,Móveis,Advogados,Irmãos",
    "it": "Officine,Panificio,Farmacia,Trasporti,Mobili,Studio,Pizzeria,Ferramenta,Fratelli,Arredi",
    "pl": "Piekarnia,Apteka,Transport,Meble,Kancelaria,Serwis,Ogrody,Bracia,Hotel,Auto",
    "nl": "Bakkerij,Garage,Apotheek,Transport,Meubelen,Advocaten,Bloemen,Bouw,Gebroeders,Installatie",
}
CITY_TAIL = {
    "en": "Leeds LS6 2AB",
    "de": "50667 Köln",
    "es": "28004 Madrid",
    "fr": "69003 Lyon",
    "pt": "1200-109 Lisboa",
    "it": "20121 Milano",
    "pl": "00-950 Warszawa",
    "nl": "1017 AB Amsterdam",
}
STREET = {
    "en": "{n} {s} Road",
    "de": "{s}straße {n}",
    "es": "Calle {s} {n}",
    "fr": "{n} rue {s}",
    "pt": "Rua {s} {n}",
    "it": "Via {s} {n}",
    "pl": "ul. {s} {n}",
    "nl": "{s}straat {n}",
}

# Things that are named after people: {f} a first name, {s} a surname, {p} a whole name, {g} one in Polish genitive. Nobody is
# meant by them.
NAMED_THINGS = {
    "en": "Storm {f};Hurricane {f};{s} Street;{s} Avenue;{s} Road;{s} Lane;{f} {s} Airport;{f} {s} School;{s} syndrome;"
    "{s}'s disease;MV {f} {s};{s} Stadium;the {f} sofa;the {f} dress;{s} Park;{s} House;{s} Award;Lake {s};Port {s};"
    "the {f} collection;{s} Ward;Cape {s};Mount {s};{s} Prize;{s} Bridge;Fort {s};Team {s};{s} Arena;St {f}'s;St. {f} Hospital;"
    "the {f} chatbot;{s} Vets;{s} Motors;{s} Hall;{s} Library;{s} Close;{s} Building;{f}'s Diner;{f}'s;Hotel {f};The {f} Suite;"
    "{s} Theatre;{s} Square;Room {s};{s} Museum;Camp {s};{s} & Co;{s} United;{s} Bank;{s} Insurance;{s} Airlines;{s} County;"
    "{s} Valley;{s} Beach;{s} Medical Centre;the {s} scale;the {f} lamp;Saint {f};{f} {s} Foundation;{s} University"
    ";the {p} House;the {p} Museum;{p} Gallery;the {p} Centre;the {p} exhibition;{p} Theatre;the {p} Prize;{p} Intern"
    "ational Airport;{p} Station;{p} Primary School;{s} High School;the {p} biography;{p}'s birthplace;the {p} statue"
    ";the {s} exhibition;the {p} Library;{p} Concert Hall;the {s} Collection;the {f} greenhouse;the {f} lamp;the {f} "
    "table;{s} Medal",
    "de": "Sturm {f};Orkan {f};{s}straße;{f}-{s}-Straße;{f}-{s}-Schule;{s}-Syndrom;Morbus {s};MS {f};{s}-Preis;Haus {f};"
    "Villa {s};Kleid {f};Sofa {f};Regal {f};St.-{f}-Krankenhaus;Klinik {s};{s}platz;{s}-Arena;Hotel {f};Gasthof {s};{s}weg;"
    "{s}-Gymnasium;{s}-Stiftung;Autohaus {s};Praxis {s};Bäckerei {s};Sankt {f};{s}hof;{s}-Halle;Pension {f};Brauerei {s};"
    "Schloss {s};Burg {s};{s}-Museum;{s}allee;Café {f};Modell {f};Kollektion {f};Tief {f};Hoch {f};Apotheke {s}"
    ";das {p}-Haus;das {p} Museum;{p}-Museum;Ausstellung {p};die {p}-Ausstellung;Sonderausstellung zu {p};Theater {p}"
    ";Flughafen {p};Bahnhof {p};{p}-Grundschule;die {p}-Biografie;Geburtshaus von {p};Denkmal für {p};{s}-Ausstellung"
    ";Saal {p};Stadthalle {s};Tisch {f};Lampe {f};Stuhl {f};Gewächshaus {f};Puppe {f};{p}-Gesamtschule;{s}-Haus;Bibli"
    "othek {p}",
    "es": "calle {s};avenida {f} {s};plaza de {s};borrasca {f};huracán {f};colegio {f} {s};hospital San {f};síndrome de {s};"
    "enfermedad de {s};premio {s};estadio {f} {s};hotel {f};modelo {f};vestido {f};sofá {f};residencia {s};clínica {s};"
    "Bodegas {s};Casa {f};Bar {s};playa de {s};Santa {f};ferry {f} {s};aeropuerto {f} {s};Talleres {s};queso {s};colección {f}"
    ";museo {p};casa de {p};casa museo {p};exposición de {p};exposición sobre {p};teatro {p};premio {p};aeropuerto {p"
    "};estación {p};colegio {p};instituto {p};biografía de {p};estatua de {p};biblioteca {p};auditorio {p};fundación "
    "{p};mesa {f};lámpara {f};silla {f};sala {s};galería {s};museo {s};parque {p}",
    "fr": "rue {f} {s};avenue {s};place {s};tempête {f};cyclone {f};lycée {f} {s};hôpital {s};syndrome de {s};maladie de {s};"
    "prix {s};stade {f} {s};hôtel {f};modèle {f};robe {f};canapé {f};résidence {s};clinique {s};Domaine {s};Chez {f};"
    "boulangerie {s};Saint-{f};Sainte-{f};aéroport {f} {s};gare {s};théâtre {s};collection {f};{s} Frères;école {f} {s}"
    ";le musée {p};la maison de {p};la maison {p};l'exposition {p};exposition sur {p};théâtre {p};le prix {p};l'aérop"
    "ort {p};la gare {p};collège {p};école {p};biographie de {p};statue de {p};bibliothèque {p};auditorium {p};fondat"
    "ion {p};table {f};lampe {f};chaise {f};salle {s};galerie {s};musée {s};parc {p};médiathèque {p}",
    "pt": "rua {f} {s};avenida {s};praça {s};tempestade {f};furacão {f};escola {f} {s};hospital São {f};síndrome de {s};"
    "doença de {s};prémio {s};estádio {s};hotel {f};modelo {f};vestido {f};sofá {f};residência {s};clínica {s};Quinta {s};"
    "Casa {f};Café {s};praia de {s};Santa {f};aeroporto {f} {s};Padaria {s};coleção {f};ponte {s};Colégio {s}"
    ";Museu {p};casa de {p};Casa-Museu {p};exposição de {p};exposição sobre {p};Teatro {p};prémio {p};aeroporto {p};e"
    "stação {p};escola {p};Escola Secundária {p};biografia de {p};estátua de {p};biblioteca {p};auditório {p};Fundaçã"
    "o {p};mesa {f};candeeiro {f};cadeira {f};sala {s};galeria {s};Museu {s};parque {p}",
    "it": "via {f} {s};viale {s};piazza {s};corso {f} {s};ciclone {f};tempesta {f};scuola {f} {s};ospedale San {f};"
    "sindrome di {s};morbo di {s};premio {s};stadio {s};hotel {f};modello {f};vestito {f};divano {f};residenza {s};"
    "clinica {s};Cantine {s};Da {f};Trattoria {s};Santa {f};San {f};aeroporto {f} {s};liceo {s};teatro {s};collezione {f}"
    ";museo {p};casa di {p};casa museo {p};mostra di {p};mostra su {p};Teatro {p};premio {p};aeroporto {p};stazione {"
    "p};scuola {p};istituto {p};liceo {p};biografia di {p};statua di {p};biblioteca {p};auditorium {p};fondazione {p}"
    ";tavolo {f};lampada {f};sedia {f};sala {s};galleria {s};museo {s};parco {p};pinacoteca {s}",
    "pl": "ulica {s};aleja {f};plac {s};orkan {f};szkoła {f};szpital św. {f};zespół {s};choroba {s};nagroda {s};stadion {s};"
    "hotel {f};model {f};sukienka {f};sofa {f};klinika {s};Piekarnia {s};U {f};Restauracja {s};Święta {f};lotnisko {s};"
    "liceum {s};teatr {s};kolekcja {f};Dom {s};osiedle {s};statek {f};most {s}"
    ";muzeum {g};dom {g};Muzeum {g};wystawa {g};wystawa o {g};teatr {g};Teatr im. {g};nagroda {g};lotnisko {g};Lotnis"
    "ko im. {g};szkoła im. {g};liceum im. {g};biografia {g};pomnik {g};biblioteka im. {g};filharmonia im. {g};fundacj"
    "a {p};stół {f};lampa {f};krzesło {f};ulica {g};plac {g};aleja {g};park {g};galeria {s};muzeum {s};konkurs im. {g"
    "}",
    "nl": "{s}straat;{s}laan;{f} {s}plein;{s}kade;storm {f};orkaan {f};{s} College;ziekenhuis Sint {f};syndroom van {s};"
    "ziekte van {s};{s}prijs;stadion {s};hotel {f};model {f};jurk {f};bank {f};kliniek {s};Bakkerij {s};Bij {f};Café {s};"
    "Sint {f};vliegveld {s};theater {s};collectie {f};Huize {f};camping {s};ms {f};{s}brug;{f} {s}school"
    ";het {p} Huis;het {p}huis;museum {p};{p} Museum;huis van {p};tentoonstelling over {p};de {s}-tentoonstelling;The"
    "ater {p};de {p}-prijs;vliegveld {p};station {p};{p}school;{p} College;biografie van {p};standbeeld van {p};bibli"
    "otheek {p};concertzaal {s};stichting {p};tafel {f};lamp {f};stoel {f};zaal {s};galerie {s};museum {s};het {s} Mu"
    "seum;{p}plein",
}
# Labels of forms and headers. Before the bar those behind which somebody is named, after it those with anything else.
LABELS = {
    "en": "Name,Full name,Customer,Contact,Passenger,Patient,Guest,Insured,Driver,Reported by,Requester,Assigned to,Agent,"
    "Employee,Tenant,Cardholder,Payee,Recipient,Student,Signed,Signature,User,Attendee,Owner,Caller,Beneficiary,Lead passenger|"
    "Order,Product,Model,Item,Colour,Size,Subject,Status,Room,Plan,Department,City,Country,Priority,Category,Issue,Device,"
    "Version,Store,Courier,Insurer,Bank,Company,Brand,Vehicle,Make,Breed,Destination,Hotel,Ship,Event,Error,Service,Host,Diagnosis",
    "de": "Name,Kunde,Kundin,Ansprechpartner,Fahrgast,Patient,Patientin,Gast,Versicherter,Fahrer,Gemeldet von,Bearbeiter,"
    "Mitarbeiter,Mieter,Kontoinhaber,Empfänger,Schüler,Unterschrift,Benutzer,Teilnehmer,Halter,Anrufer,Vor- und Nachname|"
    "Bestellung,Produkt,Modell,Artikel,Farbe,Größe,Betreff,Status,Zimmer,Tarif,Abteilung,Ort,Land,Priorität,Kategorie,Problem,"
    "Gerät,Version,Filiale,Versand,Versicherung,Bank,Firma,Marke,Fahrzeug,Rasse,Ziel,Hotel,Schiff,Fehler,Dienst,Diagnose",
    "es": "Nombre,Nombre completo,Cliente,Contacto,Pasajero,Paciente,Huésped,Asegurado,Conductor,Solicitante,Asignado a,Agente,"
    "Empleado,Inquilino,Titular,Destinatario,Alumno,Firma,Usuario,Asistente,Propietario,Nombre y apellidos|Pedido,Producto,"
    "Modelo,Artículo,Color,Talla,Asunto,Estado,Habitación,Plan,Departamento,Ciudad,País,Prioridad,Categoría,Problema,"
    "Dispositivo,Versión,Tienda,Envío,Aseguradora,Banco,Empresa,Marca,Vehículo,Raza,Destino,Hotel,Barco,Error,Diagnóstico",
    "fr": "Nom,Nom complet,Client,Contact,Passager,Patient,Assuré,Conducteur,Demandeur,Attribué à,Agent,Salarié,Locataire,"
    "Titulaire,Destinataire,Élève,Signature,Utilisateur,Participant,Propriétaire,Nom et prénom|Commande,Produit,Modèle,Article,"
    "Couleur,Taille,Objet,Statut,Chambre,Forfait,Service,Ville,Pays,Priorité,Catégorie,Problème,Appareil,Version,Magasin,"
    "Transporteur,Assureur,Banque,Société,Marque,Véhicule,Race,Destination,Hôtel,Bateau,Erreur,Diagnostic",
    "pt": "Nome,Nome completo,Cliente,Contacto,Contato,Passageiro,Paciente,Utente,Hóspede,Segurado,Condutor,Requerente,"
    "Atribuído a,Agente,Funcionário,Inquilino,Titular,Destinatário,Aluno,Assinatura,Utilizador,Participante,Proprietário|"
    "Encomenda,Pedido,Produto,Modelo,Artigo,Cor,Tamanho,Assunto,Estado,Quarto,Plano,Departamento,Cidade,País,Prioridade,"
    "Categoria,Problema,Equipamento,Versão,Loja,Seguradora,Banco,Empresa,Marca,Veículo,Raça,Destino,Hotel,Navio,Erro,Diagnóstico",
    "it": "Nome,Nome e cognome,Cliente,Contatto,Passeggero,Paziente,Ospite,Assicurato,Conducente,Richiedente,Assegnato a,"
    "Operatore,Dipendente,Inquilino,Intestatario,Destinatario,Alunno,Firma,Utente,Partecipante,Proprietario|Ordine,Prodotto,"
    "Modello,Articolo,Colore,Taglia,Oggetto,Stato,Camera,Piano,Reparto,Città,Paese,Priorità,Categoria,Problema,Dispositivo,"
    "Versione,Negozio,Corriere,Assicurazione,Banca,Azienda,Marca,Veicolo,Razza,Destinazione,Hotel,Nave,Errore,Diagnosi",
    "pl": "Imię i nazwisko,Klient,Klientka,Kontakt,Pasażer,Pacjent,Pacjentka,Gość,Ubezpieczony,Kierowca,Zgłaszający,"
    "Przypisano do,"
    "Konsultant,Pracownik,Najemca,Posiadacz,Odbiorca,Uczeń,Podpis,Użytkownik,Uczestnik,Właściciel|Zamówienie,Produkt,Model,"
    "Artykuł,Kolor,Rozmiar,Temat,Status,Pokój,Plan,Dział,Miasto,Kraj,Priorytet,Kategoria,Problem,Urządzenie,Wersja,Sklep,"
    "Kurier,Ubezpieczyciel,Bank,Firma,Marka,Pojazd,Rasa,Cel,Hotel,Statek,Błąd,Usługa,Rozpoznanie",
    "nl": "Naam,Volledige naam,Klant,Contact,Contactpersoon,Passagier,Patiënt,Gast,Verzekerde,Bestuurder,Aanvrager,"
    "Toegewezen aan,Medewerker,Werknemer,Huurder,Rekeninghouder,Ontvanger,Leerling,Handtekening,Gebruiker,Deelnemer,Eigenaar|"
    "Bestelling,Product,Model,Artikel,Kleur,Maat,Onderwerp,Status,Kamer,Abonnement,Afdeling,Plaats,Land,Prioriteit,Categorie,"
    "Probleem,Apparaat,Versie,Winkel,Vervoerder,Verzekeraar,Bank,Bedrijf,Merk,Voertuig,Ras,Bestemming,Hotel,Schip,Fout,Diagnose",
}
# Who speaks in the transcript of a chat: the desk, then the customer.
SPEAKERS = {
    "en": "Agent,Support,Operator,Bot,Advisor,Desk,System;Customer,Client,User,Guest,Visitor,Caller",
    "de": "Agent,Support,Mitarbeiter,Bot,Berater,System;Kunde,Kundin,Nutzer,Gast,Anrufer",
    "es": "Agente,Soporte,Operadora,Bot,Asesor,Sistema;Cliente,Usuario,Clienta,Visitante",
    "fr": "Agent,Support,Conseiller,Bot,Conseillère,Système;Client,Cliente,Utilisateur,Visiteur",
    "pt": "Agente,Suporte,Operador,Bot,Assistente,Sistema;Cliente,Utilizador,Usuário,Visitante",
    "it": "Operatore,Assistenza,Operatrice,Bot,Agente,Sistema;Cliente,Utente,Visitatore",
    "pl": "Konsultant,Konsultantka,Wsparcie,Bot,Agent,System;Klient,Klientka,Użytkownik,Gość",
    "nl": "Medewerker,Agent,Support,Bot,Adviseur,Systeem;Klant,Gebruiker,Gast,Bezoeker",
}
# What an agent says with the customer's name, in words before and after it.
CALLED = {
    "en": "Thanks for waiting, |.;Hi |, how can I help?;Of course, |, one moment.;Can I call you |?;Is that |?;Thank you |!",
    "de": "Danke fürs Warten, |.;Hallo |, wie kann ich helfen?;Gerne, |, einen Moment.;Spreche ich mit |?;Vielen Dank, |!",
    "es": "Gracias por esperar, |.;Hola |, ¿en qué puedo ayudarle?;Claro, |, un momento.;¿Hablo con |?;¡Gracias, |!",
    "fr": "Merci d'avoir patienté, |.;Bonjour |, comment puis-je aider ?;Bien sûr, |, un instant.;Je parle bien à | ?;Merci | !",
    "pt": "Obrigado por aguardar, |.;Olá |, em que posso ajudar?;Claro, |, um momento.;Falo com |?;Obrigada, |!",
    "it": "Grazie per l'attesa, |.;Buongiorno |, come posso aiutarla?;Certo, |, un attimo.;Parlo con |?;Grazie |!",
    "pl": "Dziękuję za cierpliwość, |.;Dzień dobry |, w czym mogę pomóc?;Oczywiście, |, chwileczkę.;Czy rozmawiam z |?;Dzięki |!",
    "nl": "Bedankt voor het wachten, |.;Hallo |, hoe kan ik helpen?;Natuurlijk, |, een moment.;Spreek ik met |?;Dank je |!",
}
# How a desk asks for the customer's name.
ASKED = {
    "en": "Who am I speaking with?;May I have your name?;And your name, please?;What name is it under?;Your full name?",
    "de": "Mit wem spreche ich?;Wie ist Ihr Name?;Und Ihr Name bitte?;Auf welchen Namen?;Wie heißen Sie?",
    "es": "¿Con quién hablo?;¿Cómo se llama?;¿Su nombre, por favor?;¿A nombre de quién?;¿Me dice su nombre completo?",
    "fr": "À qui ai-je l'honneur ?;Quel est votre nom ?;Votre nom, s'il vous plaît ?;C'est à quel nom ?;Vous êtes ?",
    "pt": "Com quem falo?;Qual é o seu nome?;O seu nome, por favor?;Em nome de quem?;Pode dizer-me o nome completo?",
    "it": "Con chi parlo?;Come si chiama?;Il suo nome, per favore?;A nome di chi?;Mi dice nome e cognome?",
    "pl": "Z kim rozmawiam?;Jak się Pani nazywa?;Poproszę imię i nazwisko?;Na jakie nazwisko?;Pana nazwisko?",
    "nl": "Met wie spreek ik?;Wat is uw naam?;En uw naam graag?;Op welke naam?;Hoe heet u?",
}
HEADERS = {
    "en": "From,To,Cc,Sent,Subject,On | wrote:", "de": "Von,An,Cc,Gesendet,Betreff,Am schrieb |:",
    "es": "De,Para,Cc,Enviado,Asunto,El lunes | escribió:", "fr": "De,À,Cc,Envoyé,Objet,Le lundi | a écrit :",
    "pt": "De,Para,Cc,Enviado,Assunto,Em segunda | escreveu:", "it": "Da,A,Cc,Inviato,Oggetto,Lunedì | ha scritto:",
    "pl": "Od,Do,DW,Wysłano,Temat,W poniedziałek | pisze:", "nl": "Van,Aan,Cc,Verzonden,Onderwerp,Op maandag schreef |:",
}  # fmt: skip
PARTICLES_OF = {
    "nl": "van der,van de,van den,van,de,ter,ten,van 't,den", "de": "von,zu,von der,van", "fr": "de,du,de la,le,d'",
    "es": "de la,de,del,de los", "it": "Di,De,Del,Della,Lo,La,D'", "pt": "dos,da,do,de,e,das", "en": "van,de,O',Mc,von,St",
    "pl": "von,de,van",
}  # fmt: skip
