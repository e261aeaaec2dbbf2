/**
 * Draws the plots of the page, and draws them again when the colours or the width are others. Those over time are
 * looked into together: the cursor and the zoom of one are those of all.
 */
/** @param {string} id */
function textOf(id) {
  return document.getElementById(id)?.textContent ?? '';
}

/** @type {readonly Plot[]} */
const plots = JSON.parse(textOf('plots'));
const overTime = plots.filter(({ shape }) => shape !== 'histogram');
const time = {
  from: 0,
  until: Math.max(1, ...overTime.flatMap(({ at, bands }) => [at.at(-1) ?? 0, ...bands.map(({ until }) => until)])),
};

/** @type {Map<Plot, uPlot>} */
const shown = new Map();

function drawAll() {
  for (const plot of plots) {
    const place = /** @type {HTMLElement} */ (document.getElementById(plot.id));
    shown.get(plot)?.destroy();
    shown.set(plot, draw(plot, place, time));
  }
}

function fitAll() {
  for (const [plot, u] of shown) {
    const size = sizeOf(plot, /** @type {HTMLElement} */ (document.getElementById(plot.id)));
    if (size.width !== u.width) u.setSize(size);
  }
}

drawAll();
watchTheme(drawAll);
new ResizeObserver(fitAll).observe(/** @type {Element} */ (document.querySelector('main')));

// Paper is white and narrow. The browser lays the page out for it only after this, so the style is asked for by name.
addEventListener('beforeprint', () => {
  document.documentElement.dataset['print'] = '';
  drawAll();
});
addEventListener('afterprint', () => {
  delete document.documentElement.dataset['print'];
  drawAll();
});

document.getElementById('save')?.addEventListener('click', ({ currentTarget }) => {
  const { dataset } = /** @type {HTMLElement} */ (currentTarget);
  const link = document.createElement('a');
  const json = JSON.stringify(JSON.parse(textOf('result')), null, 2);
  link.href = URL.createObjectURL(new Blob([json], { type: 'application/json' }));
  link.download = dataset['name'] ?? 'result.json';
  link.click();
  URL.revokeObjectURL(link.href);
});
