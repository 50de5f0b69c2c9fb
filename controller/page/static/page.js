// Fetches the page anew when the controller says that something changed, and each half minute, for
// progress changes without a word. Without this script the page is the same, and stands still.
"use strict";
(() => {
  const live = document.getElementById("live");
  let asking = false;
  let again = false;
  const say = (text) => { if (live.textContent !== text) live.textContent = text; };

  async function refresh() {
    if (asking) { again = true; return; }
    asking = true;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const part of ["main", "footer"]) {
        const old = document.querySelector(part);
        const next = fresh.querySelector(part);
        if (!old || !next || old.innerHTML === next.innerHTML) continue;
        const focused = document.activeElement && old.contains(document.activeElement)
          ? document.activeElement.getAttribute("href") : null;
        old.replaceChildren(...next.childNodes);
        if (focused !== null) {
          for (const link of old.querySelectorAll("a[href]")) {
            if (link.getAttribute("href") === focused) { link.focus(); break; }
          }
        }
      }
      document.title = fresh.title;
    } catch (error) {
      say("Not up to date: the controller does not answer");
    } finally {
      asking = false;
      if (again) { again = false; refresh(); }
    }
  }

  const source = new EventSource("/events");
  source.addEventListener("open", () => { say("Live"); refresh(); });
  source.addEventListener("changed", refresh);
  source.addEventListener("error", () => say("Not live: connecting again"));
  setInterval(() => { if (!document.hidden) refresh(); }, 30000);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
})();
