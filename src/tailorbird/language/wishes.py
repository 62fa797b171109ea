"""Whether a customer wants a human being instead of the assistant, or asks what the assistant is; in eight languages.

Words in English, German, Spanish, French, Italian, Dutch, Polish and Portuguese, read by the grammar of `signs`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from tailorbird.language.injections import fold
from tailorbird.language.signs import Lexicon

_WORDS = {
    "NOTHING": (
        "human_error* human_hair human_resources human_rights human_nature human_size* human_body was_talking was_speaking "
        "been_talking been_speaking were_talking were_speaking recursos_humanos direitos_humanos derechos_humanos "
        "ressources_humaines risorse_umane errore_umano error_humano erro_humano erreur_humaine czlowieku i_am_a_real_person "
        "i_m_a_real_person i_am_a_person i_m_a_person i_am_human i_m_human i_m_only_human i_am_only_human ich_bin_ein_mensch "
        "ich_bin_ein_echter_mensch soy_una_persona soy_humano soy_humana je_suis_une_personne je_suis_humain je_suis_humaine "
        "sono_una_persona sono_umano sou_uma_pessoa jestem_czlowiekiem ik_ben_een_mens agent_orange travel_agent* "
        "estate_agent* cleaning_agent* product_manager* project_manager* password_manager* task_manager* per_person "
        "per_persona pro_person por_persona par_personne por_pessoa na_osobe per_persoon in_person in_persona en_persona "
        "en_personne llamar_su_atencion llamar_la_atencion llamar_su_urgente_atencion chamar_a_atencao "
        "attirer_votre_attention"
    ),
    "YOU": (
        "to_you with_you mit_ihnen mit_dir mit_euch contigo con_usted con_ustedes con_vosotros avec_vous avec_toi con_voi "
        "con_te con_lei com_voce com_voces convosco consigo z_panstwem z_wami z_toba met_u met_jullie met_je you"
    ),
    "MINE": ("my our mein* unser* mis nuestr* mon ma mes notre nos mio mia miei nostr* minha meu meus moj* moim nasz* mijn onze"),
    "TALK": (
        "speak speaking talk talking chat chatting converse discuss sprechen reden telefonieren chatten hablar conversar "
        "charlar platicar comunicarme hablara parler discuter echanger causer parlare conversare discutere falar rozmawiac "
        "porozmawiac pogadac pomowic mowic porozmawiam pomowie spreken praten overleggen bellen telefoneren sprechn "
        "sprache_mit have_a_word a_word interact communicate correspond unterhalten austauschen quatschen "
        "dirigirme m_adresser m_entretenir confrontarmi rivolgermi comunicare kletsen gadac skontaktowac pogadam "
        "contactar"
    ),
    "TALK_TO": "parler_a hablar_a parlare_a falar_a parler_au discuter_a deal_with tratar_con traiter_avec",
    "REACH": "reach get_hold_of get_a_hold_of get_through_to erreichen joindre contactar_con contatar raggiungere bereiken",
    "WITH": "with mit con avec com z ze met w",
    "TOWARDS": "to an al ao aan do zu zum zur au auf 2",
    "CONNECT": (
        "connect put switch patch verbinden verbinde durchstellen verbind stellen_sie_mich weiterverbinden conectar comunicar "
        "poner ponga passez passe transferez mettre_en_relation mettez passi passate mettere passa ligar colocar passar "
        "polaczyc przelaczyc doorverbinden"
    ),
    "CONNECT_ME": (
        "conecteme conectame conectenme conectarme transfierame transferirme paseme pasame pasenme pasarme comuniqueme "
        "comuniquenme comunicarme poneme pongame ponme derivarme connettetemi passatemi passami mi_passi mi_passate mi_passa "
        "trasferitemi mettetemi mettermi passarmi transfira_me passe_me transferir_me passar_me me_transferir me_passe "
        "me_transfira me_passar polaczcie_mnie polacz_mnie prosze_polaczyc prosze_o_polaczenie polaczenie_z polaczenia_z "
        "verbind_me doorverbinden_met passez_moi passe_moi transferez_moi mettez_moi donnez_moi verbinden_sie_mich "
        "verbinde_mich stellen_sie_mich stell_mich leiten_sie_mich leite_mich leitet_mich verbindet_mich stellt_mich "
        "schicken_sie_mich geben_sie_mich pasadme pasarme_con passatemi_un faites_moi"
    ),
    "GIVE": (
        "give get bring dar donnez dajcie poprosze geef geven haal holen chame metti metta gib geben_sie gebt let_me_have "
        "gebt_mir"
    ),
    "ESCALATE": (
        "escalate transfer forward pass hand refer redirect weiterleiten ubergeben transferir pasar derivar transferer passer "
        "trasferire passare encaminhar przekazac"
    ),
    "ME": "me us mich uns nos moi mi ci mnie nas mij ons myself nous",
    "THIS": "this it case ticket das dies esto ceci cela questo isto to dit",
    "SOMEONE": (
        "someone somebody anyone anybody one_of_your jemand* irgendjemand* irgendwem alguien quelqu_un qualcuno alguem kims "
        "ktos kogos kimkolwiek iemand un_de_vos une_de_vos un_de_sus una_de_sus uno_de_vuestros uno_dei_vostri "
        "una_delle_vostre einer_ihrer einem_ihrer einen_ihrer een_van_jullie een_van_uw jednym_z_waszych kims_z um_dos_vossos "
        "um_de_voces um_dos_seus one_of_the eine_von einer_von un_des une_des una_de_las uno_de_los"
    ),
    "HUMAN": (
        "human humans human_being* human_person real_person real_people real_human* real_agent* real_employee live_person "
        "live_agent* live_human* live_operator* live_chat_agent actual_person actual_human* person_of_flesh real_live_person "
        "living_person breathing_person human_agent* human_operator* human_support human_representative* human_help "
        "human_assistance real_live_human proper_person proper_human flesh_and_blood someone_real somebody_real mensch "
        "menschen echte_person echten_person echter_person richtige_person richtigen_person lebende_person reale_person "
        "realen_person humano humana humanos persona_real personas_reales persona_de_verdad persona_de_carne persona_humana "
        "ser_humano agente_humano humain humaine humains etre_humain vraie_personne vrai_humain personne_reelle "
        "vraie_personne_humaine personne_humaine personne_en_chair umano umana umani essere_umano persona_vera vera_persona "
        "persona_reale persona_in_carne operatore_umano pessoa_real pessoa_de_verdade pessoa_verdadeira pessoa_humana "
        "atendente_humano czlowiek* zywy_czlowiek zywym_czlowiekiem zywego_czlowieka zywa_osoba zywa_osobe prawdziwa_osoba "
        "prawdziwa_osobe prawdziwej_osoby een_mens echt_mens echte_mens echt_iemand echt_persoon echte_persoon levend_mens "
        "menselijke_medewerker mens_van_vlees mensen_van_vlees levende_persoon van_vlees_en_bloed de_carne_y_hueso "
        "en_chair_et_en_os in_carne_e_ossa de_carne_e_osso z_krwi_i_kosci aus_fleisch_und_blut menschlichen_mitarbeiter "
        "menschlichen_ansprechpartner menschlichen_berater menschlichen_kontakt anyone_real anybody_real"
    ),
    "STAFF": (
        "agent agents representative representatives rep reps operator operators manager managers supervisor supervisors "
        "adviser advisor employee employees staff_member* member_of_staff team_member* member_of_your_team customer_service "
        "customer_support support_agent* support_team support_person helpdesk mitarbeiter* kundenberater* berater* "
        "vorgesetzt* chef chefin geschaftsfuhr* filialleit* ansprechpartner* kundendienst* kundenservice kollege* kollegin* "
        "sachbearbeiter* verantwortlich* servicemitarbeiter* agente agentes encargado encargada supervisora empleado empleada "
        "gerente jefe jefa operador operadora asesor asesora representante companero companera atencion_al_cliente "
        "servicio_al_cliente conseiller conseillere conseillers employe superviseur operateur operatrice collegue gerant "
        "gerante service_client teleconseiller directeur operatore responsabile impiegato impiegata addetto addetta direttore "
        "direttrice collega consulente assistenza_clienti servizio_clienti atendente atendentes funcionario funcionaria chefe "
        "colaborador colaboradora apoio_ao_cliente konsultant* pracownik* kierowni* przelozon* obslug* szef* menedzer* "
        "doradc* medewerker* leidinggevend* klantenservice verantwoordelijk* teamleider collegas beheerder eigenaar clerk "
        "clerks shop_assistant sales_assistant salesperson attendant verkaufer* angestellte* kundenbetreu* zustandig* "
        "dependiente dependienta trabajador trabajadora vendeur vendeuse commesso commessa dipendente verkoper verkoopster "
        "winkelmedewerker sprzedawc* przedstawiciel* vendedor vendedora empregado empregada encarregado encarregada "
        "assistente employes collegues operateurs collaborateur collaborateurs empleados empleadas encargados companeros "
        "colleghi addetti dipendenti responsabili medewerkers verkopers funcionarios colegas colega kolezank* koleg*"
    ),
    "PERSON": (
        "person people owner colleague colleagues expert specialist technician consultant doctor nurse department team "
        "person_in_charge persona personas personne pessoa pessoas osoba osobe osobie persoon personen spezialist* experte* "
        "fachmann especialista specialiste specialista specjalist* especialistas experto arzt medico lekarz* arts patron "
        "patronne capo responsable responsables membre boss staff dono dona dueno duena inhaber* titolare whoever who_runs "
        "in_charge proprietaire proprietario propietario propietaria proprietaria eigentumer* wlasciciel* responsavel zespol* "
        "head_office salarie gestore baas patrao somebody_else"
    ),
    "A_PERSON": "a_person eine_person una_persona une_personne uma_pessoa een_persoon a_man a_woman",
    "ESCALATION": "escalate_this escalate_it escalate_my eskalieren_sie escalar_esto escalar_mi escaladez",
    "HELP": (
        "help look handle read reply answer check deal assist review take helfen hilft ansehen anschauen antworten "
        "lesen ayudar atender atienda ayude aider aide repondre regarder aiutare rispondere guardare helpen helpt "
        "kijken pomoc pomoze sprawdzi ajudar responder"
    ),
    "PHONE": (
        "on_the_phone by_phone over_the_phone on_the_line on_the_telephone am_telefon ans_telefon telefonisch am_apparat "
        "al_telefono por_telefono au_telephone par_telephone au_bout_du_fil aan_de_telefoon aan_de_lijn telefonicznie "
        "przez_telefon przy_telefonie do_telefonu ao_telefone por_telefone ao_telemovel"
    ),
    "CONTACT_ME": (
        "contact_me get_back_to_me get_in_touch reach_out_to_me bei_mir_melden bei_mir_meldet sich_melden mich_kontaktieren "
        "me_contacte contactarme contactar_conmigo me_contacter me_recontacter mi_contatti mi_contatta contattarmi "
        "contact_met_mij contact_opnemen ze_mna_skontaktowac skontaktowac_sie_ze_mna sie_ze_mna skontaktuje_sie me_contactar "
        "contactar_me entrar_em_contacto entrar_em_contato me_contate"
    ),
    "IN_TOUCH": (
        "mis_en_relation mise_en_relation mettre_en_relation mettez_en_relation en_relation in_contatto in_touch en_contacto "
        "em_contacto em_contato w_kontakt in_contact in_verbindung in_kontakt en_contact en_communication"
    ),
    "BY": "by par da von vom por door przez pelo pela",
    "WITH_WHOM": "mit_wem con_quien avec_qui a_qui con_chi com_quem z_kim met_wie",
    "ANSWERS": (
        "answering answers writing replying antwortet schreibt responde contesta escribe repond ecrit risponde scrive "
        "antwoordt schrijft odpowiada pisze escreve"
    ),
    "WANT": (
        "want wants need would_like d_like wanna demand require insist request prefer rather can_i_have can_i_get "
        "could_i_have may_i_have please_give ich_mochte ich_will ich_mocht mochte brauche verlange hatte_gern wunsche mochten "
        "brauchen ich_wil quiero queremos necesito necesitamos quisiera querria exijo deme prefiero je_veux veux voudrais "
        "voudrions besoin exige souhaite souhaiterais prefere voglio vorrei vogliamo vorremmo bisogno esigo desidero "
        "preferisco quero preciso precisamos queria gostaria prefiro chce chcialbym chcialabym chcemy potrzebuje zadam wole "
        "wil_een wil_echt wil_graag wil_nu wil_gewoon graag_een nodig_heb heb_een ik_wil wilde_graag eis das_lieber "
        "wurde_lieber mochte_lieber j_aimerais "
        "aimerais aimerions preferirei preferiria preferia wolalbym wolalabym liever zou_graag zou_liever wurde_gern "
        "wurde_gerne mochte_gern"
    ),
    "UNWANTED": (
        "don_t_want do_not_want don_t_need do_not_need no_need not_need without not_asking_for didn_t_want ohne muss_nicht "
        "brauche_nicht brauche_kein* no_quiero no_necesito no_hace_falta sin ne_veux_pas veux_pas pas_besoin sans non_voglio "
        "non_serve senza non_ho_bisogno nao_quero nao_preciso sem nie_chce nie_musze nie_potrzebuje bez hoef_niet wil_niet "
        "wil_geen zonder hoef_geen don_t_have_to mochte_nicht will_nicht"
    ),
    "NOT": "no not never don_t dont nicht ne pas non nao nie geen niet ni can_t",
    "MACHINE": (
        "bot bots chatbot chatbots robot robots robota robotem roboty bota botem automaton roboter* robo ki "
        "kunstliche_intelligenz artificial_intelligence intelligence_artificielle inteligencia_artificial "
        "intelligenza_artificiale sztuczna_inteligencj* kunstmatige_intelligentie ia an_ai the_ai this_ai ai_bot ai_chat "
        "ai_assistant virtual_assistant asistente_virtual assistant_virtuel assistente_virtuale assistente_virtual chat_bot "
        "chatgpt gpt sprachmodell language_model automated_reply automated_replies automated_answer* automated_response* "
        "automatic_repl* automatische_antwort* automatischen_antwort* respuesta_automatica respuestas_automaticas "
        "reponse_automatique reponses_automatiques risposta_automatica risposte_automatiche automatisch_antwoord "
        "automatische_antwoorden automatyczna_odpowiedz automatyczne_odpowiedzi automatycznych_odpowiedzi resposta_automatica "
        "respostas_automaticas"
    ),
    "DEVICE": (
        "machine machines maschine* computer computers automat automatem maquina macchina machin computador ordinateur "
        "ordenador ai maschinen automatami automatow maszyna maszyny maszynami maquinas macchine computern komputer* "
        "automaten automaat apparaat programa program programm programme programma software"
    ),
    "ENOUGH_OF": (
        "stop end quit turn_off switch_off shut_off no_more enough_of enough_with get_rid_of sick_of tired_of fed_up_with "
        "done_with hate stopp stoppen schluss_mit genug_von genug_vom kein keinen hor_auf_mit weg_mit lass_den apaga apague "
        "basta_de basta_con harto_de harta_de odio_a para_el detenga arretez_avec arretez_le arretez assez_de marre_de "
        "ras_le_bol_de basta_con_il basta_con_questo stufo_di stufa_di spegni ferma chega_de farto_de farta_de desliga "
        "desligue para_com dosc wylacz wylaczcie precz_z stop_met genoeg_van zat_van zet_uit weg_met sans plus_de no_quiero"
    ),
    "CALL_BACK": (
        "call_me_back ring_me phone_me give_me_a_call give_me_a_ring give_us_a_call call_me_on call_me_at call_me_today "
        "call_me_tomorrow call_me_please call_me_asap call_me_now rufen_sie_mich ruft_mich ruf_mich mich_anrufen "
        "mich_zuruckrufen mich_zuruckzurufen mich_anzurufen um_ruckruf um_einen_ruckruf ruckruf_bitte bitte_ruckruf "
        "bitte_um_ruckruf telefonisch_erreichen llamenme llameme llamame que_me_llame que_me_llamen me_pueden_llamar "
        "me_puede_llamar rappelez_moi appelez_moi etre_rappele etre_rappelee me_telephoner telephonez_moi chiamatemi "
        "richiamatemi mi_richiami mi_richiamate mi_puo_chiamare essere_richiamato essere_richiamata "
        "essere_contattato_telefonicamente richiamarmi liguem_me ligue_me me_liguem me_ligue ligar_me ligarem_me liga_me "
        "me_ligarem me_telefonar zadzwoncie_do_mnie zadzwonic_do_mnie zadzwon_do_mnie zadzwoni_do_mnie o_telefon_do_mnie "
        "oddzwonic oddzwoncie oddzwonienie o_kontakt_telefoniczny bel_me bel_mij me_bellen mij_bellen me_terugbellen "
        "mij_terugbellen teruggebeld terugbellen bellen_jullie_mij a_callback callback_please request_callback "
        "request_a_callback call_me_about call_me_regarding call_us_back me_llame_por_telefono me_llamen_por_telefono "
        "llamarme_por_telefono me_rappeler_au m_appeler_au me_rappeler_s_il"
    ),
    "CALL": (
        "call_me call_us phone_us me_rappeler m_appeler llamarme me_llamen me_llame puedes_llamarme pueden_llamarme "
        "puede_llamarme me_ligar chiamarmi mi_chiami mi_chiamate einen_ruckruf"
    ),
    "RING": (
        "zuruckrufen anrufen zuruckzurufen anzurufen terugbellen opbellen telefonieren rappeler llamar chiamare ligar ring "
        "phone rappele rappelee recontacter called richiamare richiamato richiamata gebeld phoned zadzwonic zadzwoni anruft "
        "anrufe telefonar telefonare telefonear telephoner appeler dzwonic zatelefonowac"
    ),
    "TRUE": (
        "true vrai vraie reale real reelle vero vera verdadero verdadera verdadeiro verdadeira echt echte echter echten "
        "humana humaine umana humano prawdziwy prawdziwym prawdziwa zywy zywym zywa proper actual"
    ),
    "CONVERSATION": (
        "call phone_call meeting anruf gesprach telefonat llamada appel entretien rendez_vous_telephonique chiamata chamada "
        "rozmow* gesprek telefoongesprek conversation kontakt contact contatto contacto"
    ),
    "IS_THERE": (
        "is_there are_there there_is_a gibt_es gibts ist_da hay hay_algun y_a_t_il c_e ha_algum tem_algum czy_jest is_er "
        "il_y_a czy_sa zijn_er tem_alguem ha_alguem hay_alguien c_e_qualcuno"
    ),
    "I_CAN": "i_can i_could i_may we_can we_could who_can kann_ich i_might i",
    "WHO_CAN_I": (
        "who_can_i who_could_i who_do_i mit_wem_kann_ich con_quien_puedo a_qui_puis_je avec_qui_puis_je con_chi_posso "
        "com_quem_posso z_kim_moge met_wie_kan_ik"
    ),
    "WHO_SPEAKS": (
        "who_am_i_talking who_am_i_speaking who_am_i_chatting mit_wem_spreche_ich mit_wem_rede_ich mit_wem_schreibe_ich "
        "mit_wem_chatte_ich con_quien_hablo con_quien_estoy_hablando a_qui_je_parle avec_qui_je_parle a_qui_ai_je "
        "con_chi_parlo con_chi_sto_parlando com_quem_falo com_quem_estou z_kim_rozmawiam met_wie_spreek_ik met_wie_praat_ik"
    ),
    "WHAT_ARE_YOU": (
        "what_are_you who_are_you was_bist_du wer_bist_du que_eres quien_eres qu_es_tu qui_es_tu qui_etes_vous cosa_sei "
        "chi_sei o_que_es kim_jestes czym_jestes wie_ben_je wat_ben_je"
    ),
    "ARE_YOU": (
        "are_you r_u am_i_talking am_i_speaking am_i_chatting am_i_writing bist_du sind_sie seid_ihr spreche_ich rede_ich "
        "schreibe_ich chatte_ich etes_vous es_tu est_ce_que_je_parle je_parle parle_je suis_je_en_train sto_parlando "
        "sto_scrivendo czy_jestes czy_to czy_pan czy_pani czy_rozmawiam rozmawiam ben_je ben_jij bent_u praat_ik spreek_ik "
        "chat_ik estoy_hablando estoy_chateando hablo_con estou_a_falar estou_falando falo_com praat_ik_hier are_u r_you "
        "is_there_a_bot"
    ),
    "YOU_ARE": (
        "you_are you_re du_bist sie_sind ihr_seid eres es_usted usted_es vous_etes tu_es c_est sei lei_e e_un voce_e es_um "
        "es_uma isto_e e_um jestes to_jest je_bent jij_bent u_bent dit_is t_es"
    ),
    "IS_THIS": "is_this is_that ist_das ist_dies est_ce_que_c_est est_ce e_questo questo_e isto_e isso_e e_isto is_dit",
    "REAL": (
        "are_you_real you_real bist_du_echt sind_sie_echt eres_real es_usted_real etes_vous_reel* es_tu_reel* "
        "sei_reale voce_e_real"
    ),
    "OR": "or oder o ou of czy lub ou_bien",
    "PLEASE": (
        "please pls plz now bitte jetzt sofort por_favor ahora s_il_vous_plait svp stp maintenant per_favore adesso subito "
        "prego agora prosze teraz alstublieft aub nu asap immediately hello hi hey hallo hola bonjour ciao ola czesc "
        "dzien_dobry today instead straight_away right_away here there available speaking"
    ),
    "SMALL": (
        "a an the ein eine einen einem einer der die den un una uno une um uma een de el la le il o i just only really "
        "actually even some truly wirklich eigentlich gerade jetzt etwa hier nur realmente solo vraiment juste seulement "
        "davvero soltanto proprio mesmo apenas naprawde tylko tu gewoon eigenlijk wel nu somehow like maybe or either "
        "possibly by_any_chance zufallig quiza peut_etre forse talvez moze misschien en_train hablando parlando currently "
        "verdadero"
    ),
}
_LEXICON = Lexicon(_WORDS)
_ANY = "SOMEONE|HUMAN|STAFF|PERSON|A_PERSON"
_AGAINST_MACHINES = (
    "NOT|UNWANTED|ENOUGH_OF ~5 TALK ~4 MACHINE|DEVICE",
    "NOT|UNWANTED|ENOUGH_OF ~4 MACHINE|DEVICE ~2 TALK",
    "NOT|UNWANTED ~2 WITH|TOWARDS ~2 MACHINE END",
    "ENOUGH_OF ~3 MACHINE",
)
_WISHES = _LEXICON.signs(
    f"TALK ~8 WITH|TOWARDS ~4-YOU-MINE {_ANY}",
    f"TALK_TO|REACH ~4-YOU-MINE {_ANY}",
    f"WITH ~4-YOU-MINE {_ANY} ~3 TALK",
    f"{_ANY} ~2 WITH|TOWARDS ~4 TALK",
    f"{_ANY} STOP? ~4 I_CAN ~2 TALK",
    "HUMAN|SOMEONE ~2 TALK",
    "STAFF TALK",
    "WANT|I_CAN ~3-YOU-MINE PERSON TALK",
    "GIVE ~1 SOMEONE ~6 TALK",
    "SOMEONE|STAFF|HUMAN ~4-MINE-STOP RING|CALL",
    "RING|CALL ~2-STOP SOMEONE|STAFF|HUMAN",
    "CALL TOWARDS|PHONE",
    "ME ~2 RING TOWARDS|PHONE",
    "ENOUGH_OF DEVICE PLEASE",
    f"CONNECT|ESCALATE ~2 ME ~5-YOU-MINE {_ANY}",
    f"ME CONNECT|ESCALATE ~5-YOU-MINE {_ANY}",
    f"ME ~3 WITH|TOWARDS ~4-YOU-MINE {_ANY} ~3 CONNECT|ESCALATE",
    f"CONNECT_ME ~6-YOU-MINE {_ANY}",
    "GIVE ~1 ME ~3-MINE HUMAN|SOMEONE|STAFF PLEASE* END",
    "ESCALATE ~3 THIS ~4-YOU-MINE HUMAN|STAFF|PERSON",
    f"WANT|GIVE|PLEASE ~6 CONVERSATION ~1 WITH ~4-YOU-MINE {_ANY}",
    "WANT ~5-NOT-MINE HUMAN",
    "WANT|IS_THERE ~4-NOT-MINE A_PERSON|PERSON TRUE",
    "WANT ~3-MINE-STOP STAFF PLEASE* END",
    "IS_THERE ~3 HUMAN",
    "GIVE ~2 HUMAN",
    "HUMAN ~2 HELP",
    "ESCALATION",
    f"WANT|GIVE|IS_THERE|CONNECT ~6 {_ANY} ~4 PHONE",
    "CONNECT SOMEONE|HUMAN|STAFF",
    "GIVE ~1 ME ~3-MINE A_PERSON|PERSON PLEASE* END",
    "GIVE A_PERSON PLEASE* END",
    "SOMEONE|HUMAN|STAFF|A_PERSON ~4 CONTACT_ME",
    "ME ~1 HELP ~1 A_PERSON|HUMAN|STAFF",
    "HUMAN|A_PERSON STOP? NOT ~2 MACHINE|DEVICE",
    f"IN_TOUCH WITH|TOWARDS ~4-YOU-MINE {_ANY}",
    f"RING|CALL|CALL_BACK ~1 BY ~3-YOU-MINE {_ANY}",
    "SOMEONE|STAFF|HUMAN ~4 ME ~2 RING|TALK",
    "WITH_WHOM ~3 TALK",
    "BY ~2 HUMAN",
    "HUMAN PLEASE* END",
    "WANT|I_CAN ~4-UNWANTED TALK SMALL? WITH|TOWARDS ~3-YOU-MINE-STOP-THIS END",
    "WANT|I_CAN ~2-UNWANTED WITH ~3-YOU-MINE-STOP TALK",
    "WHO_CAN_I ~2 TALK",
    "ALONE PLEASE|SMALL|TRUE|STOP* HUMAN|STAFF PLEASE|SMALL|TRUE|STOP* ENOUGH",
    "CALL_BACK",
    "CALL PLEASE* END",
    "ME ~4 RING PLEASE* END",
    "SOMEONE|STAFF ~3 RING ME",
)
_TIRED_OF_MACHINES = _LEXICON.signs(*_AGAINST_MACHINES)
_NOT_WANTED = _LEXICON.signs("UNWANTED ~6-STOP-WANT ENOUGH")
_WHAT = "MACHINE|HUMAN|A_PERSON|DEVICE"
_ONLY = "SMALL|TRUE|PLEASE|NOT"
_QUESTIONS = _LEXICON.signs(
    f"ARE_YOU {_ONLY}|WITH|TOWARDS|TALK* {_WHAT}",
    f"YOU_ARE {_ONLY}* {_WHAT} STOP? ASKED",
    f"YOU_ARE {_ONLY}* {_WHAT} STOP? OR|ARE_YOU",
    f"YOU_ARE {_ONLY}* MACHINE|HUMAN|A_PERSON ENOUGH",
    f"IS_THIS {_ONLY}* MACHINE|HUMAN|A_PERSON PLEASE|OR",
    f"IS_THIS {_ONLY}* MACHINE|HUMAN|A_PERSON END",
    "HUMAN|A_PERSON|PERSON OR SMALL* MACHINE|DEVICE",
    "MACHINE|DEVICE OR SMALL* HUMAN|A_PERSON|PERSON",
    f"ANSWERS ~4 {_WHAT} ASKED",
    f"{_WHAT} ~2 ANSWERS ~3 ASKED",
    "REAL OR",
    "WHAT_ARE_YOU|REAL END",
    "WHO_SPEAKS",
)


def wants_person(text: str, names: Sequence[str] = ()) -> bool:
    """Whether a customer asks for a human being: an agent, a manager, no bot, a call from somebody, or one of these people.

    `names` are those of the business's own people, as `audit.keep` has them. A wish that is denied ("without talking to
    anybody") does not count, nor does talking to "you", who is the assistant, nor asking whether you are human.
    """
    read = _QUESTIONS.sub("|", _LEXICON.read(_anonymous(text, names)))
    if _TIRED_OF_MACHINES.search(read):
        return True
    return any(not _NOT_WANTED.search(read[: found.start()]) for found in _WISHES.finditer(read))


def asks_what_it_is(text: str) -> bool:
    """Whether a customer asks if it is a robot, an AI or a human being who answers."""
    return bool(_QUESTIONS.search(_LEXICON.read(text)))


def _anonymous(text: str, names: Sequence[str]) -> str:
    """The text with "colleague" for each name."""
    people = "|".join(re.escape(fold(name)) for name in names if name.isalpha())
    return re.sub(rf"\b(?:{people})\b(?!')", "colleague", fold(text)) if people else text
