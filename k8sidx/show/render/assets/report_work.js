// The report as a place to work in: filters, the panel with events, commands to copy. What the
// log said only ever becomes the text of an element (textContent).
"use strict";

(() => {
  const LEVELS = ["informational", "low", "medium", "high", "critical"];
  const UNSEEN = /[\p{C}\p{Zl}\p{Zp}]/gu;
  const byId = (id) => document.getElementById(id);
  // Characters that are not seen, or turn text around, as escapes; JSON's line breaks stay.
  const visible = (text) =>
    text.replace(UNSEEN, (c) =>
      c === "\n" ? c : `\\u${c.codePointAt(0).toString(16).padStart(4, "0")}`,
    );

  // Links into closed parts of the page open them.
  const reveal = (element) => {
    for (let at = element; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    element.querySelector(":scope > details:not(.evidence)")?.setAttribute("open", "");
  };
  const follow = () => {
    const target = location.hash && byId(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    reveal(target);
    target.scrollIntoView();
    if (target.matches(".step")) target.focus({ preventScroll: true });
  };
  addEventListener("hashchange", follow);
  follow();

  // Filters: every step is hidden or shown, with its row in the list; then stories and lanes.
  const rows = new Map();
  for (const row of document.querySelectorAll("tr[data-step]")) rows.set(row.dataset.step, row);
  const stories = [...document.querySelectorAll("article.story")].map((element) => ({
    element,
    actor: element.dataset.actor,
    steps: [...element.querySelectorAll("li.step")].map((step) => ({
      element: step,
      row: rows.get(step.id),
      level: LEVELS.indexOf(step.dataset.level),
      tactic: step.dataset.tactic.split("\n"),
      namespace: step.dataset.namespace.split("\n"),
      cluster: step.dataset.cluster.split("\n"),
      first: step.dataset.first,
      last: step.dataset.last || step.dataset.first,
      text: "",
    })),
  }));
  const lanes = [...document.querySelectorAll(".lane")];
  const filters = [...document.querySelectorAll("[data-filter]")];

  const textOf = (step) => {
    step.text ||= step.element.textContent.toLowerCase();
    return step.text;
  };

  const matches = (story, step, wanted) =>
    (!wanted.level || step.level >= LEVELS.indexOf(wanted.level)) &&
    (!wanted.actor || story.actor === wanted.actor) &&
    ["tactic", "namespace", "cluster"].every(
      (name) => !wanted[name] || step[name].includes(wanted[name]),
    ) &&
    (!wanted.from || (step.last !== "" && step.last >= wanted.from)) &&
    (!wanted.to || (step.first !== "" && step.first < wanted.to)) &&
    (!wanted.text ||
      textOf(step).includes(wanted.text) ||
      story.actor.toLowerCase().includes(wanted.text));

  const apply = () => {
    const wanted = Object.fromEntries(
      filters.map((field) => [field.dataset.filter, field.value.trim()]),
    );
    wanted.text = wanted.text.toLowerCase();
    const seen = { steps: 0, of: 0, stories: 0 };
    const actors = new Set();
    for (const story of stories) {
      let count = 0;
      for (const step of story.steps) {
        const shown = matches(story, step, wanted);
        if (step.element.hidden === shown) step.element.hidden = !shown;
        if (step.row && step.row.hidden === shown) step.row.hidden = !shown;
        count += shown ? 1 : 0;
      }
      story.element.hidden = count === 0;
      if (count) actors.add(story.actor);
      seen.steps += count;
      seen.of += story.steps.length;
      seen.stories += count ? 1 : 0;
    }
    for (const lane of lanes) lane.hidden = !actors.has(lane.dataset.actor);
    const any = Object.values(wanted).some((value) => value !== "");
    byId("shown").textContent = any
      ? `${seen.steps} of ${seen.of} steps, in ${seen.stories} of ${stories.length} stories`
      : "";
  };

  if (filters.length) {
    byId("filters").hidden = false;
    for (const field of filters) field.addEventListener("input", apply);
    byId("reset").addEventListener("click", () => {
      for (const field of filters) field.value = "";
      apply();
      filters[0].focus();
    });
  }

  // The panel with the events of a request.
  const panel = byId("panel");
  let events = null;
  let opener = null;
  const eventsOf = (id) => {
    events ||= JSON.parse(byId("events").textContent);
    return Object.hasOwn(events, id) ? events[id] : null;
  };
  const shownButtons = () =>
    [...document.querySelectorAll("button.event")].filter((button) => !button.closest("[hidden]"));

  const open = (button) => {
    const id = button.dataset.event;
    const stages = eventsOf(id);
    opener = button;
    byId("panel-title").textContent = `Event ${id}`;
    byId("panel-text").textContent = button.parentElement.textContent;
    byId("panel-command").textContent = panel.dataset.show && !id.startsWith("-")
      ? visible(panel.dataset.show.replace("ID", () => `'${id.replaceAll("'", "'\\''")}'`))
      : "";
    byId("panel-event").textContent = stages
      ? stages.map((stage) => visible(JSON.stringify(stage, null, 2))).join("\n\n")
      : "This event is not in the page: it had no room (--max-size), or several requests have " +
        "its auditID, which clients can choose. The command above prints it.";
    panel.hidden = false;
    document.body.classList.add("with-panel");
    panel.scrollTop = 0;
    panel.focus();
  };
  const close = () => {
    if (panel.hidden) return;
    panel.hidden = true;
    document.body.classList.remove("with-panel");
    opener?.focus();
  };
  const move = (by) => {
    const buttons = shownButtons();
    const next = buttons[buttons.indexOf(opener) + by];
    if (!next) return;
    reveal(next);
    next.scrollIntoView({ block: "nearest" });
    open(next);
  };
  byId("panel-close").addEventListener("click", close);
  byId("panel-previous").addEventListener("click", () => move(-1));
  byId("panel-next").addEventListener("click", () => move(1));

  // A page from a file may not write to the clipboard: the text is selected instead.
  const copy = async (button) => {
    const code = button.parentElement.querySelector("code");
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(code);
      button.textContent = "Selected";
    }
    setTimeout(() => (button.textContent = "Copy"), 2000);
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button?.matches(".event")) open(button);
    if (button?.matches(".copy")) copy(button);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
    const typing = event.target.matches("input, select, textarea");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && filters.length) {
      event.preventDefault();
      filters[0].focus();
    }
  });
})();
