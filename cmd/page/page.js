// The page of `mirrord ui`: exchanges the token of its address, then shows what page_server.ts says of the
// sessions. Every text comes from programs and peers, so it is set as text, never as HTML.

/** Rows of a table that are shown, and kept of one session. */
const mostRows = 500;
/** How often the page is drawn anew at most. */
const drawMs = 150;

/** What each tab shows: its columns, and the cells of a row as [text, class]. */
const tabs = {
  Requests: {
    columns: ["time", "", "method", "path", "status", "ms", "client"],
    cells: (one) => {
      const [method = "", path = ""] = (one.request.head.split("\n")[0] ?? "").split(" ");
      const status = one.status ?? (one.isOver ? "none" : "…");
      const kind = one.status === null ? "warn" : one.status >= 400 ? "bad" : "good";
      const time = one.isOver ? one.milliseconds.toFixed(1) : "";
      return [[one.at], [one.mode, "dim"], [method], [path, "wide"], [status, kind], [time, "number"], [
        one.peer,
      ]];
    },
  },
  Connections: {
    columns: ["last", "times", "", "peer", "names", "whose", "why"],
    cells: (one) => [
      [one.at],
      [one.times, "number"],
      [one.protocol, "dim"],
      [one.peer],
      [one.names.join(" "), "wide"],
      [one.whose, one.whose],
      [one.why, "wide"],
    ],
  },
  Names: {
    columns: ["last", "times", "name", "whose", "why"],
    cells: (
      one,
    ) => [[one.at], [one.times, "number"], [one.name, "wide"], [one.whose, one.whose], [one.why, "wide"]],
  },
  Files: {
    columns: ["last", "times", "", "path", "whose", "why", "program"],
    cells: (one) => [
      [one.at],
      [one.times, "number"],
      [one.writes ? "change" : "read", "dim"],
      [one.path, "wide"],
      [one.whose, one.whose],
      [one.why, "wide"],
      [one.executable.replace(/^.*\//, "")],
    ],
  },
  Events: {
    columns: ["time", "event", "facts"],
    cells: ({ at, type, ...facts }) => [[at], [type], [JSON.stringify(facts), "wide"]],
  },
};

/** Which tab a detail belongs to, and what makes two of them one row. */
const places = {
  exchange: { tab: "Requests", key: (one) => String(one.number) },
  connection: { tab: "Connections", key: (one) => `${one.protocol} ${one.peer} ${one.whose} ${one.why}` },
  name: { tab: "Names", key: (one) => `${one.name} ${one.whose} ${one.why}` },
  file: { tab: "Files", key: (one) => `${one.writes} ${one.path} ${one.whose} ${one.why}` },
};

const whose = { target: "the target's", machine: "this machine's", nobody: "absent" };
const sessions = new Map();
const shown = { session: null, tab: "Requests", row: null, words: "", paused: false };
let dropped = 0;
let isDrawing = false;

const byId = (id) => document.getElementById(id);

/** An element with text and children. */
function element(name, { text, className, ...rest } = {}, ...children) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className !== undefined) made.className = className;
  for (const [key, value] of Object.entries(rest)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

/** Tells what the page is doing. */
function say(text) {
  byId("state").textContent = text;
}

function stored() {
  return localStorage.getItem("key");
}

/** Exchanges the token behind the # for the cookie and the key; false: nobody may come in by it. */
async function enter() {
  const token = location.hash.slice(1);
  if (token === "") return true;
  history.replaceState(null, "", "/");
  const answer = await fetch("/enter", { method: "POST", body: token });
  if (answer.ok) localStorage.setItem("key", (await answer.json()).key);
  else if (stored() === null) {
    say(await answer.text());
    return false;
  }
  return true;
}

/** Reads lines of JSON until the server ends. */
async function follow() {
  const answer = await fetch("/events", { headers: { "x-mirrord-key": stored() ?? "" } });
  if (!answer.ok) return say(await answer.text());
  say("");
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) {
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines) take(JSON.parse(line));
    draw();
  }
  say("mirrord ui has ended");
}

