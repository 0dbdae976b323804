// Passkeys: the browser asks for them by script alone.  A form holds a button with the options in a data
// attribute (or the address that gives them) and a field for the answer; without support it stays hidden.
(() => {
  "use strict";
  if (!window.PublicKeyCredential || !navigator.credentials) return;

  const bytes = (text) => Uint8Array.from(
    atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
  const text = (buffer) => buffer && btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");
  const named = (list) => (list ?? []).map((one) => ({ ...one, id: bytes(one.id) }));

  async function make({ publicKey }) {
    const made = await navigator.credentials.create({ publicKey: {
      ...publicKey,
      challenge: bytes(publicKey.challenge),
      user: { ...publicKey.user, id: bytes(publicKey.user.id) },
      excludeCredentials: named(publicKey.excludeCredentials),
    } });
    return [made, {
      attestationObject: text(made.response.attestationObject),
      transports: made.response.getTransports?.() ?? [],
    }];
  }

  async function find({ publicKey }) {
    const found = await navigator.credentials.get({ publicKey: {
      ...publicKey,
      challenge: bytes(publicKey.challenge),
      allowCredentials: named(publicKey.allowCredentials),
    } });
    return [found, {
      authenticatorData: text(found.response.authenticatorData),
      signature: text(found.response.signature),
      userHandle: text(found.response.userHandle),
    }];
  }

  async function optionsOf(button) {
    if (button.dataset.options) return JSON.parse(button.dataset.options);
    const answer = await fetch(button.dataset.ask, { headers: { accept: "application/json" } });
    if (!answer.ok) throw new Error(String(answer.status));
    return answer.json();
  }

  async function press(button) {
    const form = button.form;
    const said = form.querySelector(".error");
    said.hidden = true;
    button.disabled = true;
    try {
      const options = await optionsOf(button);
      const [got, response] = await (options.creation_options
        ? make(options.creation_options) : find(options.request_options));
      form.elements.credential.value = JSON.stringify({
        id: got.id,
        rawId: text(got.rawId),
        type: got.type,
        authenticatorAttachment: got.authenticatorAttachment,
        clientExtensionResults: got.getClientExtensionResults(),
        response: { clientDataJSON: text(got.response.clientDataJSON), ...response },
      });
      form.submit();
    } catch {
      said.hidden = false;
      button.disabled = false;
    }
  }

  for (const button of document.querySelectorAll("button[data-passkey]")) {
    button.addEventListener("click", (event) => {
      event.preventDefault();
      press(button);
    });
  }
  for (const hidden of document.querySelectorAll("[data-with-passkeys]")) hidden.hidden = false;
  for (const shown of document.querySelectorAll("[data-without-passkeys]")) shown.hidden = true;
})();
