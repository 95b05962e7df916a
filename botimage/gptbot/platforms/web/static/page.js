// The page lives without this: forms post, and a reload shows what is new. This makes it live.
if (location.search) location.replace("./"); // the plain page is for browsers without scripts
const $ = (id) => document.getElementById(id);
const [log, live, typing, state, error, composer, box] = ["log", "live", "typing", "state", "error", "composer", "message"].map($);
const words = document.body.dataset;

// --- Scrolling: stay at the end while the reader is there.
const atEnd = () => innerHeight + scrollY >= document.documentElement.scrollHeight - 96;
const toEnd = (behavior = "instant") => scrollTo({ top: document.documentElement.scrollHeight, behavior });
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const change = (update) => {
  const follow = atEnd();
  update();
  $("welcome").hidden = log.childElementCount + live.childElementCount > 0;
  if (follow) toEnd();
  else $("latest").hidden = false;
};
addEventListener("scroll", () => { if (atEnd()) $("latest").hidden = true; }, { passive: true });
$("latest").addEventListener("click", () => { toEnd(calm.matches ? "instant" : "smooth"); box.focus({ preventScroll: true }); });

// --- Messages. Their HTML was sanitised on the server.
const element = (html) => {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content.firstElementChild;
};
const find = (place, id) => place.querySelector(`[data-id="${CSS.escape(id)}"]`);
const addCopyButtons = (article) => {
  if (!navigator.clipboard) return;
  for (const code of article.querySelectorAll(".code")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = words.copy;
    button.setAttribute("aria-label", words.copyLabel);
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(code.querySelector("code").textContent);
      button.textContent = words.copied;
      setTimeout(() => { button.textContent = words.copy; }, 1500);
    });
    code.append(button);
  }
};
const showMessage = ({ id, html }) => change(() => {
  const article = element(html);
  addCopyButtons(article);
  find(live, id)?.remove();
  const old = find(log, id);
  if (old) old.replaceWith(article);
  else log.append(article);
  article.querySelector(".actions")?.addEventListener("submit", press);
  if (article.classList.contains("bot")) showTyping(false);
});
const showLive = ({ id, from, blocks, tail, frame }) => change(() => {
  let article = find(live, id);
  if (frame) {
    const fresh = element(frame);
    if (article) article.replaceWith(fresh);
    else live.append(fresh);
    article = fresh;
    article.querySelector(".actions")?.addEventListener("submit", press);
  }
  if (!article) return;
  const body = article.querySelector(".body");
  while (body.childElementCount > from) body.lastElementChild.remove();
  for (const html of [...blocks, tail]) body.append(element(`<div class="block">${html}</div>`));
  showTyping(false);
});
let typingTimer;
const showTyping = (on) => {
  clearTimeout(typingTimer);
  if (on) typingTimer = setTimeout(() => { typing.hidden = true; }, 12000);
  if (typing.hidden !== on) return;
  const follow = atEnd();
  typing.hidden = !on;
  if (follow) toEnd();
};

// --- Events. The browser reconnects by itself and resumes by the last id; this looks after what it does not.
let source, last = words.after, lost = false, delay = 1000, retry, watchdog;
const say = (text, good = false) => { state.textContent = text; state.classList.toggle("good", good); };
const alive = (event) => {
  clearTimeout(watchdog);
  watchdog = setTimeout(open, 45000);
  if (event.lastEventId) last = event.lastEventId;
};
const on = (name, handle) => source.addEventListener(name, (event) => {
  alive(event);
  handle(event.data ? JSON.parse(event.data) : {});
});
function open() {
  clearTimeout(retry);
  source?.close();
  source = new EventSource(`events?after=${encodeURIComponent(last)}`);
  on("ping", () => {});
  on("message", showMessage);
  on("live", showLive);
  on("typing", () => showTyping(true));
  on("end", () => location.reload());
  source.addEventListener("open", (event) => {
    alive(event);
    delay = 1000;
    if (lost) {
      say(words.back, true);
      setTimeout(() => { if (!lost) say(""); }, 4000);
    }
    lost = false;
  });
  source.addEventListener("error", () => {
    lost = true;
    say(navigator.onLine ? words.lost : words.offline);
    if (source.readyState === EventSource.CLOSED) {
      clearTimeout(retry);
      retry = setTimeout(open, delay);
      delay = Math.min(delay * 2, 30000);
    }
  });
}
const close = () => {
  clearTimeout(watchdog);
  clearTimeout(retry);
  source?.close();
  source = undefined;
};
// A page nobody looks at gives its connection back: browsers allow six a host over HTTP/1.1.
let away;
document.addEventListener("visibilitychange", () => {
  clearTimeout(away);
  if (document.hidden) away = setTimeout(close, 60000);
  else if (!source) open();
});
addEventListener("online", open);
addEventListener("pagehide", close);
addEventListener("pageshow", (event) => { if (event.persisted) open(); });

