"""Whether a customer is angry with the business, so that a person should answer; in eight languages.

Anger is swearing at the business, a threat of violence or of consequences, scorn, "the third time I write", or shouting. Words
in English, German, Spanish, French, Italian, Dutch, Polish and Portuguese, read by the grammar of `signs`; swearing and
violence are known from `abuse` and `threats`. A complaint in calm words is none, and irony is not seen.
"""

from __future__ import annotations

import re

from tailorbird.language import identify
from tailorbird.language.abuse import abuse
from tailorbird.language.injections import fold
from tailorbird.language.signs import Lexicon
from tailorbird.language.threats import violence

_WORDS = {
    "NOTHING": (
        "court_shoe* court_dress how_does_a_chargeback how_do_chargebacks i_m_going_to_court i_am_going_to_court "
        "i_have_to_go_to_court fast_and_furious not_a_joke no_scandal ridiculously nicht_unmoglich no_joke "
        "i_have_had_enough_to ridiculous_question ridiculous_idea sounds_ridiculous look_ridiculous feel_ridiculous"
    ),
    "OWN": (
        "i_am i_m my_job ich_bin je_suis jestem ik_ben as_a my_sister i_work my_husband my_wife ma_tante sono_un sono_una "
        "soy_una sou_uma sou_um soy_un"
    ),
    "NOT": "not no isn_t wasn_t aren_t never nicht kein keine ne pas non nao nie niet geen sin without ohne if hope nothing",
    "INTEND": (
        "i_ll we_ll gonna considering about_to no_choice otherwise or_else next_step intend threaten ready_to i_am_contacting "
        "i_m_contacting i_m_calling i_am_calling i_m_reporting i_am_reporting i_m_leaving i_am_filing i_m_filing "
        "i_have_contacted i_ve_contacted i_have_reported i_ve_reported plan_to let_s see_how werde werden wir_werden muss "
        "mussen schalte schalten sonst andernfalls gehe wende behalte ubergebe drohe ich_gebe zeige_sie wir_behalten ich_hole "
        "nehme_mir sehe_mich_gezwungen erstatte voy_a vamos_a pienso pondre presentare denunciare tendre_que o_si_no "
        "de_lo_contrario acudire pongo presentaremos interpondre contactare hablare_con llamare iremos ire dejare llevare "
        "recurrire je_vais nous_allons vais allons sinon faute_de_quoi je_compte je_saisis saisirai contacterai porterai "
        "prendrai deposerai laisserai ferai je_prends je_saisirai serai_oblige alerterai signalerai mi_rivolgero rivolgero "
        "procedero faro altrimenti sto_per dovro segnalero denuncero lascero scrivero andro contattero presentero sporgero "
        "ci_rivolgeremo intendo zal ga anders stap ik_dien schakel overweeg neem_ik dien_ik geef_ik moet_ik ik_neem ik_zet "
        "ik_plaats zglosze zglaszam zamierzam bede pojde ide_do oddam skieruje inaczej zloze wystawie napisze pozwe skladam "
        "zawiadomie wystapie zwroce_sie vou vamos farei apresentarei irei senao caso_contrario terei_de contactarei "
        "recorrerei denunciarei deixarei serei_obrigad* tenciono i_will we_will i_shall we_shall i_m_going_to i_am_going_to "
        "we_are_going_to we_re_going_to i_have_to i_ll_have_to i_must i_want_to i_m_going i_am_going will_be_forced "
        "you_ll_hear you_will_hear you'll_hear we_ll_see ich_hab_jetzt"
    ),
    "FEELING": "mam habe hab es ben ik estoy estamos estou estamos_todos sono siamo j_en_ai en_ai bin suis jestem",
    "FULL": "dosc satt zat harto harta hartos hartas farto farta stufo stufa marre",
    "CROSS": (
        "angry furious cross wutend verargert sauer kwaad boos nijdig zly zla wsciekly wsciekla zangado zangada chateado "
        "chateada arrabbiato arrabbiata enfadado enfadada enojado enojada molesta_con fache fachee enerve enervee remontee"
    ),
    "BAD": (
        "bad negative scathing awful horrible honest damning schlechte schlechten negative negativen vernichtend* miese "
        "mieser mala negativa "
        "mauvais mauvaise negatif brutta slechte negatieve vernietigende zla negatywna ma"
    ),
    "REVIEW": (
        "review reviews rating feedback bewertung bewertungen rezension rezensionen resena resenas opinion valoracion avis "
        "commentaire recensione recensioni recensie recensies beoordeling opinie opinia recenzje avaliacao critica"
    ),
    "CONSEQUENCE": (
        "lawyer lawyers solicitor attorney court sue suing police trading_standards consumer_protection ombudsman "
        "consumer_rights better_business_bureau bbb citizens_advice small_claims chargeback charge_back press_charges "
        "bad_review negative_review one_star 1_star zero_stars terrible_review worst_review report_you report_this_company "
        "report_this_shop report_your expose_you newspaper newspapers watchdog reverse_the_payment dispute_the_charge "
        "dispute_the_payment dispute_with_my_bank paypal_dispute paypal_case warn_everyone warn_others authorities anwalt "
        "anwaltin rechtsanwalt* anwalts* verbraucherzentrale verbraucherschutz rechtliche_schritte gericht klage verklagen "
        "anzeige anzeigen schlechte_bewertung negative_bewertung schlecht_bewerten negativ_bewerten ein_stern einen_stern "
        "zuruckbuch* rucklastschrift ruckbuchung kauferschutz presse polizei mahnbescheid rechtsschutz* rechtsweg gerichtlich "
        "schlichtungsstelle rechtsabteilung abogado abogada abogados consumo organizacion_de_consumidores ocu facua denunciar "
        "denuncia demanda demandar demandaros tribunales juzgado acciones_legales hoja_de_reclamaciones reclamacion_oficial "
        "mala_resena mala_opinion resena_negativa una_estrella contracargo devolver_el_cargo retroceder_el_pago policia "
        "prensa profeco reclamacion_formal avocat avocate dgccrf tribunal poursuivre poursuites porter_plainte "
        "porterai_plainte plainte ufc_que_choisir que_choisir action_en_justice mise_en_demeure mauvais_avis avis_negatif "
        "une_etoile opposition_bancaire retrofacturation mediateur repression_des_fraudes signal_conso signalconso huissier "
        "justice saisir_la avvocato avvocata avvocati legale legali associazione_consumatori associazione_dei_consumatori "
        "codacons altroconsumo denunciare denunciarvi tribunale vie_legali querela recensione_negativa pessima_recensione "
        "brutta_recensione una_stella polizia antitrust agcm carabinieri giudice_di_pace advocaat advocate jurist "
        "geschillencommissie consumentenbond rechtbank juridische_stappen aangifte slechte_review slechte_recensie "
        "negatieve_review negatieve_recensie een_ster terugboeken terugvorderen politie rechtsbijstand autoriteit consuwijzer "
        "acm stornering prawnik* adwokat* rzecznik* uokik policj* prokuratur* pozew negatywna_opinie zla_opinie "
        "negatywna_recenzje fatalna_opinie jedna_gwiazdke zla_recenzje reklamacje_do_banku obciazenie_zwrotne inspekcj* "
        "droge_sadowa drogi_prawne* advogado advogada advogados queixa livro_de_reclamacoes deco procon reclame_aqui "
        "processar queixa_crime avaliacao_negativa ma_avaliacao pessima_avaliacao uma_estrela estorno imprensa asae "
        "defesa_do_consumidor legal_advice legal_steps legal_proceedings legal_help legally do_sadu w_sadzie sad_rozstrzygnie "
        "de_rechter entsprechende_bewertung negative_rezension schlechte_rezension bewertung_schreiben mala_valoracion "
        "valoracion_negativa mauvais_commentaire"
    ),
    "MY_LAWYER": (
        "my_lawyer my_lawyers my_solicitor my_solicitors my_attorney legal_action take_you_to_court see_you_in_court sue_you "
        "small_claims_court mein_anwalt meinem_anwalt meinen_anwalt meine_anwaltin meiner_anwaltin rechtliche_schritte "
        "strafanzeige mi_abogado mi_abogada acciones_legales mon_avocat mon_avocate porter_plainte action_en_justice "
        "mio_avvocato mia_avvocata vie_legali mijn_advocaat juridische_stappen moj_prawnik moim_prawnikiem mojego_prawnika "
        "moj_adwokat mojego_adwokata meu_advogado minha_advogada livro_de_reclamacoes medidas_legais medidas_judiciais "
        "opened_a_dispute filed_a_dispute raised_a_dispute a_dispute_with_my_bank opened_a_chargeback reported_you "
        "reporting_you hear_from_my hearing_from_my hort_von_meinem horen_von_meinem vi_denuncio os_denuncio les_denuncio "
        "os_denunciare je_vous_attaque je_porte_plainte ich_verklage zglaszam_was disputing_the_payment disputing_the_charge "
        "disputing_this"
    ),
    "OUTRAGE": (
        "unacceptable outrageous disgraceful appalling scandalous shambles shambolic inexcusable infuriating furious livid "
        "fuming seething sickening despicable diabolical abysmal atrocious how_dare shame_on_you disgrace beyond_a_joke "
        "taking_the_piss taking_the_mick sick_and_tired had_enough had_it_with sick_to_death lost_all_patience absolute_joke "
        "complete_joke total_joke total_rip_off complete_rip_off daylight_robbery con_artists crooks scammers scam_artists "
        "fraudsters thieves you_scammed you_robbed never_buying never_ordering never_shop* never_again_with_you "
        "never_buy_from_you last_time_i_buy last_time_i_order will_never_buy will_never_order will_never_shop fobbed_off "
        "fobbing_me worst_service worst_shop worst_company worst_customer worst_experience disgusting_service "
        "disgusting_behaviour disgusting_way disgusted_with disgusted_by absolutely_disgusted this_is_ridiculous "
        "absolutely_ridiculous utterly_ridiculous this_is_a_joke are_you_kidding_me are_you_joking fed_up_with_you "
        "i_am_fed_up i_m_fed_up i_m_so_angry i_am_so_angry i_am_angry i_am_very_angry i_m_very_angry you_stole_my_money "
        "you_have_stolen i_m_angry really_angry i_am_very_upset incompetent incompetence useless_service useless_company "
        "useless_shop ripped_me_off ripping_me_off rip_off_merchants a_total_disgrace stop_lying lied_to_me lying_to_me "
        "you_lied treat_customers_like pissed_off frechheit unverschamt* inakzeptabel* unzumutbar* skandalos* emporend emport "
        "eine_zumutung stinksauer stinkwutend bin_wutend so_wutend bin_sauer echt_sauer sehr_verargert so_was_von_sauer "
        "reicht_s_mir schnauze_voll nase_voll die_faxen_dicke betruger betrugerladen betrugerbande abzocke abzocker saftladen "
        "sauladen saustall unter_aller_sau nie_wieder_bei nie_wieder_bestell* verarscht verarschen verarschung ein_witz "
        "ein_schlechter_witz schamen_sie_sich schamt_euch inkompetent* armutszeugnis unmoglicher_service unter_aller_kanone "
        "unterirdisch* katastrophaler_service lachhaft lugner angelogen fur_dumm_verkauf* ein_skandal untragbar* unerhort* "
        "inaceptable* indignante indignad* sinverguenza* estafa estafador* timador* intolerable* furios* estoy_hart* "
        "harto_de_vosotros hasta_las_narices hasta_los_huevos tomadura_de_pelo tomando_el_pelo tomar_el_pelo me_estan_tomando "
        "pesimo_servicio pesima_atencion servicio_pesimo atencion_pesima de_lo_peor peor_servicio peor_tienda incompetentes "
        "incompetencia escandaloso mentirosos nunca_mas_compr* no_vuelvo_a_comprar asco_de_servicio dais_asco dan_asco "
        "desastre_de_servicio robado_el_dinero lamentable_servicio una_burla cabread* muy_enfadad* ya_esta_bien basta_ya "
        "inacceptable* inadmissible* scandaleu* honteu* une_honte revoltant* furieu* en_colere ras_le_bol j_en_ai_marre "
        "marre_de_vous arnaque arnaqueurs escrocs escroquerie vous_vous_moquez foutage_de_gueule vous_foutez vous_vous_fichez "
        "se_moque_de_moi se_moquer_du_monde moquer_de_moi pire_service service_deplorable deplorable* incompetents "
        "plus_jamais_chez jamais_plus_chez menteurs n_importe_quoi_ce_service c_est_abuse degoutee_par_votre service_nul "
        "a_bout_de_patience inaccettabil* inammissibil* scandalos* uno_scandalo vergognatevi truffa truffatori truffato "
        "truffata sono_arrabbiat* arrabbiatissim* incazzat* stufo_marcio sono_stuf* non_ne_posso_piu presa_in_giro "
        "prendendo_in_giro prendete_in_giro prendere_in_giro servizio_pessimo pessimo_servizio servizio_schifoso "
        "schifo_di_servizio fate_schifo fa_schifo che_schifo incompetenti peggior_servizio mai_piu_da_voi mai_piu_acquist* "
        "bugiardi imbroglioni una_farsa intollerabil* sconcertante onacceptabel* schandalig* schande schandelijk belachelijk* "
        "oplicht* woedend razend laaiend pisnijdig ik_ben_boos heel_boos zo_boos ben_het_zat er_klaar_mee spuugzat "
        "de_maat_is_vol het_is_genoeg_geweest waardeloze_service waardeloze_winkel slechtste_service nooit_meer_bij "
        "nooit_meer_iets incompetent* leugenaars een_aanfluiting schaam_je schamen_jullie voor_de_gek flauwekul "
        "klantonvriendelijk* bizar_slecht* ongehoord* skandal skandaliczn* niedopuszczaln* nie_do_przyjecia oszus* oszuku* "
        "oszukali zlodziej* kpina kpiny jakas_kpina zenad* zenujac* bezczeln* wsciekl* wkurz* mam_dosc mam_tego_dosc "
        "nigdy_wiecej_u nigdy_wiecej_nie_kup* najgorsz*_obslug* najgorszy_sklep najgorsza_obsluga fatalna_obsluga "
        "beznadziejna_obsluga hanba niekompeten* klamcy klamstwa naciagacz* robicie_sobie_jaja robicie_ze_mnie karygodn* "
        "tragiczna_obsluga co_za_dno inaceitave* inadmissive* escandalos* vergonhos* burla burloes golpistas aldrabo* "
        "vigarist* intoleravel estou_fart* fart*_de_voces perdi_a_paciencia falta_de_respeito pessimo_servico "
        "pessimo_atendimento servico_pessimo atendimento_pessimo pior_servico pior_loja pior_atendimento nunca_mais_compro "
        "gozar_comigo a_gozar_com palhacada revoltad* um_nojo que_nojo isto_e_uma_anedota desrespeito jetzt_reicht "
        "mir_reicht_es es_reicht_mir langsam_reicht un_timo que_verguenza una_verguenza vaya_verguenza uma_vergonha "
        "que_vergonha una_vergogna che_vergogna vergognos* to_wstyd wstyd_i je_suis_excede je_suis_excedee fed_up i_am_fuming "
        "outraged absolutely_shocking rip_off ripoff be_ashamed ffs for_god's_sake for_crying_out_loud for_christ's_sake "
        "act_together pull_your_finger gives_a_damn give_a_damn liars joke_of_a done_with_you you_people sauerei schweinerei "
        "geht_s_noch geht's_noch spinnt_ihr habt_ihr_sie_noch zum_kotzen reicht_jetzt bodenlos* was_fallt_ihnen_ein "
        "was_erlauben falta_de_respeto tomais_el_pelo no_hay_derecho impresentables panda_de du_vol n_avez_pas_honte bande_de "
        "n_importe_quoi foutez_de j_en_ai_assez ca_suffit y_en_a_marre basta_cosi adesso_basta ora_basta per_i_fondelli "
        "gek_voor_woorden nu_is_het_klaar afzetters afzetterij beschamend wat_een_puinhoop kpicie chamstwo do_cholery "
        "po_dziurki lekcewaz* jakis_zart que_absurdo um_absurdo um_roubo gozam_comigo ja_chega cambada_de clowns you_ruined "
        "you_ve_ruined you_have_ruined robbing schrottladen schrott sonstwohin arruinado vous_avez_gache avete_rovinato "
        "zniszczyliscie estragaram_me woest treated_so_badly treated_like_dirt treated_like_this wohl_die_hohe stocksauer "
        "hingehalten vertrostet scheiss* preso_in_giro presi_in_giro false_advertising thats_a_joke that's_a_joke it's_a_joke "
        "ridiculous"
    ),
    "SERVICE": (
        "service shop store business customer_support customer_service support team laden firma geschaft kundenservice "
        "servicio tienda empresa atencion boutique magasin entreprise servizio negozio azienda assistenza winkel bedrijf "
        "klantenservice sklep obsluga obslugi servico loja atendimento company you_are you_re you_lot you_guys ihr_seid sois "
        "ustedes_son son_ustedes vous_etes siete jullie_zijn jestescie voces_sao"
    ),
    "AWFUL": (
        "terrible horrible disgusting dreadful rubbish pathetic worst useless ridiculous laughable horrendous shocking "
        "schrecklich* furchtbar* katastroph* mies* grottenschlecht* lacherlich* terribl* pesim* asqueros* vergonzos* penoso "
        "ridicul* catastrophique* lamentable degueulasse pessim* orrend* vergognos* ridicol* disastros* verschrikkelijk* "
        "vreselijk* waardeloo* waardeloz* dramatisch* belabberd* fataln* okropn* beznadziejn* tragiczn* horrive* terrive* "
        "pessimo pessima garbage trash bullshit schlechtest* schlimmst* peor pior pire peggior* slechtste najgorsz*"
    ),
    "MANY": (
        "third fourth fifth sixth tenth hundredth umpteenth nth 3rd 4th 5th 6th 10th countless how_many dritte dritten "
        "drittes dritter vierte vierten funfte funften zehnte zehnten x_ten zigsten hundertste* tercera cuarta quinta decima "
        "enesima tercer cuarto quinto troisieme quatrieme cinquieme dixieme enieme trois quatre terza quarta ennesima terzo "
        "ennesimo derde vierde vijfde tiende zoveelste trzeci czwarty piaty dziesiaty kolejny enty trzecia czwarta terceira "
        "second 2nd zweite zweiten segunda segundo deuxieme seconda secondo tweede drugi three four five six ten drei vier "
        "funf tres cuatro cinco tre quattro cinque drie trzy cztery quatro dozen dozens hundred seventh eighth ninth sechsten "
        "siebten sexta sexto sesta sesto septima settima setima zesde zevende szosty siodmy piec szesc seis sei sechs sieben "
        "sept zes zeven"
    ),
    "TIME": "time times mal male vez veces fois volta volte keer maal raz razy vezes",
    "WRITE": (
        "write writing wrote written ask asking asked contact contacting contacted call calling called email emailing emailed "
        "message messaged messaging complain complaining complained chase chasing chased explain explaining told telling "
        "schreibe geschrieben schreiben frage gefragt anrufe angerufen kontaktiere melde gemeldet mich_melde nachfrage "
        "escribo escribir escrito pregunto llamo contacto reclamo llamando escribiendo pido ecris ecrire ecrit demande "
        "contacte appelle relance reclame scrivo scritto chiedo chiamo contatto chiamato sollecito schrijf mail mailen bel "
        "vraag contact_opneem gemaild geschreven gebeld contacteer pisze dzwonie pytam kontaktuje prosze_o zglaszam_sie "
        "escrevo escrever pergunto ligo peco escrevi pisalam pisalem pisalismy dzwonilam dzwonilem pytalam pytalem escribi "
        "llame liguei mandei envoye mandato"
    ),
    "LETTER": (
        "email emails message messages letter letters reminder complaint mail nachricht anfrage erinnerung mahnung correo "
        "mensaje e_mail mails courriel relance messaggio sollecito bericht mailtje wiadomosc mensagem reclamacion reclamacao"
    ),
    "IGNORED": (
        "ignoring_me ignore_me ignored_me keep_ignoring been_ignored ignored_my ignoring_my niemanden_interessiert "
        "ignorieren_mich ignoriert_mich ignoriert_werde me_ignoran me_ignorais vous_m_ignorez mi_ignorate genegeerd "
        "ignorujecie me_ignoram ignoriert_ihr ignoriert_man you_ignore ignorado ignorada ignorano"
    ),
    "AGAIN": (
        "still again weeks days months already once_more wochen tagen seit semanas dias semaines jours settimane giorni weken "
        "dagen tygodni dni"
    ),
    "DEMAND": (
        "answer_me reply_now refund_me_now money_back_now i_want_my_money i_demand last_warning final_warning "
        "for_the_last_time ich_will_mein_geld geld_zuruck_sofort letzte_warnung zum_letzten_mal quiero_mi_dinero devuelvanme "
        "devolvedme ultimo_aviso por_ultima_vez rendez_moi_mon_argent je_veux_mon_argent dernier_avertissement "
        "pour_la_derniere_fois ridatemi rivoglio_i_miei voglio_indietro_i_miei ultimo_avviso per_l_ultima_volta ik_eis "
        "wil_mijn_geld laatste_waarschuwing voor_de_laatste_keer oddajcie_pieniadze oddajcie_mi ostatnie_ostrzezenie "
        "po_raz_ostatni zadam_zwrotu quero_o_meu_dinheiro quero_meu_dinheiro devolvam_me pela_ultima_vez exijo"
    ),
    "TWICE": (
        "twice thrice zweimal dreimal viermal funfmal mehrfach mehrmals dos_veces tres_veces deux_fois due_volte tre_volte "
        "twee_keer drie_keer dwa_razy trzy_razy duas_vezes tres_vezes several_times many_times varias_veces plusieurs_fois "
        "piu_volte meerdere_keren wielokrotnie varias_vezes"
    ),
    "SILENCE": (
        "nobody_answers nobody_replies no_one_answers no_one_replies nobody_bothers niemand_antwortet nadie_contesta "
        "nadie_responde nadie_me_contesta nadie_me_responde personne_ne_repond personne_ne_me_repond nessuno_risponde "
        "nessuno_mi_risponde niemand_reageert niemand_antwoordt nikt_nie_odpowiada nikt_nie_odpisuje ninguem_responde "
        "ninguem_me_responde no_answer no_reply keine_antwort ninguna_respuesta sin_respuesta aucune_reponse sans_reponse "
        "nessuna_risposta geen_antwoord geen_reactie bez_odpowiedzi zadnej_odpowiedzi nenhuma_resposta sem_resposta"
    ),
}
_LEXICON = Lexicon(_WORDS)
_ANGER = _LEXICON.signs(
    "INTEND ~7-NOT-OWN CONSEQUENCE|MY_LAWYER",
    "MY_LAWYER",
    "OUTRAGE",
    "AWFUL ~2 SERVICE",
    "SERVICE ~2 AWFUL",
    "MANY ~1 TIME ~6-STOP WRITE",
    "WRITE ~4 MANY TIME",
    "TIME MANY ~4 WRITE",
    "WRITE ~3 TIME MANY",
    "MANY ~1 LETTER|WRITE",
    "INTEND ~6 BAD|AWFUL ~1 REVIEW",
    "INTEND ~4 REVIEW ~1 BAD|AWFUL",
    "WRITE ~1 TWICE",
    "TWICE ~2-STOP WRITE",
    "FEELING ~3-NOT FULL",
    "OWN|FEELING ~2-NOT-STOP CROSS",
    "IGNORED",
    "SILENCE ~12 AGAIN|MANY|TWICE",
    "AGAIN|MANY|TWICE ~12 SILENCE",
    "DEMAND",
)
_DENIED = _LEXICON.signs("NOT ~3-STOP-OWN-INTEND ENOUGH")

