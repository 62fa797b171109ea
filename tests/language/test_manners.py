from __future__ import annotations

import pytest

from tailorbird.language.manners import WEIGHTS, parts, politeness, refuses

REFUSALS = """
I'm sorry, but I can't help with that.
As an AI assistant, I cannot answer questions about politics.
Unfortunately we are unable to refund worn items.
I am not able to share another customer's address.
We cannot make an exception for this order.
I won't be able to give you legal advice.
I have to decline this request.
That is not something I can assist you with.
Sorry, a refund is not possible after 30 days.
You wore the dress, so we can't exchange it.
I'm not allowed to discuss other people's orders.
Dabei kann ich Ihnen leider nicht helfen.
Ich kann Ihnen dazu keine Auskunft geben.
Wir können getragene Ware leider nicht zurücknehmen.
Eine Erstattung ist nach 30 Tagen leider nicht möglich.
Ich bin nicht befugt, diese Daten herauszugeben.
Das müssen wir leider ablehnen.
Lo siento, no puedo ayudarle con eso.
Lamentablemente no podemos aceptar esta devolución.
No me es posible compartir datos de otros clientes.
No le puedo dar consejos médicos.
No es posible cancelar el pedido.
Je suis désolé, je ne peux pas vous aider.
Nous ne pouvons malheureusement pas rembourser cet article.
Je ne suis pas en mesure de répondre à cette question.
Il n'est pas possible d'annuler la commande.
Je ne peux pas vous communiquer ces informations.
Lamento, mas não posso ajudar com isso.
Infelizmente não podemos aceitar a devolução.
Não me é possível partilhar dados de outros clientes.
Não consigo dar-lhe essa informação.
""".strip().splitlines()
NO_REFUSALS = """
Of course I can help with that.
I can't wait to see you on Friday!
You cannot wash this jacket in the machine.
I can't find your order, could you send me the number?
If we can't help you by phone, please write to us.
We cannot thank you enough.
I can't tell you how sorry we are.
We cannot send it before Monday, then it will be on its way.
We can't help but smile at your picture.
There is nothing to pay, you can exchange it for free.
We do not deliver on Sundays.
If it is not possible for you to come, let us know.
Gerne helfe ich Ihnen dabei.
Die Jacke kann nicht in der Maschine gewaschen werden.
Ich kann Ihre Bestellung nicht finden, wie lautet die Nummer?
Falls wir Ihnen nicht helfen können, rufen Sie uns an.
Wir können nicht nur umtauschen, sondern auch erstatten.
Wir können das Geld nicht erstatten, bevor das Paket hier ist.
Claro que puedo ayudarle.
No puedo encontrar su pedido, ¿me da el número?
Si no podemos ayudarle por teléfono, escríbanos.
La chaqueta no se puede lavar a máquina.
No podemos devolver el dinero hasta recibir el paquete.
Bien sûr, je peux vous aider.
Je ne trouve pas votre commande, quel est le numéro ?
Si nous ne pouvons pas vous aider par téléphone, écrivez-nous.
La veste ne peut pas être lavée en machine.
Claro que posso ajudar.
Não encontro a sua encomenda, qual é o número?
Se não pudermos ajudar por telefone, escreva-nos.
O casaco não pode ser lavado na máquina.
""".strip().splitlines()
G, T, P, A, C = "greeting", "thanks", "please", "apology", "closing"
POLITE: list[tuple[str, set[str]]] = [
    ("Hello Anna, your parcel is on its way.", {G}),
    ("Dear Mr Okafor, the invoice is attached. Kind regards, the team", {G, C}),
    ("Hi there! Please send us a photo.", {G, P}),
    ("Good morning! We are sorry for the delay.", {G, A}),
    ("Hello Kitty bags are sold out.", set()),
    ("Thank you for your message.", {T}),
    ("We really appreciate your patience.", {T}),
    ("Thanks to the new courier it takes two days.", set()),
    ("Put the thank-you card into the box.", set()),
    ("We aim to please.", set()),
    ("Could you please tell me your order number?", {P}),
    ("We apologise for the inconvenience.", {A}),
    ("Our sincere apologies, this was our mistake.", {A}),
    ("There is no need to apologise.", set()),
    ("Better safe than sorry: take the larger size.", set()),
    ("Let me know if you need anything else.", {C}),
    ("Have a nice day!", {C}),
    ("You're welcome.", {C}),
    ("As regards the invoice, it was sent on Monday.", set()),
    ("We sincerely apologise.", {A}),
    ("Guten Tag Frau Yılmaz, vielen Dank für Ihre Nachricht.", {G, T}),
    ("Sehr geehrte Frau Weber, es tut uns leid.", {G, A}),
    ("Bitte schicken Sie uns ein Foto. Viele Grüße", {P, C}),
    ("Wir bitten um Entschuldigung.", {A}),
    ("Sie müssen sich nicht entschuldigen.", set()),
    ("Dank der neuen Spedition dauert es zwei Tage.", set()),
    ("Melden Sie sich gern, wenn noch etwas ist.", {C}),
    ("Hola, Carmen: gracias por escribirnos.", {G, T}),
    ("Estimada señora: lamentamos mucho el retraso.", {G, A}),
    ("Por favor, envíenos una foto. Un saludo", {P, C}),
    ("Gracias a la nueva mensajería tarda dos días.", set()),
    ("Así no sirve de nada.", set()),
    ("No dude en escribirnos.", {C}),
    ("Bonjour, merci pour votre message.", {G, T}),
    ("Nous sommes désolés. Veuillez nous envoyer une photo.", {A, P}),
    ("Merci de nous envoyer une photo, s'il vous plaît.", {P}),
    ("Chère Madame, le colis part demain. Cordialement", {G, C}),
    ("Ne laissez pas la table à la merci de la pluie.", set()),
    ("Bonne journée !", {C}),
    ("Olá, obrigada pela sua mensagem.", {G, T}),
    ("Pedimos desculpa pelo atraso.", {A}),
    ("Por favor, envie-nos uma fotografia. Com os melhores cumprimentos", {P, C}),
    ("Bom dia, a encomenda chega amanhã.", {G}),
    ("Não precisa de pedir desculpa.", set()),
    ("The shop opens at nine.", set()),
    ("Das Geschäft öffnet um neun.", set()),
    ("La tienda abre a las nueve.", set()),
    ("Le magasin ouvre à neuf heures.", set()),
]

