"use strict";

/* The tabs: one for each view that has added itself. The address keeps the one that is looked at. */
const Page = (() => {
  const { make } = Elements;

  const start = () => {
    const views = Views.all();
    const tabs = views.map(({ id, name }) => make("button", { type: "button", role: "tab", id: `tab-${id}`, text: name,
                                                              "aria-controls": `panel-${id}` }));
    const panels = views.map(({ id }) => make("div", { role: "tabpanel", id: `panel-${id}`, hidden: true,
                                                       "aria-labelledby": `tab-${id}` }));
    const built = new Map();
    let shown = -1;

    const choose = (n) => {
      if (n === shown) return;
      if (shown >= 0 && built.get(shown).leave) built.get(shown).leave();
      if (!built.has(n)) {
        built.set(n, views[n].create());
        panels[n].append(built.get(n));
      }
      shown = n;
      tabs.forEach((tab, m) => {
        tab.setAttribute("aria-selected", String(m === n));
        tab.tabIndex = m === n ? 0 : -1;
        panels[m].hidden = m !== n;
      });
    };

    const fromAddress = () => choose(Math.max(0, views.findIndex(({ id }) => `#${id}` === window.location.hash)));

    tabs.forEach((tab, n) => {
      tab.addEventListener("click", () => { window.location.hash = views[n].id; });
      tab.addEventListener("keydown", (event) => {
        const move = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (!move) return;
        const next = (n + move + tabs.length) % tabs.length;
        tabs[next].focus();
        tabs[next].click();
      });
    });
    document.getElementById("legend").append(...Object.entries(Matrix.WORDS).map(([mark, words]) =>
      make("li", {}, [make("span", { class: `sample ${mark}` }), words])));
    document.getElementById("tabs").append(...tabs);
    document.getElementById("panels").append(...panels);
    window.addEventListener("hashchange", fromAddress);
    fromAddress();
  };

  return Object.freeze({ start });
})();

Page.start();