_OBSCENE = re.compile(
    r"fuck|shit|cunt|arsch|schei|mierda|put[aoi]|joder|merd|conn|stronz|cazz|vaffa|caralh|porra|kurw|pierd|chuj|gown|kut|klo|lul",
    re.I,
)
_ADDRESSED = re.compile(
    r"\b(?:(?:you|u|ihr|sie|du|usted|ustedes|vosotros|vous|tu|voi|siete|sei|jullie|je|jij|wy|jeste\w+|voc\w+|sois)(?:\W+\w+){0,3}"
    r"|(?:your|euer|eure\w*|vuestr\w+|votre|vos|vostr\w+|wasz\w*|vossa|an|as|wie)(?:\W+\w+)?|bunch of|lot of|banda de|"
    r"bande de)\W+$",
    re.I,
)
_BUSINESS = re.compile(
    r"^\W+(?:\w+\W+)?(?:you|shop|store|company|service|people|business|lot|laden|firma|verein|tienda|empresa|boutique|magasin|"
    r"negozio|winkel|bedrijf|sklep|loja)\b", re.I,
)  # fmt: skip

_SHOUTED = re.compile(r"(?:(?<!\w)[^\W\d_a-zà-ÿ]+(?:['’][^\W\d_a-zà-ÿ]+)?(?!\w)[ ,.!?\d-]*){4,}")
_NEAR = 40  # characters before and after a bad word
_FEWEST = 4  # words in capitals, one about people among them: names of goods have none
_ABOUT_PEOPLE = (
    "i me my you your we our us is are was not where why when what this now give want ich mein meine sie ihr ist nicht wo "
    "warum wann das mir mich jetzt will mi mis no donde por que esto quiero usted ustedes es je mon ma mes vous votre est pas "
    "ou pourquoi quand ce veux il mio mia voi non dove perche quando questo voglio ik mijn jullie niet waar waarom wanneer "
    "dit wil moj moja gdzie nie dlaczego kiedy to chce meu minha nao onde porque isto quero voces"
)
_PERSONAL = frozenset(_ABOUT_PEOPLE.split())
_POLITE = re.compile(
    r"\b(?:please|thank|thanks|hello|hi|bitte|danke|hallo|por favor|gracias|hola|merci|bonjour|svp|grazie|ciao|per favore|"
    r"buongiorno|bedankt|alstublieft|dzien|dziekuje|prosze|obrigad\w|ola)\b"
)


