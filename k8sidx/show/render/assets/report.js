// Charts, sorting and filtering of a report. What the log said only ever becomes text: of an
// element (textContent), of a label that Chart.js draws on a canvas, or of a comparison.
"use strict";

(() => {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const palette = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((at) => colour(`--series-${at}`));
  const meaning = { success: "--good", failure: "--bad", unknown: "--soft" };

  const seriesColour = (label, at) =>
    label in meaning ? colour(meaning[label]) : palette[at % palette.length];

  const draw = (figure) => {
    const data = JSON.parse(figure.querySelector("script[type='application/json']").textContent);
    const soft = colour("--soft");
    const line = colour("--line");
    const ticks = { color: soft, maxRotation: 0, autoSkip: true };
    new Chart(figure.querySelector("canvas"), {
      type: "bar",
      data: {
        labels: data.labels,
        datasets: data.series.map((one, at) => ({
          label: one.name,
          data: one.values,
          backgroundColor: seriesColour(one.name, at),
          barPercentage: 1,
          categoryPercentage: 0.92,
        })),
      },
      options: {
        animation: false,
        responsive: true,
        maintainAspectRatio: false,
        interaction: { mode: "index", intersect: false },
        scales: {
          x: { stacked: true, grid: { display: false }, ticks: { ...ticks, maxTicksLimit: 8 } },
          y: { stacked: true, beginAtZero: true, grid: { color: line }, ticks },
        },
        plugins: {
          legend: {
            display: data.series.length > 1,
            position: "bottom",
            labels: { color: colour("--text"), boxWidth: 12 },
          },
        },
      },
    });
  };

  const valueOf = (cell) => {
    if (!cell) return "";
    const time = cell.querySelector("time");
    if (time) return time.dateTime;
    return cell.dataset.number === undefined ? cell.textContent : Number(cell.dataset.number);
  };

  const compare = (one, other) => {
    if (typeof one === "number" && typeof other === "number") return one - other;
    return String(one).localeCompare(String(other), "en");
  };

  const sort = (table, heading) => {
    const at = [...heading.parentElement.children].indexOf(heading);
    const descending = heading.getAttribute("aria-sort") === "ascending";
    for (const other of heading.parentElement.children) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", descending ? "descending" : "ascending");
    const rows = [...table.tBodies[0].rows];
    const sorted = rows
      .map((row, place) => ({ row, place, value: valueOf(row.cells[at]) }))
      .sort((a, b) => {
        const empty = (a.value === "") - (b.value === "");
        const order = compare(a.value, b.value);
        return empty || (descending ? -order : order) || a.place - b.place;
      });
    table.tBodies[0].append(...sorted.map((one) => one.row));
  };

  const makeSortable = (table) => {
    for (const heading of table.tHead.rows[0].cells) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      button.textContent = heading.textContent;
      heading.replaceChildren(button);
      button.addEventListener("click", () => sort(table, heading));
    }
  };

  const makeFilterable = (table) => {
    if (table.tBodies[0].rows.length < 8 || "ownFilter" in table.dataset) return;
    const label = document.createElement("label");
    label.className = "filter";
    label.textContent = "Filter ";
    const input = document.createElement("input");
    input.type = "search";
    const shown = document.createElement("span");
    shown.className = "soft";
    shown.setAttribute("role", "status");
    label.append(input, " ", shown);
    input.addEventListener("input", () => {
      const wanted = input.value.toLowerCase();
      let count = 0;
      for (const row of table.tBodies[0].rows) {
        row.hidden = !row.textContent.toLowerCase().includes(wanted);
        count += row.hidden ? 0 : 1;
      }
      shown.textContent = wanted ? `${count} of ${table.tBodies[0].rows.length} rows` : "";
    });
    table.parentElement.before(label);
  };

  for (const figure of document.querySelectorAll("figure.chart")) draw(figure);
  for (const table of document.querySelectorAll("table.data")) {
    makeSortable(table);
    makeFilterable(table);
  }
  addEventListener("beforeprint", () => {
    for (const one of document.querySelectorAll("details")) one.open = true;
  });
})();
