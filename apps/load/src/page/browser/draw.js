/**
 * A plot as data becomes a plot by uPlot.
 *
 * @typedef {{ readonly from: number, readonly until: number }} Extent
 * @typedef {(number | null | undefined)[]} Values null breaks the line, undefined does not
 */
const SECOND_STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200];
const HEIGHT_PX = { wide: 300, half: 240 };
const FONT = '12px system-ui, sans-serif';
/** Less than one answer is drawn below the edge of a log scale. */
const LEAST_COUNT = 0.5;

const exact = new Intl.NumberFormat('en', { maximumSignificantDigits: 4 });
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 });

/**
 * @param {Plot} plot
 * @param {HTMLElement} place
 * @param {Extent} time what all plots over time show at first
 * @returns {uPlot}
 */
function draw(plot, place, time) {
  const isHistogram = plot.shape === 'histogram';
  const values = plot.lines.map(({ values }) => values.map(asDrawn));
  const edges = isHistogram ? plot.at : [time.from, ...plot.at, time.until];
  const raw = isHistogram ? values : values.map((line) => [null, ...line, null]);
  const order = plot.lines.map((_, i) => i);
  const drawn = plot.shape === 'stack' ? stacked(raw) : raw;
  // The highest sum first: those that follow are painted over it, and the legend reads as the stack stands.
  if (plot.shape === 'stack') order.reverse();
  /** @type {uPlot.Options} */
  const options = {
    ...sizeOf(plot, place),
    padding: [roomForLabels(plot), 16, 0, 0],
    scales: {
      x: { time: false, distr: isHistogram ? 3 : 1 },
      y: valueScale(plot),
    },
    axes: [axis(plot, 'x'), axis(plot, 'y')],
    series: [
      { label: isHistogram ? 'up to' : 'time', value: (_, at) => (at === null ? '–' : acrossOf(plot, at)) },
      ...order.map((i) => seriesOf(plot, i, raw[i] ?? [])),
    ],
    cursor: {
      y: false,
      drag: { x: true, y: false },
      dataIdx: plot.shape === 'stack' ? sinceThen : plot.shape === 'lines' ? nearestValue : (_, __, index) => index,
      points: { size: 7 },
      ...(isHistogram ? {} : { sync: { key: 'time', setSeries: false } }),
    },
    legend: { markers: { width: 2, dash: (u, line) => (u.series[line]?.dash ? 'dashed' : 'solid') } },
    plugins: [spansPlugin(plot)],
  };
  const u = new uPlot(options, [[...edges], ...order.map((i) => drawn[i] ?? [])], place);
  u.ctx.canvas.setAttribute('role', 'img');
  u.ctx.canvas.setAttribute('aria-label', `${plot.title}. ${plot.says}`);
  return u;
}

/**
 * @param {Plot} plot
 * @param {HTMLElement} place
 */
function sizeOf({ isWide }, place) {
  return { width: place.clientWidth, height: isWide ? HEIGHT_PX.wide : HEIGHT_PX.half };
}

/**
 * @param {Plot} plot
 * @param {number} i
 * @param {Values} raw of this line alone, where the lines are stacked
 * @returns {uPlot.Series}
 */
function seriesOf(plot, i, raw) {
  const { label, colour, isDashed } = /** @type {Plot['lines'][number]} */ (plot.lines[i]);
  const isAlone = plot.lines.length === 1;
  const alone = raw.flatMap((_, at) => (isIsolated(raw, at) ? [at] : []));
  /** @type {uPlot.Series} */
  const series = {
    label,
    stroke: ink(colour),
    width: isDashed ? 1.5 : 2,
    value: (_, __, ___, at) => {
      const value = at === null ? undefined : raw[at];
      return typeof value === 'number' ? exact.format(value) : '–';
    },
    points: { show: true, size: 5, fill: ink(colour), filter: () => alone },
  };
  if (isDashed) series.dash = [5, 4];
  if (plot.shape === 'lines' && isAlone) series.fill = ink(colour, 14);
  if (plot.shape === 'histogram') series.fill = ink(colour, 35);
  if (plot.shape === 'stack') Object.assign(series, { fill: ink(colour), width: 0 });
  // What a node had it had until the next look; a bucket is what lies between the one before and its own end.
  const align = plot.shape === 'stack' ? 1 : -1;
  if (plot.shape !== 'lines') Object.assign(series, { paths: uPlot.paths.stepped?.({ align }) });
  if (plot.shape !== 'lines') series.points = { show: false };
  return series;
}