def angry(text: str) -> bool:
    """Whether a customer is so angry with the business that a person should answer; calm complaints are not meant."""
    return _scorns(text) or _shouts(text) or _swears(text) or violence(text)


def _scorns(text: str) -> bool:
    """Whether the words say so: scorn, a threat of consequences, the third time of asking."""
    read = _LEXICON.read(text)
    return any(not _DENIED.search(read[: found.start()]) for found in _ANGER.finditer(read))


def _shouts(text: str) -> bool:
    """Whether some words in a row stand in capitals that are about people, and are not polite."""
    for run in _SHOUTED.findall(text):
        said = fold(run)
        words = re.findall(r"[^\W\d_]+", said)
        if len(words) >= _FEWEST and _PERSONAL.intersection(words) and ("!" in run or not _POLITE.search(said)):
            return True
    return False


def _swears(text: str) -> bool:
    """Whether bad words are obscene, or meant for the business and not for a thing."""
    spans = abuse(text, identify(text)[0], agent=False)
    return any(_OBSCENE.search(text, *span) or _at_the_business(text, *span) for span in spans)


def _at_the_business(text: str, start: int, end: int) -> bool:
    """Whether the customer speaks to somebody just before a bad word, or names the business just after it."""
    return bool(_ADDRESSED.search(text[max(0, start - _NEAR) : start]) or _BUSINESS.search(text[end : end + _NEAR]))
