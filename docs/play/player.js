"use strict";

/* Steps through places 0 .. count - 1: first, back, on, last, and play. noun: what a place is called. */
const Player = (() => {
  const { make, button } = Elements;
  const INTERVAL = 700; // milliseconds a place

  const create = (onPlace, noun = "place") => {
    let [at, count, timer] = [0, 1, null];
    const go = (k) => onPlace(Math.max(0, Math.min(count - 1, k)));
    const stop = () => {
      clearInterval(timer);
      timer = null;
      play.textContent = "Play";
    };
    const start = () => {
      play.textContent = "Pause";
      if (at === count - 1) go(0);
      timer = setInterval(() => {
        go(at + 1);
        if (at === count - 1) stop();
      }, INTERVAL);
    };
    const step = (move) => () => {
      stop();
      go(move());
    };
    const play = button("Play", () => (timer ? stop() : start()), { class: "play" });
    const where = make("span", { class: "where" });
    const element = make("div", { class: "player", role: "group", "aria-label": `${noun}s` }, [
      button("First", step(() => 0)), button("Back", step(() => at - 1)),
      button("On", step(() => at + 1)), button("Last", step(() => count - 1)), play, where,
    ]);
    // whoever asks for less motion steps by hand
    play.hidden = window.matchMedia("(prefers-reduced-motion: reduce)").matches;

    const show = (k, total) => {
      [at, count] = [k, total];
      where.textContent = `${noun} ${k + 1} of ${total}`;
    };
    return { element, show, stop };
  };

  return Object.freeze({ create });
})();
