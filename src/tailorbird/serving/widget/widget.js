/*
 * tailorbird's chat widget: <script src="https://shop-bot.example/widget.js" data-key="tb_…" defer></script>
 *
 * One file as it is written: no build step, no dependencies. It lives in a shadow tree, so that the page's styles and its own
 * never meet, and whatever comes from the network becomes text nodes. docs/widget.md says what it takes and what it keeps.
 */
(() => {
  "use strict";
  const script = document.currentScript ?? document.querySelector('script[src$="/widget.js"]');
  if (!script || window.tailorbird) return;
  const set = script.dataset;
  const base = new URL(".", script.src);
  const STORED = `tailorbird ${base} ${set.key ?? ""}`;
  const SHEET = "(max-width:479px),(max-height:479px)";
  const VISIBLE = 3_000, HIDDEN = 15_000, QUIET = 30 * 60_000; // milliseconds between looks for news, and until they end
  const ACCENT = "#1f5f8b";

  // ---- words ----------------------------------------------------------------------------------------------------------------

  const WORDS = {
    en: {
      title: "Chat", open: "Open the chat", news: "new messages", close: "Close the chat", anew: "Start anew",
      log: "Conversation", disclosure: "You are talking to an AI assistant. Ask for a person at any time.",
      message: "Your message", send: "Send", stop: "Stop the answer", stopped: "The answer was stopped.",
      ai: "AI assistant", you: "You", team: "person from our team",
      person: "Talk to a person", wish: "I would like to talk to a person, please.", asked: "A person has been asked",
      waiting: "A person from our team has been asked and will answer here.",
      taken: "A person from our team is answering now.", assistant: "The AI assistant is answering again.",
      closed: "Our team has ended this conversation. A new message begins another.",
      good: "Helpful", bad: "Not helpful", better: "What would have been right? (optional)", thanks: "Thank you for telling us.",
      retry: "Try again", offline: "There is no connection. Your message was not sent.",
      refused: "The chat is not available on this page.", many: "Too many messages in a short time. Please wait a moment.",
      busy: "The assistant is busy. Please wait a moment.", broken: "The answer broke off.",
      long: "This conversation has become too long. Please start anew.", failed: "Something went wrong.",
    },
    de: {
      title: "Chat", open: "Chat öffnen", news: "neue Nachrichten", close: "Chat schließen", anew: "Neu beginnen",
      log: "Gespräch", disclosure: "Sie sprechen mit einem KI-Assistenten. Sie können jederzeit nach einem Menschen fragen.",
      message: "Ihre Nachricht", send: "Senden", stop: "Antwort anhalten", stopped: "Die Antwort wurde angehalten.",
      ai: "KI-Assistent", you: "Sie", team: "Mensch aus unserem Team",
      person: "Mit einem Menschen sprechen", wish: "Ich möchte bitte mit einem Menschen sprechen.",
      asked: "Ein Mensch ist gerufen", waiting: "Ein Mensch aus unserem Team ist gerufen und wird hier antworten.",
      taken: "Jetzt antwortet ein Mensch aus unserem Team.", assistant: "Jetzt antwortet wieder der KI-Assistent.",
      closed: "Unser Team hat dieses Gespräch beendet. Eine neue Nachricht beginnt ein anderes.",
      good: "Hilfreich", bad: "Nicht hilfreich", better: "Was wäre richtig gewesen? (freiwillig)",
      thanks: "Danke für Ihre Rückmeldung.", retry: "Noch einmal versuchen",
      offline: "Es gibt keine Verbindung. Ihre Nachricht wurde nicht gesendet.",
      refused: "Der Chat ist auf dieser Seite nicht verfügbar.",
      many: "Zu viele Nachrichten in kurzer Zeit. Bitte warten Sie einen Moment.",
      busy: "Der Assistent ist beschäftigt. Bitte warten Sie einen Moment.", broken: "Die Antwort ist abgebrochen.",
      long: "Dieses Gespräch ist zu lang geworden. Bitte beginnen Sie neu.", failed: "Etwas ist schiefgegangen.",
    },
    es: {
      title: "Chat", open: "Abrir el chat", news: "mensajes nuevos", close: "Cerrar el chat", anew: "Empezar de nuevo",
      log: "Conversación",
      disclosure: "Está hablando con un asistente de IA. Puede pedir hablar con una persona en cualquier momento.",
      message: "Su mensaje", send: "Enviar", stop: "Detener la respuesta", stopped: "La respuesta se ha detenido.",
      ai: "Asistente de IA", you: "Usted", team: "persona de nuestro equipo",
      person: "Hablar con una persona", wish: "Quiero hablar con una persona, por favor.", asked: "Se ha avisado a una persona",
      waiting: "Se ha avisado a una persona de nuestro equipo, que responderá aquí.",
      taken: "Ahora responde una persona de nuestro equipo.", assistant: "Ahora vuelve a responder el asistente de IA.",
      closed: "Nuestro equipo ha terminado esta conversación. Un mensaje nuevo empieza otra.",
      good: "Útil", bad: "No es útil", better: "¿Qué habría sido correcto? (opcional)", thanks: "Gracias por decírnoslo.",
      retry: "Volver a intentarlo", offline: "No hay conexión. Su mensaje no se ha enviado.",
      refused: "El chat no está disponible en esta página.", many: "Demasiados mensajes en poco tiempo. Espere un momento.",
      busy: "El asistente está ocupado. Espere un momento.", broken: "La respuesta se ha interrumpido.",
      long: "Esta conversación es demasiado larga. Empiece de nuevo.", failed: "Algo ha fallado.",
    },
    fr: {
      title: "Chat", open: "Ouvrir le chat", news: "nouveaux messages", close: "Fermer le chat", anew: "Recommencer",
      log: "Conversation",
      disclosure: "Vous parlez à un assistant IA. Vous pouvez demander à parler à une personne à tout moment.",
      message: "Votre message", send: "Envoyer", stop: "Arrêter la réponse", stopped: "La réponse a été arrêtée.",
      ai: "Assistant IA", you: "Vous", team: "personne de notre équipe",
      person: "Parler à une personne", wish: "Je voudrais parler à une personne, s'il vous plaît.",
      asked: "Une personne a été prévenue", waiting: "Une personne de notre équipe a été prévenue et répondra ici.",
      taken: "Une personne de notre équipe répond maintenant.", assistant: "L'assistant IA répond de nouveau.",
      closed: "Notre équipe a terminé cette conversation. Un nouveau message en commence une autre.",
      good: "Utile", bad: "Pas utile", better: "Quelle aurait été la bonne réponse ? (facultatif)",
      thanks: "Merci de nous l'avoir dit.", retry: "Réessayer",
      offline: "Il n'y a pas de connexion. Votre message n'a pas été envoyé.",
      refused: "Le chat n'est pas disponible sur cette page.", many: "Trop de messages en peu de temps. Attendez un instant.",
      busy: "L'assistant est occupé. Attendez un instant.", broken: "La réponse s'est interrompue.",
      long: "Cette conversation est devenue trop longue. Veuillez recommencer.", failed: "Un problème est survenu.",
    },
    it: {
      title: "Chat", open: "Apri la chat", news: "nuovi messaggi", close: "Chiudi la chat", anew: "Ricomincia",
      log: "Conversazione",
      disclosure: "Sta parlando con un assistente IA. Può chiedere di parlare con una persona in qualsiasi momento.",
      message: "Il suo messaggio", send: "Invia", stop: "Ferma la risposta", stopped: "La risposta è stata fermata.",
      ai: "Assistente IA", you: "Lei", team: "persona del nostro team",
      person: "Parla con una persona", wish: "Vorrei parlare con una persona, per favore.", asked: "Una persona è stata avvisata",
      waiting: "Una persona del nostro team è stata avvisata e risponderà qui.",
      taken: "Ora risponde una persona del nostro team.", assistant: "Ora risponde di nuovo l'assistente IA.",
      closed: "Il nostro team ha chiuso questa conversazione. Un nuovo messaggio ne inizia un'altra.",
      good: "Utile", bad: "Non utile", better: "Quale sarebbe stata la risposta giusta? (facoltativo)",
      thanks: "Grazie per avercelo detto.", retry: "Riprova",
      offline: "Non c'è connessione. Il suo messaggio non è stato inviato.",
      refused: "La chat non è disponibile su questa pagina.", many: "Troppi messaggi in poco tempo. Attenda un momento.",
      busy: "L'assistente è occupato. Attenda un momento.", broken: "La risposta si è interrotta.",
      long: "Questa conversazione è troppo lunga. Ricominci, per favore.", failed: "Qualcosa è andato storto.",
    },
    nl: {
      title: "Chat", open: "Chat openen", news: "nieuwe berichten", close: "Chat sluiten", anew: "Opnieuw beginnen",
      log: "Gesprek", disclosure: "U spreekt met een AI-assistent. U kunt op elk moment naar een medewerker vragen.",
      message: "Uw bericht", send: "Versturen", stop: "Antwoord stoppen", stopped: "Het antwoord is gestopt.",
      ai: "AI-assistent", you: "U", team: "medewerker van ons team",
      person: "Met een medewerker praten", wish: "Ik wil graag met een medewerker praten.",
      asked: "Er is een medewerker gevraagd",
      waiting: "Er is een medewerker van ons team gevraagd, die hier antwoord geeft.",
      taken: "Nu antwoordt een medewerker van ons team.", assistant: "Nu antwoordt de AI-assistent weer.",
      closed: "Ons team heeft dit gesprek beëindigd. Een nieuw bericht begint een ander gesprek.",
      good: "Nuttig", bad: "Niet nuttig", better: "Wat was goed geweest? (niet verplicht)", thanks: "Bedankt voor uw reactie.",
      retry: "Opnieuw proberen", offline: "Er is geen verbinding. Uw bericht is niet verstuurd.",
      refused: "De chat is niet beschikbaar op deze pagina.", many: "Te veel berichten in korte tijd. Wacht even.",
      busy: "De assistent is bezig. Wacht even.", broken: "Het antwoord is afgebroken.",
      long: "Dit gesprek is te lang geworden. Begin opnieuw.", failed: "Er ging iets mis.",
    },
    pl: {
      title: "Czat", open: "Otwórz czat", news: "nowe wiadomości", close: "Zamknij czat", anew: "Zacznij od nowa",
      log: "Rozmowa", disclosure: "Rozmawiasz z asystentem AI. W każdej chwili możesz poprosić o rozmowę z człowiekiem.",
      message: "Twoja wiadomość", send: "Wyślij", stop: "Zatrzymaj odpowiedź", stopped: "Odpowiedź została zatrzymana.",
      ai: "Asystent AI", you: "Ty", team: "człowiek z naszego zespołu",
      person: "Porozmawiaj z człowiekiem", wish: "Chcę porozmawiać z człowiekiem, proszę.", asked: "Poproszono człowieka",
      waiting: "Poproszono osobę z naszego zespołu, która odpowie tutaj.",
      taken: "Teraz odpowiada osoba z naszego zespołu.", assistant: "Teraz znów odpowiada asystent AI.",
      closed: "Nasz zespół zakończył tę rozmowę. Nowa wiadomość zacznie następną.",
      good: "Pomocne", bad: "Niepomocne", better: "Co byłoby dobrą odpowiedzią? (nieobowiązkowo)",
      thanks: "Dziękujemy za opinię.",
      retry: "Spróbuj ponownie", offline: "Brak połączenia. Wiadomość nie została wysłana.",
      refused: "Czat nie jest dostępny na tej stronie.", many: "Za dużo wiadomości w krótkim czasie. Proszę chwilę poczekać.",
      busy: "Asystent jest zajęty. Proszę chwilę poczekać.", broken: "Odpowiedź została przerwana.",
      long: "Ta rozmowa jest już za długa. Proszę zacząć od nowa.", failed: "Coś poszło nie tak.",
    },
    pt: {
      title: "Chat", open: "Abrir o chat", news: "mensagens novas", close: "Fechar o chat", anew: "Começar de novo",
      log: "Conversa",
      disclosure: "Está a falar com um assistente de IA. Pode pedir para falar com uma pessoa a qualquer momento.",
      message: "A sua mensagem", send: "Enviar", stop: "Parar a resposta", stopped: "A resposta foi parada.",
      ai: "Assistente de IA", you: "O cliente", team: "pessoa da nossa equipa",
      person: "Falar com uma pessoa", wish: "Quero falar com uma pessoa, por favor.", asked: "Uma pessoa foi avisada",
      waiting: "Uma pessoa da nossa equipa foi avisada e responderá aqui.",
      taken: "Agora responde uma pessoa da nossa equipa.", assistant: "Agora responde de novo o assistente de IA.",
      closed: "A nossa equipa terminou esta conversa. Uma nova mensagem começa outra.",
      good: "Útil", bad: "Não é útil", better: "Qual teria sido a resposta certa? (opcional)", thanks: "Obrigado por nos dizer.",
      retry: "Tentar de novo", offline: "Não há ligação. A sua mensagem não foi enviada.",
      refused: "O chat não está disponível nesta página.", many: "Demasiadas mensagens em pouco tempo. Aguarde um momento.",
      busy: "O assistente está ocupado. Aguarde um momento.", broken: "A resposta foi interrompida.",
      long: "Esta conversa ficou demasiado longa. Comece de novo.", failed: "Algo correu mal.",
    },
  };
  const asked = (set.language || document.documentElement.lang || "").toLowerCase().split("-")[0];
  const language = Object.hasOwn(WORDS, asked) ? asked : "en";
  const words = WORDS[language];
  const title = set.title || words.title;

  // ---- looks: line colours have 3:1 and texts 4.5:1 with what is behind them, in both themes --------------------------------

  const DARK = `--back:#14181c;--text:#f0f3f5;--faint:#b6bfc7;--ai:#262d33;--line:#8b959e;--human:#3a3010;--name:#ffd978;
    --wrong:#3d1712;--why:#ffc0b5;color-scheme:dark`;
  const STYLES = `
    :host{all:initial!important;display:contents!important}
    [hidden]{display:none!important}
    .root{all:initial;--back:#fff;--text:#1a1f24;--faint:#4d5761;--ai:#eef1f4;--line:#767f88;--human:#fff4d6;--name:#5c4000;
      --wrong:#fdecea;--why:#8a1f11;color-scheme:light;color:var(--text);
      font:16px/1.45 var(--tailorbird-font,system-ui,sans-serif);position:fixed;z-index:var(--tailorbird-layer,2147483000)}
    .root.dark{${DARK}}
    @media(prefers-color-scheme:dark){.root.auto{${DARK}}}
    *{box-sizing:border-box}
    button,textarea{font:inherit;color:inherit}
    button{display:inline-flex;align-items:center;justify-content:center;gap:8px;min-width:44px;min-height:44px;padding:0 12px;
      border:1px solid var(--line);border-radius:10px;background:var(--back);cursor:pointer}
    button:hover{text-decoration:underline}
    button[aria-disabled=true]{border-style:dashed;cursor:default;text-decoration:none}
    button[aria-pressed=true],.accent{background:var(--accent);color:var(--on)}
    :focus-visible{outline:3px solid var(--text);outline-offset:2px;box-shadow:0 0 0 2px var(--back)}
    svg{width:22px;height:22px;flex:none;fill:none;stroke:currentColor;stroke-width:2;stroke-linecap:round;stroke-linejoin:round}
    .launcher,.panel{position:fixed;bottom:20px;right:20px}
    .left .launcher,.left .panel{right:auto;left:20px}
    .launcher{width:60px;height:60px;border-radius:50%;border-color:var(--back);box-shadow:0 2px 10px #0006}
    .launcher.news::after{content:"";position:absolute;top:0;right:0;width:16px;height:16px;border-radius:50%;
      background:#c62828;border:2px solid #fff}
    .panel{display:flex;flex-direction:column;width:min(var(--tailorbird-width,400px),calc(100vw - 40px));
      height:min(var(--tailorbird-height,640px),calc(100dvh - 40px));overflow:hidden;background:var(--back);
      border:1px solid var(--line);border-radius:var(--tailorbird-radius,16px);box-shadow:0 8px 40px #0005}
    .top{position:sticky;top:0;z-index:1;background:var(--back)}
    .head{display:flex;align-items:center;padding:4px 4px 4px 16px;background:var(--accent);color:var(--on)}
    .head button{background:none;border-color:transparent;padding:0}
    .head :focus-visible{outline-color:var(--on);outline-offset:-3px;box-shadow:none}
    h2{flex:1;margin:0;font-size:18px;overflow-wrap:anywhere;min-width:0}
    .disclosure{margin:0;padding:6px 16px;font-size:14px;color:var(--faint);border-bottom:1px solid var(--line)}
    .log{flex:1;min-height:64px;overflow:hidden auto;overscroll-behavior:contain;padding:12px;outline-offset:-3px}
    ol,ul{margin:0;padding:0;list-style:none}
    ol{display:flex;flex-direction:column;gap:12px}
    li.user,li.assistant,li.person{max-width:88%;padding:8px 12px;border-radius:14px;overflow-wrap:anywhere;align-self:flex-start}
    li.user{align-self:flex-end;background:var(--accent);color:var(--on);white-space:pre-wrap}
    li.assistant{background:var(--ai)}
    li.person{background:var(--human);border:2px solid var(--name);border-radius:4px 14px 14px}
    li.note{align-self:center;text-align:center;font-size:14px;color:var(--faint)}
    .who{display:flex;align-items:center;gap:6px;font-size:13px;font-weight:600;color:var(--faint)}
    .person .who{color:var(--name)}
    .who svg{width:18px;height:18px}
    .text p,.text ul{margin:0 0 8px}
    .text>:last-child{margin-bottom:0}
    .text ul{padding-left:20px;list-style:disc}
    a{color:inherit;text-decoration:underline}
    .judge{display:flex;flex-wrap:wrap;gap:6px;margin-top:6px}
    .judge form{display:flex;flex-direction:column;gap:6px;width:100%;font-size:14px}
    .down svg{transform:rotate(180deg)}
    .trouble{display:flex;flex-wrap:wrap;align-items:center;gap:8px;padding:8px 12px;background:var(--wrong);color:var(--why)}
    .trouble p{flex:1 1 160px;margin:0}
    .trouble button{color:var(--text)}
    .bar{display:flex;padding:8px 12px 0;border-top:1px solid var(--line)}
    .bar button{flex:1;font-size:15px}
    .say{display:flex;align-items:flex-end;gap:8px;padding:8px 12px 12px}
    textarea{flex:1;min-width:0;min-height:44px;max-height:120px;padding:9px 12px;resize:none;background:var(--back);
      border:1px solid var(--line);border-radius:10px}
    textarea::placeholder{color:var(--faint);opacity:1}
    .unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
    .writing{animation:none;letter-spacing:3px}
    @media(prefers-reduced-motion:no-preference){
      .panel{animation:rise .18s ease-out}.writing{animation:pulse 1.2s infinite}
      @keyframes rise{from{opacity:0;transform:translateY(12px)}}@keyframes pulse{50%{opacity:.3}}
    }
    @media ${SHEET}{.root .panel{inset:0 0 auto;width:100vw;max-width:100%;height:100dvh;border:0;border-radius:0}
      .bar{padding-top:4px}.say{padding:4px 12px 8px}}
    @media(max-height:340px){.root .panel{overflow:hidden auto}.log{flex:1 0 auto;max-height:60vh}}`;

  const ICONS = {
    chat: "M4 5h16v11H9l-5 4z", close: "M6 6l12 12M18 6L6 18", send: "M4 12h15M13 6l6 6-6 6", stop: "M7 7h10v10H7z",
    anew: "M5 12a7 7 0 1 0 2.5-5.4M6 3v4h4", person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 21c1-4 4-6 8-6s7 2 8 6",
    thumb: "M7 11v9H4v-9zM7 11l4-8c1.5 0 2.5 1 2.5 2.5V9H19c1 0 1.7.9 1.5 1.9l-1.4 7.6c-.2.9-.8 1.5-1.7 1.5H7",
  };

  // ---- pieces of the page: made of nodes, never of markup -------------------------------------------------------------------

  function make(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (value === false || value === undefined) continue;
      if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
      else made.setAttribute(name, value === true ? "" : value);
    }
    made.append(...children);
    return made;
  }

  function icon(name) {
    const [svg, path] = ["svg", "path"].map((tag) => document.createElementNS("http://www.w3.org/2000/svg", tag));
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    path.setAttribute("d", ICONS[name]);
    svg.append(path);
    return svg;
  }

  /** A button that is an icon; its name is for those who do not see it, and a tooltip for those who do. */
  const iconButton = (name, label, onclick, more = {}) =>
    make("button", { type: "button", "aria-label": label, title: label, onclick, ...more }, icon(name));

  function link(address, label) {
    try {
      const { protocol, href } = new URL(address);
      if (protocol !== "https:" && protocol !== "http:") return null;
      return make("a", { href, target: "_blank", rel: "noopener nofollow" }, label);
    } catch {
      return null;
    }
  }

  const MARKS = /\*\*(.+?)\*\*|\[([^\]]+)\]\(([^\s)]+)\)|https?:\/\/[^\s<>"']*[^\s<>"'.,;:!?)\]*]/g;

  /** Bold and links of one line; what is neither stays as it was written. */
  function inline(text) {
    const nodes = [];
    let from = 0;
    for (const found of text.matchAll(MARKS)) {
      const [whole, bold, label, address] = found;
      const node = bold ? make("strong", {}, ...inline(bold)) : link(address ?? whole, label ?? whole);
      nodes.push(text.slice(from, found.index), node ?? whole);
      from = found.index + whole.length;
    }
    return [...nodes, text.slice(from)];
  }

  /** The Markdown that models write: paragraphs, bullet lists, bold, links. */
  function formatted(text) {
    const blocks = [];
    let open = null;
    for (const line of text.trim().split("\n")) {
      const item = /^\s*[-*•]\s+(.*)/.exec(line);
      const tag = item ? "ul" : line.trim() ? "p" : "";
      if (open?.localName !== tag) {
        open = tag ? make(tag) : null;
        if (open) blocks.push(open);
      } else if (tag === "p") open.append(make("br"));
      open?.append(...(item ? [make("li", {}, ...inline(item[1]))] : inline(line)));
    }
    return blocks;
  }

  // ---- what is remembered: in this tab only, until it is closed or the customer starts anew ---------------------------------

  const fresh = () => ({ conversation: null, state: "assistant", after: 0, disclosure: "", open: false, messages: [] });
  let held = fresh();
  try {
    held = { ...held, ...JSON.parse(sessionStorage.getItem(STORED)) };
  } catch {
    // A browser that stores nothing still chats.
  }

  function keep() {
    try {
      sessionStorage.setItem(STORED, JSON.stringify(held));
    } catch {
      // See above.
    }
  }

  // ---- the shadow tree ------------------------------------------------------------------------------------------------------

  const host = make("tailorbird-chat");
  const shadow = host.attachShadow({ mode: "open" });
  const look = new CSSStyleSheet();
  look.replaceSync(STYLES);
  shadow.adoptedStyleSheets = [look];

  const closed = { class: "launcher accent", "aria-haspopup": "dialog", "aria-expanded": "false" };
  const launcher = iconButton("chat", words.open, () => open(), closed);
  const disclosure = make("p", { class: "disclosure", id: "disclosure" });
  const list = make("ol");
  const log = make("div", { class: "log", role: "region", tabindex: "0", "aria-label": words.log }, list);
  const alarm = make("p", { role: "alert" });
  const retry = make("button", { type: "button" });
  const trouble = make("div", { class: "trouble", hidden: true }, alarm, retry);
  const personText = make("span");
  const personButton = make("button", { type: "button", onclick: () => person() }, icon("person"), personText);
  const input = make("textarea", { rows: "1", "aria-label": words.message, placeholder: words.message, enterkeyhint: "send" });
  const send = iconButton("send", words.send, undefined, { type: "submit", class: "accent" });
  const stop = iconButton("stop", words.stop, () => running?.abort(), { hidden: true });
  const form = make("form", { class: "say" }, input, send, stop);
  const controls = [iconButton("anew", words.anew, () => anew()), iconButton("close", words.close, () => close())];
  const head = make("div", { class: "head" }, make("h2", { id: "title" }, title), ...controls);
  const dialog = { role: "dialog", "aria-labelledby": "title", "aria-describedby": "disclosure", tabindex: "-1" };
  const panel = make(
    "div", { class: "panel", hidden: true, ...dialog },
    make("div", { class: "top" }, head, disclosure), log, trouble, make("div", { class: "bar" }, personButton), form,
  );
  // What is read aloud is apart from what is seen: here whole sentences arrive, there single words.
  const aloud = make("div", { class: "unseen", role: "log", "aria-live": "polite", "aria-label": title });
  const theme = ["light", "dark"].includes(set.theme) ? set.theme : "auto";
  const side = set.position === "left" ? "left" : "right";
  const whole = { class: `root ${theme} ${side}`, role: "region", "aria-label": title, lang: language, dir: "ltr" };
  const root = make("div", whole, launcher, panel, aloud);
  shadow.append(root);
  const sheet = matchMedia(SHEET);

  /** The accent as far as it is a plain colour, with black or white on it, whichever is read more easily. */
  function paint() {
    const pen = document.createElement("canvas").getContext("2d");
    pen.fillStyle = ACCENT;
    pen.fillStyle = getComputedStyle(host).getPropertyValue("--tailorbird-accent").trim() || set.accent || ACCENT;
    const accent = /^#[0-9a-f]{6}$/.test(pen.fillStyle) ? pen.fillStyle : ACCENT;
    const light = [1, 3, 5].map((at) => parseInt(accent.slice(at, at + 2), 16) / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    const luminance = 0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2];
    root.style.setProperty("--accent", accent);
    root.style.setProperty("--on", 1.05 / (luminance + 0.05) >= (luminance + 0.05) / 0.05 ? "#fff" : "#000");
  }

  /** On a phone the sheet is as high as what the keyboard leaves free; not while the page is magnified by hand. */
  function fit() {
    const seen = window.visualViewport;
    const free = seen && sheet.matches && seen.scale < 1.01;
    panel.style.top = free ? `${seen.offsetTop}px` : "";
    panel.style.height = free ? `${seen.height}px` : "";
    panel.setAttribute("aria-modal", String(sheet.matches));
  }

  // ---- showing messages -----------------------------------------------------------------------------------------------------

  const views = new WeakMap(); // message -> where its text goes

  function show(message) {
    const text = make("div", { class: "text", dir: "auto" });
    const view = make("li", { class: message.role }, text);
    if (message.role === "note") text.append(words[message.text] ?? "");
    else {
      const who = { user: words.you, assistant: words.ai, person: signed(message.author) }[message.role];
      const sign = message.role === "person" ? [icon("person")] : [];
      view.prepend(make("span", { class: message.role === "user" ? "unseen" : "who" }, ...sign, who));
      if (message.role === "user") text.append(message.text);
      views.set(message, { view, text });
      if (message.role !== "user") fill(message);
    }
    list.append(view);
    if (message.turn) judged(message);
    toEnd(message.role !== "person");
  }

  const signed = (author) => (author ? `${author} · ${words.team}` : words.team);

  function fill(message) {
    const { text } = views.get(message);
    const writing = () => make("span", { class: "writing", "aria-hidden": "true" }, "•••");
    text.replaceChildren(...(message.text.trim() ? formatted(message.text) : [writing()]));
    toEnd();
  }

  /** Shows as much of an answer as there is. */
  function display(answer) {
    if (!answer.text || !held.messages.includes(answer)) return;
    if (views.has(answer)) fill(answer);
    else show(answer);
  }

  function toEnd(always) {
    if (always || log.scrollHeight - log.scrollTop - log.clientHeight < 120) log.scrollTop = log.scrollHeight;
  }

  function add(message) {
    held.messages.push(message);
    show(message);
    keep();
  }

  function note(text) {
    add({ role: "note", text });
    say(words[text]);
  }

  function remove(message) {
    held.messages = held.messages.filter((one) => one !== message);
    views.get(message)?.view.remove();
  }

  /** Has screen readers say something. */
  function say(text) {
    const told = text.replaceAll("**", "").trim();
    if (told) aloud.append(make("p", {}, told));
    while (aloud.childElementCount > 12) aloud.firstElementChild.remove();
  }

  /** Says what of an answer has become whole sentences since `from`; returns how far that is. */
  function sayOn(text, from, ended) {
    const ends = [...text.matchAll(/[.!?…]["')\]]*\s|\n/g)].map((found) => found.index + found[0].length);
    const to = ended ? text.length : ends.at(-1) ?? 0;
    if (to > from) say(text.slice(from, to));
    return Math.max(to, from);
  }

  // ---- thumbs ---------------------------------------------------------------------------------------------------------------

  function judged(message) {
    const thumb = (good, label, more) =>
      iconButton("thumb", label, () => press(good), { "aria-pressed": String(message.good === good), ...more });
    const up = thumb(true, words.good), down = thumb(false, words.bad, { class: "down" });
    const better = make("textarea", { rows: "2", "aria-label": words.better, maxlength: "4000" });
    better.value = message.correction ?? "";
    const correcting = make(
      "form", { hidden: message.good !== false },
      make("span", { "aria-hidden": "true" }, words.better), better, make("button", { class: "accent" }, words.send),
    );
    correcting.addEventListener("submit", (event) => {
      event.preventDefault();
      message.correction = better.value.trim();
      correcting.hidden = true;
      down.focus();
      judge(message);
    });
    function press(good) {
      message.good = good;
      up.setAttribute("aria-pressed", String(good));
      down.setAttribute("aria-pressed", String(!good));
      correcting.hidden = good;
      toEnd();
      judge(message);
    }
    views.get(message).view.append(make("div", { class: "judge" }, up, down, correcting));
  }

  async function judge(message) {
    keep();
    const { conversation, turn, good, correction } = message;
    try {
      await call("v1/feedback", { conversation, turn, good, correction: good ? "" : correction ?? "" });
      say(words.thanks);
    } catch (problem) {
      fail(problem, () => judge(message));
    }
  }

  // ---- the server -----------------------------------------------------------------------------------------------------------

  class Trouble extends Error {
    constructor(kind, status = 0, wait = 0) {
      super(kind);
      Object.assign(this, { kind, status, wait });
    }
  }

  /** Seconds of a Retry-After header, which may be a date too; a guess where the server does not let the page read it. */
  function pause(response) {
    const told = response.headers.get("Retry-After");
    const seconds = Number(told ?? NaN) || (Date.parse(told) - Date.now()) / 1000;
    return Math.min(Math.max(seconds || 5, 1), 600);
  }

  async function call(path, body, { signal, once } = {}) {
    const headers = { ...(set.key && { Authorization: `Bearer ${set.key}` }), ...(once && { "Idempotency-Key": once }) };
    if (body) headers["Content-Type"] = "application/json";
    let response;
    try {
      const told = { method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body), signal };
      response = await fetch(new URL(path, base), { ...told, credentials: "omit", cache: "no-store" });
    } catch (problem) {
      throw problem.name === "AbortError" ? problem : new Trouble("offline");
    }
    if (response.ok) return response;
    const kind = { 401: "refused", 403: "refused", 413: "long", 429: "many", 503: "busy" }[response.status];
    throw new Trouble(kind ?? "failed", response.status, [429, 503].includes(response.status) ? pause(response) : 0);
  }

  let counting = 0;

  /** Shows what went wrong, with a button that tries again as soon as the server may be asked again. */
  function fail(problem, again) {
    let left = Math.ceil(problem.wait ?? 0);
    clearInterval(counting);
    trouble.hidden = false;
    alarm.textContent = words[problem.kind] ?? words.broken;
    const tick = () => {
      retry.textContent = left > 0 ? `${words.retry} (${left})` : words.retry;
      retry.setAttribute("aria-disabled", String(left > 0));
      if (left-- <= 0) clearInterval(counting);
    };
    counting = setInterval(tick, 1000);
    tick();
    retry.onclick = () => {
      if (retry.getAttribute("aria-disabled") === "true") return;
      const focused = shadow.activeElement === retry;
      settled();
      if (focused) input.focus();
      again();
    };
  }

  function settled() {
    clearInterval(counting);
    trouble.hidden = true;
    alarm.textContent = "";
  }

  // ---- asking ---------------------------------------------------------------------------------------------------------------

  let running = null; // what stops the answer that is being written
  let current = Promise.resolve();

  /** The conversation up to one message of the customer's. A person's messages are the shop's, as the assistant's are. */
  function history(message) {
    const told = held.messages.slice(0, held.messages.indexOf(message) + 1).filter((one) => one.text && one.role !== "note");
    return told.map((one) => ({ role: one.role === "user" ? "user" : "assistant", content: one.text }));
  }

  /** The stream of an answer. A conversation that the server no longer has is begun anew with what was said in it. */
  async function begin(message, signal) {
    const { conversation } = held;
    const body = { model: set.model || "production", stream: true, messages: history(message) };
    if (conversation) body.metadata = { conversation };
    try {
      return await call("v1/chat/completions", body, { signal, once: message.once });
    } catch (problem) {
      if (problem.status !== 400 || !conversation) throw problem;
      Object.assign(held, { conversation: null, state: "assistant", after: 0 });
      return begin(message, signal);
    }
  }

  async function read(response, answer) {
    // Decoded here and not in a pipe, which would lose what it holds when the connection breaks.
    const reader = response.body.getReader(), decoder = new TextDecoder();
    let rest = "", spoken = 0, frame = 0, ended = false;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      const lines = (rest + decoder.decode(value, { stream: true })).split("\n");
      rest = lines.pop();
      for (const line of lines) if (line.startsWith("data:")) ended = take(line.slice(5).trim(), answer) || ended;
      spoken = sayOn(answer.text, spoken, false);
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(() => display(answer));
    }
    cancelAnimationFrame(frame);
    if (!ended) throw new Trouble("broken");
    sayOn(answer.text, spoken, true);
  }

  /** Takes in one event; true for the one that says that the answer is whole. */
  function take(data, answer) {
    if (data === "[DONE]") return true;
    const event = JSON.parse(data);
    if (event.error) throw new Trouble("broken");
    const choice = event.choices[0], delta = choice?.delta ?? {};
    if (event.conversation && event.conversation !== answer.conversation) {
      held.conversation = answer.conversation = event.conversation;
      keep(); // the customer may leave the page before the answer is whole
    }
    if (event.turn) answer.turn = event.turn;
    if (delta.disclosure) disclose(delta.disclosure);
    answer.text += delta.content ?? "";
    if (!choice?.finish_reason) return false;
    answer.action = delta.action ?? "answer";
    answer.with = delta.reason?.startsWith("person") ? "person" : "waiting";
    // The server's own words are nobody's to judge.
    const guarded = delta.guards?.some((one) => /: (block|hand_over)$/.test(one));
    answer.fixed = guarded || answer.action !== "answer" || answer.text.trim() === held.disclosure;
    return true;
  }

  function disclose(text) {
    held.disclosure ||= text;
    disclosure.textContent = held.disclosure || set.disclosure || words.disclosure;
  }

  function finish(answer) {
    const { action, with: whose, fixed } = answer;
    for (const name of ["action", "with", "fixed", "open"]) delete answer[name];
    if (fixed) delete answer.turn;
    if (!answer.text.trim()) remove(answer);
    else {
      display(answer);
      if (answer.turn) judged(answer);
    }
    move(action === "answer" ? "assistant" : action === "hand_over" ? "waiting" : whose);
  }

  async function ask(message, then) {
    settled();
    const answer = { role: "assistant", text: "", open: true };
    running = new AbortController();
    busy(true);
    if (held.state === "assistant") add(answer);
    else held.messages.push(answer); // a person answers: nobody is writing that one sees
    try {
      await read(await begin(message, running.signal), answer);
      finish(answer);
    } catch (problem) {
      broken(answer, problem, () => ask(message, then));
      then = undefined;
    }
    running = null;
    busy(false);
    keep();
    if (held.conversation) await then?.();
  }

  /** What there is of an answer stays where the customer stopped it, and until it is asked for again where it broke off. */
  function broken(answer, problem, again) {
    if (!held.messages.includes(answer)) return; // the customer has started anew
    delete answer.turn;
    if (!answer.text.trim()) remove(answer);
    else display(answer);
    if (problem.name === "AbortError") {
      delete answer.open;
      return note("stopped");
    }
    fail(problem instanceof Trouble ? problem : new Trouble("broken"), () => {
      remove(answer);
      current = again();
    });
  }

  /** Sends a message of the customer's as soon as the answer before it is there. */
  function write(text, then) {
    current = current.then(() => {
      const message = { role: "user", text, once: [...crypto.getRandomValues(new Uint32Array(4))].join("-") };
      add(message);
      return ask(message, then);
    });
    return current;
  }

  function busy(on) {
    const focused = shadow.activeElement;
    stop.hidden = !on;
    send.hidden = on;
    if (focused === send && on) stop.focus();
    if (focused === stop && !on) input.focus();
  }

  function anew() {
    running?.abort();
    clearTimeout(timer);
    held = { ...fresh(), open: true };
    list.replaceChildren();
    aloud.replaceChildren();
    settled();
    disclose("");
    named();
    keep();
    input.focus();
  }

  // ---- people ---------------------------------------------------------------------------------------------------------------

  let timer = 0, newest = Date.now();

  let wishing = false;

  async function person() {
    if (held.state !== "assistant") return say(words[held.state === "person" ? "taken" : "waiting"]);
    if (wishing) return;
    wishing = true;
    running?.abort();
    await current;
    await handOff();
    wishing = false;
  }

  /** Asks for a person. Where there is no conversation yet, the wish begins one. */
  async function handOff() {
    if (!held.conversation) return write(words.wish, handOff);
    if (held.state !== "assistant") return;
    try {
      const told = await (await call(`v1/conversations/${held.conversation}/hand-off`, {})).json();
      move(told.state);
    } catch (problem) {
      fail(problem, person);
    }
  }

  function named() {
    const free = held.state === "assistant";
    personText.textContent = free ? words.person : words[held.state === "person" ? "taken" : "asked"];
    personButton.setAttribute("aria-disabled", String(!free));
  }

  /** Who has the conversation from now on: `assistant`, `waiting`, `person`, or nobody any more (`closed`). */
  function move(state) {
    const before = held.state;
    newest = Date.now();
    if (state !== before) {
      held.state = state;
      if (state === "closed") Object.assign(held, { conversation: null, state: "assistant", after: 0 });
      note(state === "person" ? "taken" : state);
    }
    named();
    keep();
    watch();
  }

  /** Looks for news later, while a person has been asked and there was something new not too long ago. */
  function watch(wait = 0) {
    clearTimeout(timer);
    if (held.state === "assistant" || !held.conversation || Date.now() - newest > QUIET) return;
    timer = setTimeout(news, Math.max(document.hidden ? HIDDEN : VISIBLE, wait * 1000));
  }

  async function news() {
    const { conversation } = held;
    let wait = 0;
    try {
      const told = await (await call(`v1/conversations/${conversation}/messages?after=${held.after}`)).json();
      if (conversation !== held.conversation) return;
      const unseen = told.messages.filter((one) => one.turn > held.after);
      if (unseen.length || told.state !== held.state) {
        if (told.state === "person") move("person");
        unseen.forEach(hear);
        move(told.state);
      }
    } catch (problem) {
      if (conversation !== held.conversation) return;
      if ([400, 401, 403, 404].includes(problem.status)) return fail(problem, news);
      wait = problem.wait ?? 0; // anything else may pass
    }
    watch(wait);
  }

  function hear({ turn, content, author }) {
    held.after = turn;
    add({ role: "person", text: content, author });
    say(`${signed(author)}: ${content}`);
    if (!panel.hidden) return;
    launcher.classList.add("news");
    launcher.setAttribute("aria-label", `${words.open}: ${words.news}`);
  }

  // ---- opening and closing --------------------------------------------------------------------------------------------------

  function open(quietly) {
    paint();
    panel.hidden = false;
    launcher.hidden = true;
    launcher.classList.remove("news");
    launcher.setAttribute("aria-label", words.open);
    launcher.setAttribute("aria-expanded", "true");
    fit();
    toEnd(true);
    // A keyboard that opens at once would cover half of a phone.
    if (!quietly) (sheet.matches ? panel : input).focus();
    held.open = true;
    keep();
  }

  function close() {
    panel.hidden = true;
    launcher.hidden = false;
    launcher.setAttribute("aria-expanded", "false");
    launcher.focus();
    held.open = false;
    keep();
  }

  /** Keeps the focus in the sheet, behind which a phone shows nothing. */
  function trap(event) {
    const able = [...panel.querySelectorAll("button,textarea,a,[tabindex='0']")].filter((one) => one.offsetParent);
    const [first, last] = [able[0], able.at(-1)];
    const from = shadow.activeElement;
    if (event.shiftKey ? from !== first && from !== panel : from !== last) return;
    event.preventDefault();
    (event.shiftKey ? last : first).focus();
  }

  function grow() {
    input.style.height = "auto";
    input.style.height = `${input.scrollHeight + 2}px`;
  }

  function submit(event) {
    event?.preventDefault();
    const text = input.value.trim();
    if (!text || running) return;
    input.value = "";
    grow();
    write(text);
  }

  form.addEventListener("submit", submit);
  input.addEventListener("input", grow);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) submit(event);
  });
  panel.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.isComposing) close();
    else if (event.key === "Tab" && sheet.matches) trap(event);
  });
  // What is typed here is none of the page's shortcuts.
  for (const kind of ["keydown", "keyup", "keypress"]) root.addEventListener(kind, (event) => event.stopPropagation());
  document.addEventListener("visibilitychange", () => watch());
  sheet.addEventListener("change", fit);
  for (const kind of ["resize", "scroll"]) window.visualViewport?.addEventListener(kind, fit);

  function start() {
    document.body.append(host);
    paint();
    disclose("");
    held.messages = held.messages.filter((one) => !one.open); // answers that were not whole when the page was left
    held.messages.forEach(show);
    named();
    watch();
    if (held.open && !sheet.matches) open(true);
    const last = held.messages.at(-1);
    if (last?.role !== "user" || held.state !== "assistant") return;
    fail(new Trouble("broken"), () => (current = ask(last))); // the page was left before the answer was there
  }

  window.tailorbird = Object.freeze({
    open: () => open(),
    close,
    ask(text) {
      open();
      if (String(text).trim()) write(String(text).trim());
    },
  });
  if (document.body) start();
  else document.addEventListener("DOMContentLoaded", start);
})();