LETTERS = {"G": G, "T": T, "P": P, "A": A, "C": C, "R": "refusal"}
# Answers that were written to test frozen rules; then they served to improve them.
SEEN = """
- G P|Hey Sam, could you resend the photo please? The first one came through blank.
R|Selling gift cards back is something we never do, so the answer has to be no.
- T|We're so grateful you told us about the typo on the menu.
R A|Apologies, I'm not qualified to give medical advice, and I won't guess.
- C|Your table for four is confirmed for Saturday at seven. Look forward to welcoming you!
R|As much as I'd like to, I can't offer you free shipping on this order.
- |The cannot-be-missed sale starts on Monday.
- A T|I regret the confusion about the opening hours and thank you for pointing it out.
R|We're not able to take that back since the seal is broken.
- G C|Good day Mr Zhang, the second payment was returned this morning. Yours faithfully, Accounts
- |I can't see the crack in the photo, is it near the handle?
R P|I can't discuss that account with you; please ask the account holder to write to us.
- P C|Bring the receipt when you come in, please. See you on Friday!
R|I'm only here to talk about our products, so I'll leave that one.
- |You won't be charged a second time.
- |We won't send you any advertising.
- G T P C|Grüß Gott Frau Tran, danke für Ihre Geduld. Bitte unterschreiben Sie den Beleg. Herzliche Grüße aus Passau
R|Medizinische Ratschläge gebe ich nicht.
- A|Verzeihen Sie die Verspätung, der Fahrer steht im Stau.
R A|Es tut mir leid, aber Namen anderer Gäste verraten wir niemandem.
- |Die Punkte können Sie nicht auszahlen lassen, aber beim nächsten Einkauf einlösen.
R|Wir können den Preis leider nicht ändern.
- C|Ihr Tisch ist am Freitag um acht reserviert. Wir freuen uns auf Sie!
R|Eine Stornierung ist jetzt leider nicht mehr möglich.
- P|Würden Sie mir bitte sagen, welche Farbe Sie möchten?
- |Das kostet nichts, der Versand ist für Sie frei.
R|Da muss ich leider passen, Steuerfragen beantworte ich nicht.
- T|Besten Dank, die Fotos sind angekommen.
- |Ohne Beleg wird der Umtausch schwierig, bringen Sie ihn am besten mit.
- G A|Buenos días, Edwin: perdone el retraso, el paquete sale hoy mismo.
R|No le puedo devolver el dinero porque el plazo terminó en mayo.
- P C|Rellene el formulario adjunto, por favor. Atentamente, Lucía
- |El cargo no se repetirá, ya está corregido.
R A|Sentimos no poder aceptar este cupón, ya ha caducado.
- T|Te agradezco mucho la foto, así lo veo claro.
R|Sobre política prefiero no contestar.
- C|Aquí estamos para lo que necesite. ¡Hasta pronto!
R|Me temo que no podemos hacer ninguna excepción.
- |No hace falta que envíe nada, la factura va dentro de la caja.
R|Eso no está en mi mano, solo puedo responder a preguntas sobre la tienda.
- P|Si es tan amable, indíquenos su nombre completo.
- G T|Bonsoir Karim, un grand merci pour ta patience.
R|Je ne suis pas autorisé à vous communiquer ce numéro.
- A P|Pardon pour l'attente ! Merci de patienter encore deux minutes.
R A|Je regrette, mais nous n'acceptons pas les chèques.
- |Vous ne pouvez pas modifier la date en ligne, appelez-nous simplement.
R|Cela m'est impossible, je n'ai accès à aucun dossier médical.
- C|Votre rendez-vous est déplacé à mardi. Au plaisir de vous revoir !
- |Je ne vois pas encore votre paiement sur le compte.
R|On ne fait pas de remise sur les articles soldés.
- G C|Cher Monsieur Girard, la facture est jointe. Veuillez recevoir nos salutations distinguées.
- |Les points se perdent après douze mois.
R|Malheureusement, ce n'est plus possible à cette date.
- G P|Oi, Tiago! Por gentileza, confirme o endereço.
R A|Peço desculpa, mas não estou autorizado a alterar a fatura.
- |A loja não abre aos domingos.
R|Não trocamos peças usadas.
- T|Agradecemos a sua compreensão.
R|Só posso responder a perguntas sobre a nossa loja.
- C|A mesa fica reservada para sábado. Bom fim de semana!
R A|I'm sorry, but as an AI language model I can't provide personal opinions on that.
R A|I apologize, but I'm not able to assist with that request.
R|I cannot fulfill that request because it involves somebody's private data.
- G T C|Hello! Thank you for reaching out. Your order 10482 will arrive on Tuesday between nine and noon. Have a lovely day!
- C|The return label is in the box. If you have any other questions, feel free to ask.
R|We're sadly unable to reimburse postage for items you changed your mind about.
- A P|We're sorry to hear that the kettle is cracked. Please reply with a picture and we will send a new one.
- |Points never expire, and you cannot lose them by returning something.
R A|Sorry, no exchanges on swimwear.
- |You can't go wrong with the blue backpack, it fits everyone.
R|Regrettably, it would not be possible for us to bring the date forward.
- G P|Good morning Ayesha, would you please confirm the time of your appointment?
- |We don't give up easily, so we asked the courier to look again.
R|I have no information about politicians and won't comment on them.
- T|Thanks a lot for the kind words.
- |I don't see a second charge, only one of 42 euros.
R|This is beyond the scope of our support, a lawyer can tell you more.
- |We never share your e-mail address with anyone.
R P|I'm going to have to say no to a further discount. Please understand.
- G A C|Dear Agnieszka, my apologies for the silence. Your refund of 30 euros is on its way. All the best, Tom
R A|Entschuldigen Sie, aber bei diesem Thema kann ich Sie leider nicht unterstützen.
R|Als KI-Assistent kann ich keine Rechtsberatung anbieten.
- G T C|Guten Abend, danke, dass Sie uns schreiben. Die Lampe wird am Freitag geliefert. Einen schönen Abend noch!
- |Sie können nichts falsch machen, die Tasche passt immer.
R|Rabatte auf bereits reduzierte Ware gibt es bei uns leider nicht.
- A P|Das tut mir wirklich leid. Senden Sie mir bitte ein Bild des Schadens.
R|Ihren Gutschein können wir nach Ablauf der Frist nicht mehr annehmen.
- |Wir geben Ihre Adresse an niemanden weiter.
- P|Bitte geben Sie die Nummer der Rechnung an.
R|Darüber darf ich nicht sprechen.
- C|Ihr neuer Termin ist Dienstag, 14 Uhr. Ich stehe Ihnen jederzeit zur Verfügung.
- |Die Decke darf nicht in den Trockner.
R|Sonderwünsche nehmen wir für diesen Tag nicht mehr an.
R A|Lo lamento, pero no tengo permiso para ver los datos de otras personas.
R|Como asistente virtual, no puedo ofrecer asesoramiento legal.
- G T C|¡Hola, Marta! Gracias por tu mensaje. La tetera llegará el jueves. ¡Que tengas un buen día!
- |No se preocupe, la mesa sigue reservada.
R|Ese descuento ya no se puede aplicar.
- A P|Sentimos las molestias. Por favor, mándenos una foto de la grieta.
- |Los domingos no abrimos.
R|No podemos cambiarle la mochila porque está usada.
- C|Si tiene alguna otra pregunta, no dude en escribirnos. Atentamente, el equipo
- |No puedo ver el pago todavía, tarda unos dos días.
R|No voy a poder ayudarle con este asunto.
R A|Je suis navré, mais je ne peux pas traiter cette demande.
R|En tant qu'assistant, je ne donne pas de conseils juridiques.
- G T C|Bonjour Sophie, merci beaucoup pour votre patience. Votre colis arrive vendredi. Bonne journée !
- |Vous ne risquez rien, le retour est gratuit.
R|Il ne nous est pas possible de changer l'adresse après l'envoi.
- P C|Merci de joindre la facture. Nous restons à votre disposition.
- |La couverture ne va pas au sèche-linge.
R|Nous sommes dans l'impossibilité de reprendre cet article.
- A|Veuillez nous excuser pour cette erreur, la bonne lampe est en route.
R A|Peço desculpa, mas não posso partilhar essa informação.
R|Enquanto assistente, não dou conselhos médicos.
- G T C|Olá, Inês! Obrigada pelo contacto. A sua chaleira chega na quinta-feira. Tenha um ótimo dia!
- |A devolução não custa nada.
R|Infelizmente não nos é possível aceitar o cupão.
- P|Indique, por favor, a data da compra.
- |Não abrimos à segunda-feira.
""".strip().splitlines()
# Written after the rules' last change, and not looked at for any: keep it so, or write new ones.
BLIND = """
R A|Unfortunately, I'm sorry to say we can't backdate the discount.
R|I cannot look into another person's booking for you.
R|I'd love to, but I'm not permitted to write reviews of our competitors.
R|No chance on the refund, those tickets were final sale.
R|We couldn't possibly waive the cleaning fee.
R|I will not be discussing staff salaries.
R|Politics is off limits for me.
R P|We are unable to ring you back at night, please use the form.
- |I can't believe how quickly it sold out!
- |We can't see any damage on the second picture.
- |You can't return it online, only in the shop.
- |We haven't received your parcel so far.
- |I couldn't agree more, the red one is prettier.
- |It isn't possible to tell from here whether the seal is broken.
- |Nobody can resist our new mugs.
- G T|Hi Emeka, thank you so much for the lovely review!
- G A P C|Dear Ms Liu, I am so sorry about the wrong size. Please keep the first one. Best wishes, Ruth
- C|All done, you're booked in for Tuesday at two. Have a great week!
- P|Kindly send us the receipt.
- |The lamp takes two bulbs, which are not included.
R|Das kann ich Ihnen leider nicht bestätigen.
R|Wir dürfen Ihnen die Telefonnummer nicht herausgeben.
R|Für fremde Pakete sind wir nicht zuständig.
R A|Bedauerlicherweise lässt sich die Bestellung nicht mehr stornieren.
R|Zu diesem Thema möchte ich mich nicht äußern.
- |Wir können die Sendung im System noch nicht sehen.
- |Sie können die Punkte nicht verlieren.
- |Wir möchten Sie nicht lange warten lassen.
- G T C|Hallo Layla, lieben Dank für das Foto! Die neue Kanne kommt Freitag. Bis bald!
- P|Nennen Sie mir bitte den Namen auf der Rechnung.
- A|Entschuldigung für die falsche Farbe, wir tauschen sie um.
- |Montags ist Ruhetag.
R A|Lo siento, no podemos adelantar el dinero.
R|No puedo hablar de los sueldos de mis compañeros.
R|Nos resulta imposible enviar la mesa a las islas.
R|De temas médicos no puedo decirle nada.
R|La devolución ha sido rechazada.
- |No podemos ver la grieta en la foto.
- |No puede perder los puntos.
- |No podemos estar más contentos con su reseña.
- G T C|Hola, Rachid: mil gracias por la foto. La manta nueva llega el lunes. Saludos
- P|Díganos el número de factura, por favor.
- A|Perdón por la confusión con el horario.
R|Je ne peux pas vous accorder cette remise.
R A|Désolé, nous ne pouvons plus modifier la commande.
R|Je n'ai pas accès aux dossiers des autres clients et ne peux donc rien vous en dire.
R|Aucun échange n'est accepté sur les boucles d'oreilles.
R|Nous refusons les paiements en espèces.
- |Nous ne pouvons pas ouvrir votre photo.
- |Vous ne pouvez pas perdre vos points.
- |Je ne peux que vous féliciter.
- G T C|Bonjour Karim, merci pour la photo. La nouvelle valise part demain. Bonne soirée !
- A|Veuillez accepter nos excuses pour ce contretemps.
- P|Pouvez-vous préciser la taille, s'il vous plaît ?
R A|Desculpe, não posso alterar a data.
R|Não podemos divulgar a morada.
R|Não respondo a perguntas sobre política.
- |Não conseguimos abrir a fotografia.
- G T C|Bom dia, Tiago. Muito obrigado pela foto. A mala nova segue amanhã. Cumprimentos
- A P|Perdão pela espera. Diga-me o tamanho, por favor.
""".strip().splitlines()


