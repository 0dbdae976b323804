// Small comforts only: everything can be read and answered without this file.
(() => {
  "use strict";
  const labels = document.body.dataset;

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
        setTimeout(() => { button.textContent = labels.copy; }, 2000);
      });
      box.append(pre, button);
    }
  }

  // A link from a mail or from "next" opens its line and brings it into view.
  function openFromAddress() {
    const id = decodeURIComponent(location.hash.slice(1));
    const line = id && document.getElementById(id);
    if (line instanceof HTMLDetailsElement) {
      line.open = true;
      line.scrollIntoView();
    }
  }

  addCopyButtons(document);
  openFromAddress();
  window.addEventListener("hashchange", openFromAddress);
  document.body.addEventListener("htmx:load", (event) => addCopyButtons(event.target));
  document.body.addEventListener("htmx:responseError", () => {
    document.getElementById("trouble")?.removeAttribute("hidden");
  });
  document.body.addEventListener("htmx:sendError", () => {
    document.getElementById("trouble")?.removeAttribute("hidden");
  });
})();
