// Small comforts only: everything can be read and answered without this file.
(() => {
  "use strict";
  const labels = document.body.dataset;

  // One place that screen readers listen to; saying the same again is not worth an interruption.
  function say(text) {
    const place = document.getElementById("said");
    if (place && place.textContent !== text) place.textContent = text;
  }

  function addCopyButtons(root) {
    if (!navigator.clipboard) return;
    for (const pre of root.querySelectorAll("pre.command:not([data-copy])")) {
      pre.dataset.copy = "";
      const box = document.createElement("div");
      box.className = "with-copy";
      pre.replaceWith(box);
      const button = document.createElement("button");
      button.type = "button";
      button.className = "copy";
      button.textContent = labels.copy;
      button.addEventListener("click", async () => {
        await navigator.clipboard.writeText(pre.textContent);
        button.textContent = labels.copied;
        say(labels.copied);
        setTimeout(() => { button.textContent = labels.copy; }, 2000);
      });
      box.append(pre, button);
    }
  }

  // A link from a mail or from "next" opens its line and brings it into view.
  function openFromAddress() {
    let id = "";
    try {
      id = decodeURIComponent(location.hash.slice(1));
    } catch {
      return;
    }
    const line = id && document.getElementById(id);
    if (line instanceof HTMLDetailsElement) {
      line.open = true;
      line.scrollIntoView();
    }
  }

  // After an answer the keyboard stays where it was: at the field to mend, else at the line that changed.
  function keepFocus(line) {
    (line.querySelector("[autofocus]") ?? line.querySelector("summary"))?.focus();
  }

  function trouble() {
    document.getElementById("trouble")?.removeAttribute("hidden");
  }

  // The menu closes like any other: by Escape, and by a press elsewhere.
  function closeMenu(event) {
    const menu = document.querySelector("details.menu[open]");
    if (!menu) return;
    if (event.type === "keydown" ? event.key === "Escape" : !menu.contains(event.target)) {
      menu.open = false;
      if (event.type === "keydown") menu.querySelector("summary").focus();
    }
  }

  // Empty fields of a plain filter do not belong in the address either.
  function dropEmptyFields(event) {
    const form = event.target;
    if (!form.matches("form.filter[method=get]:not([hx-get])")) return;
    for (const field of form.elements) if (field.name && !field.value) field.disabled = true;
    // Coming back to the page finds the fields as they were.
    setTimeout(() => { for (const field of form.elements) field.disabled = false; });
  }

  document.addEventListener("keydown", closeMenu);
  document.addEventListener("click", closeMenu);
  document.addEventListener("submit", dropEmptyFields);
  addCopyButtons(document);
  openFromAddress();
  window.addEventListener("hashchange", openFromAddress);

  const on = (name, react) => document.body.addEventListener(name, react);
  on("htmx:load", (event) => addCopyButtons(event.target));
  on("htmx:responseError", trouble);
  on("htmx:sendError", trouble);

  on("click", (event) => {
    const jump = event.target.closest?.("a.jump");
    const goal = jump && document.getElementById(decodeURIComponent(jump.hash.slice(1)));
    if (!goal) return;
    // Without an entry in the history: going back must not load the list anew under a half-written answer.
    event.preventDefault();
    goal.scrollIntoView();
    (goal.querySelector("input:not([type=hidden])") ?? goal).focus();
  });

  // Empty fields of the filter do not belong in the address.
  on("htmx:configRequest", (event) => {
    if (!event.target.closest(".filter")) return;
    for (const name of ["level", "state", "q"]) {
      if (!event.detail.formData.get(name)) event.detail.formData.delete(name);
    }
  });

  on("htmx:afterSettle", (event) => {
    const swapped = event.target;
    if (swapped.matches("details.item") && event.detail.requestConfig?.verb === "post") keepFocus(swapped);
    const telling = swapped.matches("[data-say]") ? swapped : swapped.querySelector("[data-say]");
    if (telling) say(telling.dataset.say);
  });

  on("htmx:beforeOnLoad", (event) => {
    const answer = event.detail.xhr;
    // Signed out meanwhile: the sign-in page does not belong inside a line of the list.
    if (answer.responseURL && new URL(answer.responseURL).pathname === labels.signIn) {
      event.preventDefault();
      location.assign(`${labels.signIn}?next=${encodeURIComponent(location.pathname + location.search)}`);
      return;
    }
    // A scan ended.  Whoever has an item open is reading or writing: they decide when the page changes.
    const progress = document.getElementById("progress");
    if (answer.getResponseHeader("HX-Refresh") && progress && document.querySelector("details.item[open]")) {
      event.preventDefault();
      const ended = progress.querySelector(".ended");
      ended.hidden = false;
      progress.replaceWith(ended);
      say(ended.textContent);
    }
  });
})();