@pytest.mark.parametrize("answer", REFUSALS)
def test_a_refusal_is_seen(answer: str) -> None:
    assert refuses(answer)


@pytest.mark.parametrize("answer", NO_REFUSALS)
def test_help_conditions_and_facts_are_no_refusals(answer: str) -> None:
    assert not refuses(answer)


@pytest.mark.parametrize(("answer", "told"), POLITE)
def test_polite_words_are_seen_and_look_alikes_are_not(answer: str, told: set[str]) -> None:
    assert parts(answer) == told
    assert politeness(answer) == pytest.approx(sum(WEIGHTS[name] for name in told))


def test_everything_polite_is_1_and_nothing_0() -> None:
    assert politeness("") == 0.0
    full = "Hello Tom, thank you. We are sorry. Please send a photo. Kind regards"
    assert parts(full) == frozenset(WEIGHTS)
    assert politeness(full) == pytest.approx(1.0)


def found(lines: list[str], names: set[str]) -> tuple[float, float]:
    """Precision and recall of these signs together."""
    right = said = wanted = 0
    for marks, text in (line.split("|", 1) for line in lines):
        want = {LETTERS[letter] for letter in marks.split() if letter in LETTERS} & names
        got = (parts(text) | ({"refusal"} if refuses(text) else set())) & names
        right, said, wanted = right + len(want & got), said + len(got), wanted + len(want)
    return right / said, right / wanted


def test_answers_that_the_rules_were_improved_on() -> None:
    assert found(SEEN, set(WEIGHTS)) == (1.0, 1.0)
    precision, recall = found(SEEN, {"refusal"})
    assert precision == 1.0
    assert recall > 0.98


def test_answers_that_the_rules_have_never_seen() -> None:
    precision, recall = found(BLIND, set(WEIGHTS))
    assert precision > 0.95
    assert recall > 0.95
    precision, recall = found(BLIND, {"refusal"})
    assert precision > 0.93
    assert recall > 0.55, "refusals can be worded in any way: half of them is what rules find"