function take(message) {
  if ("dropped" in message) dropped += message.dropped;
  if (!("session" in message)) return;
  const { session: id, answer } = message;
  if (!sessions.has(id)) {
    const rows = Object.fromEntries(Object.keys(tabs).map((name) => [name, new Map()]));
    sessions.set(id, { id, facts: null, ports: new Map(), rows, isOver: false });
    shown.session ??= id;
  }
  const session = sessions.get(id);
  if ("facts" in answer) {
    session.facts = answer.facts;
    for (const port of answer.facts.ports) session.ports.set(port.port, port);
  } else if ("ended" in answer) session.isOver = true;
  else if ("dropped" in answer) dropped += answer.dropped;
  else if ("event" in answer) takeEvent(session, answer);
  else if ("detail" in answer) takeDetail(session, answer);
}

function takeEvent(session, { at, event }) {
  if (event.type === "subscribed") session.ports.set(event.port, event);
  if (event.type === "released") session.ports.delete(event.port);
  const states = { paused: "paused", continued: "running", silent: "silent", heardAgain: "running" };
  if (session.facts !== null && event.type in states) session.facts.state = states[event.type];
  add(session.rows.Events, `${at} ${session.rows.Events.size} ${event.type}`, { ...event, at });
}

function takeDetail(session, { at, detail }) {
  const place = places[detail.type];
  if (place !== undefined) add(session.rows[place.tab], place.key(detail), { ...detail, at });
}

/** The newest is the last; a row that is there already moves there, but for requests. */
function add(rows, key, one) {
  const before = rows.get(key);
  if (one.type !== "exchange") rows.delete(key);
  rows.set(key, { ...one, key, times: (before?.times ?? 0) + 1 });
  if (rows.size > mostRows) rows.delete(rows.keys().next().value);
}

/** Draws soon, and once for many messages. */
function draw() {
  if (isDrawing || shown.paused) return;
  isDrawing = true;
  setTimeout(() => {
    isDrawing = false;
    drawAll();
  }, drawMs);
}

/** Puts `children` into `parent`, but keeps the keyboard's place: the one at that place gets it again. */
function replace(parent, children) {
  const buttons = () => [...parent.querySelectorAll("button")];
  const place = buttons().indexOf(document.activeElement);
  parent.replaceChildren(...children);
  if (place >= 0) buttons()[place]?.focus();
}

function drawAll() {
  byId("none").hidden = sessions.size > 0;
  replace(byId("sessions"), [...sessions.values()].map(sessionItem));
  const session = sessions.get(shown.session);
  byId("session").hidden = session?.facts == null;
  if (dropped > 0) say(`${dropped} messages were left out: more came than could be shown`);
  if (session?.facts == null) return;
  drawSummary(session);
  replace(byId("tabs"), Object.keys(tabs).map((name) => tabButton(name, session)));
  drawRows(session);
  drawShown(session);
}

