/**
 * What is marked across a plot: bands in which something went on, and places that have a name. Their labels stand above
 * the plot, in as many rows as there are; one that finds no room is left out, the tables have it.
 *
 * @typedef {import('../plot.js').Plot} Plot
 */
const LABEL_ROWS = { bands: 2, marks: 3 };
const LABEL_ROW_PX = 15;
const LABEL_FONT_PX = 11;
const LABEL_GAP_PX = 8;

/** @param {Plot} plot */
function roomForLabels({ bands, marks }) {
  const rows = marks.length > 0 ? LABEL_ROWS.marks : bands.length > 0 ? LABEL_ROWS.bands : 0;
  return rows * LABEL_ROW_PX + 8;
}

/**
 * @param {Plot} plot
 * @returns {uPlot.Plugin}
 */
function spansPlugin(plot) {
  // Beneath the lines; but a stack leaves nothing to be seen beneath it.
  const bandsHook = plot.shape === 'stack' ? 'draw' : 'drawClear';
  /** @type {uPlot.Plugin} */
  const plugin = { hooks: {} };
  if (plot.bands.length > 0) plugin.hooks[bandsHook] = aside(plot.shape === 'stack' ? outline(plot) : fill(plot));
  if (plot.marks.length > 0) plugin.hooks.draw = aside(rule(plot));
  return plugin;
}

/**
 * uPlot remembers how it left the canvas.
 *
 * @param {(u: uPlot) => void} paint
 * @returns {(u: uPlot) => void}
 */
function aside(paint) {
  return (u) => {
    u.ctx.save();
    paint(u);
    u.ctx.restore();
  };
}

/** @param {Plot} plot */
function fill({ bands }) {
  const faint = { fault: ink('bad', 16), 'warm-up': ink('soft', 14) };
  return forEachBand(bands, (u, kind, left, width) => {
    u.ctx.fillStyle = faint[kind];
    u.ctx.fillRect(left, u.bbox.top, width, u.bbox.height);
  });
}

/** @param {Plot} plot */
function outline({ bands }) {
  const colour = ink('panel');
  return forEachBand(bands, (u, _, left, width) => {
    u.ctx.strokeStyle = colour;
    u.ctx.lineWidth = devicePixelRatio;
    u.ctx.setLineDash([4 * devicePixelRatio, 3 * devicePixelRatio]);
    u.ctx.strokeRect(left, u.bbox.top, width, u.bbox.height);
  });
}

/**
 * @param {Plot['bands']} bands
 * @param {(u: uPlot, kind: Plot['bands'][number]['kind'], left: number, width: number) => void} paint
 * @returns {(u: uPlot) => void}
 */
function forEachBand(bands, paint) {
  const strong = { fault: ink('bad'), 'warm-up': ink('soft') };
  return (u) => {
    const put = labelRows(u, LABEL_ROWS.bands);
    const { min = 0, max = 0 } = u.scales['x'] ?? {};
    for (const { kind, label, from, until } of bands) {
      if (until < min || from > max) continue;
      const left = within(u, u.valToPos(from, 'x', true));
      // A fault without length is seen too.
      const width = Math.max(within(u, u.valToPos(until, 'x', true)) - left, 2 * devicePixelRatio);
      paint(u, kind, left, width);
      u.ctx.fillStyle = strong[kind];
      u.ctx.fillRect(left, u.bbox.top - 3 * devicePixelRatio, width, 3 * devicePixelRatio);
      put(label, left);
    }
  };
}

/**
 * @param {Plot} plot
 * @returns {(u: uPlot) => void}
 */
function rule({ marks }) {
  const colour = ink('ink', 60);
  return (u) => {
    const put = labelRows(u, LABEL_ROWS.marks);
    u.ctx.fillStyle = colour;
    for (const { label, at } of marks) {
      const x = u.valToPos(at, 'x', true);
      if (x !== within(u, x)) continue;
      u.ctx.fillRect(Math.round(x), u.bbox.top, devicePixelRatio, u.bbox.height);
      put(label, x);
    }
  };
}

/**
 * @param {uPlot} u
 * @param {number} x
 */
function within(u, x) {
  return Math.min(Math.max(x, u.bbox.left), u.bbox.left + u.bbox.width);
}

/**
 * Answers a function that writes a label in the lowest row in which it has room.
 *
 * @param {uPlot} u
 * @param {number} rows
 */
function labelRows(u, rows) {
  const scale = devicePixelRatio;
  /** Where each row is free from. @type {number[]} */
  const free = Array(rows).fill(0);
  u.ctx.font = `600 ${LABEL_FONT_PX * scale}px system-ui, sans-serif`;
  /**
   * @param {string} label
   * @param {number} x
   */
  return (label, x) => {
    const width = u.ctx.measureText(label).width;
    const left = Math.min(x, u.bbox.left + u.bbox.width - width);
    const row = free.findIndex((from) => left >= from);
    if (row < 0) return;
    free[row] = left + width + LABEL_GAP_PX * scale;
    u.ctx.textAlign = 'left';
    u.ctx.textBaseline = 'alphabetic';
    u.ctx.fillText(label, left, u.bbox.top - (6 + row * LABEL_ROW_PX) * scale);
  };
}
