"use strict";

/*
 * The views of the page, in the order of the scripts. A view adds itself when its script is loaded:
 *
 *     Views.add({ id: "pooling", name: "Max-pool", create: () => element });
 *
 * id is its address on the page (#pooling), name stands on its tab, create builds its element, once, when it is first
 * looked at. An element may carry a function `leave` that is called when another tab is chosen.
 */
const Views = (() => {
  const all = [];
  return Object.freeze({ add: (view) => all.push(view), all: () => [...all] });
})();
