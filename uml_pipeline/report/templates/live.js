"use strict";
// Draws the live figures, lets the reader switch arms, and follows the light or dark scheme.
(() => {
  const specs = JSON.parse(document.getElementById("live-figures").textContent);
  const scheme = { "#1b1f24": "--ink", "#5c6670": "--muted", "#d9dee3": "--line", "#ffffff": "--card", "#8a949e": "--behind" };
  const boxes = [...document.querySelectorAll(".arms input")];
  const config = { responsive: true, displayModeBar: false, doubleClick: false, showTips: false };

  const coloured = (json) => {
    const page = getComputedStyle(document.documentElement);
    return Object.entries(scheme).reduce((text, [fixed, name]) => text.replaceAll(fixed, page.getPropertyValue(name).trim()), json);
  };

  // an arm whose box is not ticked stays as a thin grey line, and still says its name
  const recede = (trace, behind) => {
    trace.line = { ...trace.line, color: behind, width: 1 };
    trace.marker = { ...trace.marker, color: behind, size: 3 };
    return trace;
  };

  const draw = (element) => {
    const { data, layout } = JSON.parse(coloured(JSON.stringify(specs[element.dataset.figure])));
    const behind = getComputedStyle(document.documentElement).getPropertyValue("--behind").trim();
    const off = new Set(boxes.filter((box) => !box.checked).map((box) => box.value));
    const traces = data.map((trace) => (off.has(trace.meta) ? recede(trace, behind) : trace));
    traces.sort((one, other) => off.has(other.meta) - off.has(one.meta));
    layout.height = element.clientHeight;
    return Plotly.react(element, traces, layout, config);
  };

  document.documentElement.classList.add("scripted"); // shows the live figures and hides their still twins
  const figures = [...document.querySelectorAll(".live")];
  const all = () => figures.forEach(draw);
  all();
  boxes.forEach((box) => box.addEventListener("change", all));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", all);
})();