function sessionItem(session) {
  const { facts, id, isOver } = session;
  const [program, ...args] = facts?.command ?? [];
  const name = program === undefined ? facts?.kind ?? id : [program.replace(/^.*\//, ""), ...args].join(" ");
  const choose = () => {
    shown.session = id;
    shown.row = null;
    drawAll();
  };
  const button = element("button", {
    type: "button",
    onclick: choose,
    "aria-current": String(shown.session === id),
  });
  button.append(
    element("span", { text: name.slice(0, 60) }),
    element("small", { text: `${facts?.target ?? ""} · ${isOver ? "ended" : facts?.state ?? ""} · ${id}` }),
  );
  return element("li", {}, button);
}

function drawSummary({ id, facts, ports, isOver }) {
  const part = (name, value) => element("span", {}, element("b", { text: `${name} ` }), String(value));
  const agent = facts.agent;
  const parts = [
    part("target", facts.target),
    ...(facts.namespace === null ? [] : [part("namespace", facts.namespace)]),
    ...(facts.context === null ? [] : [part("context", facts.context)]),
    part("process", facts.pid),
    part("since", new Date(facts.since).toLocaleTimeString()),
    part("agent", agent === null ? "none" : `${agent.place}, kernel ${agent.kernel}`),
  ];
  if (!isOver) parts.push(element("button", { type: "button", text: "Stop", onclick: () => end(id) }));
  const texts = [...ports.values()].map(({ port, mode, filtered, opened }) =>
    `${port} ${mode === "steal" ? "stolen" : "mirrored"}${filtered ? ", filtered" : ""} (${opened})`
  );
  const held = texts.length === 0 ? "no port of the target is taken" : `ports: ${texts.join(", ")}`;
  replace(byId("summary"), [...parts, element("span", { className: "ports", text: held })]);
}

async function end(session) {
  if (!confirm("End the session and its program?")) return;
  const headers = { "x-mirrord-key": stored() ?? "" };
  const answer = await fetch("/end", {
    method: "POST",
    headers,
    body: JSON.stringify({ session, how: "stop" }),
  });
  if (!answer.ok) say(await answer.text());
}

function tabButton(name, session) {
  const choose = () => {
    shown.tab = name;
    shown.row = null;
    drawAll();
  };
  const text = `${name} ${session.rows[name].size}`;
  return element("button", {
    type: "button",
    role: "tab",
    text,
    onclick: choose,
    "aria-selected": String(shown.tab === name),
  });
}

function drawRows(session) {
  const { columns, cells } = tabs[shown.tab];
  const words = shown.words.toLowerCase().split(/\s+/).filter(Boolean);
  const head = element("tr", {}, ...columns.map((text) => element("th", { text, scope: "col" })));
  const rows = [...session.rows[shown.tab].values()].reverse().flatMap((one) => {
    const texts = cells(one).map(([text, className]) => [cellText(text), className]);
    const line = texts.map(([text]) => text).join(" ").toLowerCase();
    if (!words.every((word) => line.includes(word))) return [];
    return [tableRow(one, texts)];
  });
  byId("rows").replaceChildren(
    element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows)),
  );
}

function cellText(value) {
  if (typeof value === "number" && value > 1e12) return new Date(value).toLocaleTimeString();
  return whose[value] ?? String(value);
}

function tableRow(one, texts) {
  const cells = texts.map(([text, className = ""]) => element("td", { text, className }));
  if (one.type !== "exchange") return element("tr", {}, ...cells);
  const choose = () => {
    shown.row = shown.row === one.key ? null : one.key;
    drawAll();
  };
  const selected = String(shown.row === one.key);
  return element("tr", { className: "choosable", onclick: choose, "aria-selected": selected }, ...cells);
}

/** The request that was clicked. */
function drawShown(session) {
  const one = shown.tab === "Requests" ? session.rows.Requests.get(shown.row) : undefined;
  byId("shown").hidden = one === undefined;
  if (one === undefined) return;
  byId("shown").replaceChildren(
    ...messageParts("Request", one.request),
    ...(one.answer === null
      ? [
        element("p", {
          className: "dim",
          text: "Mirrored: the client gets the target's answer, not the app's.",
        }),
      ]
      : messageParts("Answer", one.answer)),
  );
}

function messageParts(title, { head, body, bytes }) {
  const size = bytes === 0 ? "no body" : `body of ${bytes} bytes`;
  const text = body === null ? "(no text, or compressed)" : body;
  return [
    element("b", { text: title }),
    element("pre", { text: head === "" ? "(none yet)" : head }),
    element("span", { className: "dim", text: size }),
    ...(bytes === 0 ? [] : [element("pre", { text })]),
  ];
}

byId("words").addEventListener("input", ({ target }) => {
  shown.words = target.value;
  drawAll();
});
byId("pause").addEventListener("click", ({ target }) => {
  shown.paused = !shown.paused;
  target.setAttribute("aria-pressed", String(shown.paused));
  target.textContent = shown.paused ? "Go on" : "Pause";
  draw();
});

try {
  if (await enter()) await follow();
} catch (error) {
  say(`mirrord ui cannot be reached: ${error.message}`);
}