// --- Files: by the button, dropped on the page, or pasted. They are sent with the message.
const chooser = $("files"), list = $("picked"), attached = $("attached");
let picked = [];
const pick = (files) => {
  const size = files.reduce((sum, file) => sum + file.size, 0);
  error.textContent = files.length > words.most ? words.many : size > words.size ? words.large : "";
  if (error.textContent) return;
  picked = files;
  list.hidden = !files.length;
  list.replaceChildren(...files.map((file) => {
    const item = document.createElement("li"), name = document.createElement("span"), remove = document.createElement("button");
    name.textContent = file.name;
    remove.type = "button";
    remove.textContent = "×";
    remove.setAttribute("aria-label", `${words.remove}: ${file.name}`);
    remove.addEventListener("click", () => {
      pick(picked.filter((other) => other !== file));
      (list.querySelector("button") ?? box).focus();
    });
    item.append(name, remove);
    return item;
  }));
  attached.textContent = files.length ? `${words.attached}: ${files.map((file) => file.name).join(", ")}` : "";
};
chooser.addEventListener("change", () => {
  pick([...picked, ...chooser.files]);
  chooser.value = "";
  box.focus({ preventScroll: true });
});
const carries = (event) => event.dataTransfer?.types.includes("Files");
addEventListener("dragover", (event) => {
  if (!carries(event)) return;
  event.preventDefault();
  composer.classList.add("dropping");
});
addEventListener("dragleave", (event) => { if (!event.relatedTarget) composer.classList.remove("dropping"); });
addEventListener("drop", (event) => {
  composer.classList.remove("dropping");
  if (!carries(event)) return;
  event.preventDefault();
  pick([...picked, ...event.dataTransfer.files]);
  box.focus({ preventScroll: true });
});
addEventListener("paste", (event) => {
  const files = [...(event.clipboardData?.files ?? [])];
  if (!files.length || event.clipboardData.getData("text/plain")) return; // an office pastes a picture of its text, too
  event.preventDefault();
  pick([...picked, ...files]);
});

// --- Sending. The same id again is the same message, so a second try is safe.
let sending = false;
const posted = (form, submitter) => {
  const fields = new FormData(form, submitter);
  fields.delete("file");
  if (form !== composer || !picked.length) return new URLSearchParams(fields);
  for (const file of picked) fields.append("file", file);
  return fields;
};
const send = async (event) => {
  event.preventDefault();
  const form = event.currentTarget;
  const body = posted(form, event.submitter);
  const text = body.get("text").trim(), files = form === composer ? [...picked] : [];
  if (sending || !(text || files.length)) return;
  sending = true;
  composer.setAttribute("aria-busy", "true");
  try {
    const response = await fetch(form.action, { method: "POST", body, headers: { Accept: "application/json" } });
    const answer = await response.json();
    error.textContent = answer.error ?? "";
    if (response.status === 409) location.reload();
    if (!response.ok) return;
    if (form === composer && box.value.trim() === text) box.value = "";
    if (files.length) pick(picked.filter((file) => !files.includes(file)));
    form.elements.id.value = answer.next;
    showMessage(answer);
    toEnd();
    if (answer.accepted) showTyping(true);
    else note(answer.id);
  } catch {
    error.textContent = words.failed;
  } finally {
    sending = false;
    composer.removeAttribute("aria-busy");
    box.focus({ preventScroll: true });
  }
};
// A button below a message: nothing is shown of the press but what comes of it.
const press = async (event) => {
  event.preventDefault();
  const form = event.currentTarget, command = event.submitter.value;
  const body = new URLSearchParams(new FormData(form, event.submitter));
  event.submitter.disabled = true;
  try {
    const response = await fetch(form.action, { method: "POST", body, headers: { Accept: "application/json" } });
    const answer = await response.json();
    error.textContent = answer.error ?? (answer.accepted ? "" : words.refused);
    if (!response.ok || !answer.accepted) event.submitter.disabled = false;
    else if (command !== "!stop") {
      form.hidden = true;
      showTyping(true);
    }
  } catch {
    error.textContent = words.failed;
    event.submitter.disabled = false;
  } finally {
    box.focus({ preventScroll: true });
  }
};
const note = (id) => {
  const line = document.createElement("p");
  line.className = "note";
  line.textContent = words.refused;
  find(log, id)?.append(line);
};
composer.addEventListener("submit", send);
$("chips").addEventListener("submit", send);
// The menu of commands opens and closes by itself; a script closes it once it is done with.
const menu = $("menu");
menu.querySelector("form").addEventListener("submit", (event) => {
  menu.open = false;
  send(event);
});
menu.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !menu.open) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});
document.addEventListener("click", (event) => { if (!menu.contains(event.target)) menu.open = false; });
box.addEventListener("keydown", (event) => {
  // Safari ends a composition before the Enter that did it: only its key code tells (UI Events, 7.3.1: 229 is an IME's).
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
  event.preventDefault();
  composer.requestSubmit();
});

for (const article of log.children) addCopyButtons(article);
for (const form of document.querySelectorAll(".actions")) form.addEventListener("submit", press);
if (matchMedia("(pointer: fine)").matches) box.focus({ preventScroll: true });
toEnd();
open();