/**
 * @param {Plot} plot
 * @param {'x' | 'y'} side
 * @returns {uPlot.Axis}
 */
function axis(plot, side) {
  const isTime = side === 'x' && plot.shape !== 'histogram';
  const isLog = side === 'x' ? plot.shape === 'histogram' : plot.scale === 'log';
  const across = plot.shape === 'histogram' ? 'latency (ms)' : 'since the start (min:s)';
  return {
    scale: side,
    label: side === 'x' ? across : plot.unit,
    labelSize: 18,
    labelFont: FONT,
    labelGap: 2,
    font: FONT,
    size: side === 'x' ? 30 : 52,
    gap: 4,
    stroke: ink('soft'),
    grid: { stroke: ink('line'), width: 1, ...(isLog ? { filter: (_, splits) => splits.map(asPower) } : {}) },
    ticks: { stroke: ink('line'), width: 1, size: 4 },
    values: (_, splits) =>
      splits.map((at) =>
        at === null ? '' : isTime ? acrossOf(plot, at) : at >= 1e4 ? short.format(at) : exact.format(at),
      ),
    ...(isTime ? { incrs: SECOND_STEPS } : {}),
  };
}

/**
 * @param {Plot} plot
 * @returns {uPlot.Scale}
 */
function valueScale({ shape, scale }) {
  if (shape === 'histogram') return { distr: 3, range: (_, __, max) => [LEAST_COUNT, wholePower(Math.max(max, 10))] };
  if (scale === 'log') return { distr: 3, range: (_, min, max) => uPlot.rangeLog(min || 1, max || 10, 10, true) };
  if (shape === 'stack') return { range: (_, __, max) => [0, max || 1] };
  return { range: (_, __, max) => [0, max > 0 ? (uPlot.rangeNum(0, max, 0.1, true)[1] ?? max) : 1] };
}

/** @param {number} value */
function asPower(value) {
  return Number.isInteger(Math.log10(value)) ? value : null;
}

/** @param {number} value */
function wholePower(value) {
  return 10 ** Math.ceil(Math.log10(value));
}

/**
 * @param {Plot} plot
 * @param {number} at
 */
function acrossOf({ shape }, at) {
  if (shape === 'histogram') return `${exact.format(at)} ms`;
  return `${Math.floor(at / 60)}:${String(Math.floor(at % 60)).padStart(2, '0')}`;
}

/** @param {number | null | 'gap'} value */
function asDrawn(value) {
  return value === 'gap' ? null : (value ?? undefined);
}

/**
 * Each line is drawn at the sum of itself and those before it.
 *
 * @param {Values[]} lines
 * @returns {Values[]}
 */
function stacked(lines) {
  const sums = Array(lines[0]?.length ?? 0).fill(0);
  return lines.map((line) => line.map((value, at) => (typeof value === 'number' ? (sums[at] += value) : value)));
}

/**
 * A value between two breaks has no line.
 *
 * @param {Values} values
 * @param {number} at
 */
function isIsolated(values, at) {
  const isEnd = (/** @type {number} */ place) => !(place in values) || values[place] === null;
  return typeof values[at] === 'number' && isEnd(at - 1) && isEnd(at + 1);
}

/**
 * What was so at the cursor is what had been seen last, not what was seen next.
 *
 * @type {NonNullable<uPlot.Cursor['dataIdx']>}
 */
function sinceThen(u, _, index) {
  const at = u.posToVal(u.cursor.left ?? 0, 'x');
  return (u.data[0][index] ?? at) > at ? Math.max(0, index - 1) : index;
}

/**
 * Where the line has a value: here, else the nearest on either side before it breaks.
 *
 * @type {NonNullable<uPlot.Cursor['dataIdx']>}
 */
function nearestValue(u, line, index) {
  const values = u.data[line] ?? [];
  for (let away = 0; away < values.length; away++) {
    for (const place of [index - away, index + away]) if (typeof values[place] === 'number') return place;
    if (values[index - away] === null || values[index + away] === null) return index;
  }
  return index;
}
