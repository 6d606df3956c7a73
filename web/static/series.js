/* Foyer: the chart of the series page. Chart.js 3.9 (Debian libjs-chart.js) or 4, no date adapter:
   the x scale is linear in milliseconds, ticks are placed on the reader's own calendar below. */
'use strict';
(() => {
const { api, T, put, num, span, lang, $, later, late, refresh, now } = window.foyer;
const canvas = document.getElementById('chart'), plot = document.getElementById('plot');
const MIN = 6e4, HOUR = 36e5, DAY = 864e5;
/* The household's time zone, wherever the reader is; its own when the browser does not know the name. */
const zone = (() => { const z = document.documentElement.dataset.zone; try { new Intl.DateTimeFormat('en', { timeZone: z }); return z; } catch { return undefined; } })();
const f = o => new Intl.DateTimeFormat(lang === 'en' ? 'en-GB' : lang, { ...o, timeZone: zone });
const clock = new Intl.DateTimeFormat('en', { timeZone: zone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' });
const offsets = new Map();
/* How far the zone's clock is ahead of UTC at a moment; a zone changes on a quarter of an hour. */
function ahead(t) {
  const quarter = Math.floor(t / 9e5);
  if (!offsets.has(quarter)) {
    const p = Object.fromEntries(clock.formatToParts(quarter * 9e5).map(x => [x.type, +x.value]));
    offsets.set(quarter, Date.UTC(p.year, p.month - 1, p.day, p.hour, p.minute, p.second) - quarter * 9e5);
  }
  return offsets.get(quarter);
}
/* The zone's calendar in a Date's UTC fields, and the moment that such fields mean. */
const local = t => new Date(t + ahead(t));
const moment = d => { const guess = +d - ahead(+d); return +d - ahead(guess); };
const F = { hm: f({ hour: '2-digit', minute: '2-digit' }), d: f({ weekday: 'short', day: 'numeric' }), dm: f({ day: 'numeric', month: 'short' }), m: f({ month: 'short' }), y: f({ year: 'numeric' }),
  full: f({ weekday: 'short', day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit' }) };

if (!window.Chart) { plot.hidden = true; document.getElementById('resolution').textContent = T.chart_missing; return; }

/* Ticks at whole minutes, hours, days or months of local time, daylight saving included. */
const STEPS = [[MIN, 'Minutes', [1, 2, 5, 10, 15, 30]], [HOUR, 'Hours', [1, 2, 3, 6, 12]], [DAY, 'Date', [1, 2, 7]], [30.44 * DAY, 'Month', [1, 2, 3, 6]], [365.25 * DAY, 'FullYear', [1, 2, 5]]];
function calendar(scale) {
  const { min, max } = scale, room = Math.max(2, Math.floor(scale.width / (small ? 60 : 84)));
  let unit, n;
  pick: for (const [ms, name, counts] of STEPS) for (const c of counts) { unit = name; n = c; if ((max - min) / (ms * c) <= room) break pick; }
  const d = local(min); d.setUTCSeconds(0, 0);
  if (unit !== 'Minutes') d.setUTCMinutes(0);
  if (unit === 'Minutes') d.setUTCMinutes(Math.floor(d.getUTCMinutes() / n) * n);
  else if (unit === 'Hours') d.setUTCHours(Math.floor(d.getUTCHours() / n) * n);
  else { d.setUTCHours(0); if (unit !== 'Date') d.setUTCDate(1); if (unit === 'Month') d.setUTCMonth(Math.floor(d.getUTCMonth() / n) * n); if (unit === 'FullYear') d.setUTCMonth(0); }
  const ticks = [];
  for (let i = 0; moment(d) <= max && i < 60; i++) { if (moment(d) >= min) ticks.push({ value: moment(d) }); d['setUTC' + unit](d['getUTC' + unit]() + n); }
  scale.ticks = ticks; scale.unitName = unit;
}
function label(v) {
  const d = local(v), u = this.unitName, midnight = !d.getUTCHours() && !d.getUTCMinutes();
  if (u === 'Minutes' || u === 'Hours') return midnight ? F.dm.format(v) : F.hm.format(v);
  if (u === 'Date') return this.max - this.min > 8 * DAY ? F.dm.format(v) : F.d.format(v);
  return u === 'Month' && d.getUTCMonth() ? F.m.format(v) : F.y.format(v);
}

/* A hole breaks the line: the server, which knows how often a series is told, says [t, null]. */
function unfold(s) {
  const p = s.points, mean = [], lo = [], hi = [], gaps = [];
  const hole = (from, to, why) => { gaps.push([from, to, why]); for (const l of [mean, lo, hi]) l.push({ x: (from + to) / 2, y: NaN }); };
  let before;
  p.forEach(([t, v, a, b], i) => {
    if (v === null) { hole(before ?? t, p[i + 1]?.[0] ?? t, a); before = undefined; return; }
    mean.push({ x: t, y: v }); if (s.resolution) { lo.push({ x: t, y: a }); hi.push({ x: t, y: b }); }
    before = t;
  });
  return { mean, lo, hi, gaps };
}

/* At the pointer: the nearest point of every visible series, by bisection. */
Chart.Interaction.modes.eachNearest = (chart, e) => {
  const x = chart.scales.x.getValueForPixel(e.x), hit = [];
  chart.data.datasets.forEach((ds, i) => {
    if (!ds.key || !chart.isDatasetVisible(i) || !ds.data.length) return;
    let a = 0, b = ds.data.length - 1;
    while (b - a > 1) { const m = (a + b) >> 1; ds.data[m].x < x ? a = m : b = m; }
    const index = Math.abs(ds.data[a].x - x) < Math.abs(ds.data[b].x - x) ? a : b;
    const element = chart.getDatasetMeta(i).data[index];
    if (element && !isNaN(ds.data[index].y)) hit.push({ element, datasetIndex: i, index });
  });
  return hit;
};
/* A value in words: a number with its unit, a state, a share of time on. */
const words = (b, v) => !('binary' in b.dataset) ? num(v, +b.dataset.dec) + (b.dataset.unit ? ' ' + b.dataset.unit : '')
  : v === 0 || v === 1 ? (v ? b.dataset.on : b.dataset.off) || String(v) : num(v * 100, 0) + ' % ' + (b.dataset.on || '');
const css = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const marks = {   // holes as quiet grey columns, cursor as one hairline
  id: 'marks',
  beforeDatasetsDraw(c) {
    const { ctx, chartArea: a, scales: { x } } = c;
    ctx.save(); ctx.fillStyle = css('--line'); ctx.font = '12px ' + css('--font'); ctx.textAlign = 'center';
    for (const [t0, t1, why] of c.gaps || []) {
      const l = Math.max(a.left, x.getPixelForValue(t0)), r = Math.min(a.right, x.getPixelForValue(t1));
      if (r - l < 3) continue;
      ctx.globalAlpha = .45; ctx.fillRect(l, a.top, r - l, a.height); ctx.globalAlpha = 1;
      if (r - l > 96) { ctx.save(); ctx.fillStyle = css('--muted'); ctx.fillText(T['gap_' + why] || T.gap, (l + r) / 2, a.bottom - 10); ctx.restore(); }
    }
    ctx.restore();
  },
  afterDatasetsDraw(c) {
    pins(c);
    const on = c.getActiveElements(); if (!on.length) return;
    const { ctx, chartArea: a } = c, x = on[0].element.x;
    ctx.save(); ctx.strokeStyle = css('--edge'); ctx.lineWidth = 1; ctx.beginPath(); ctx.moveTo(x, a.top); ctx.lineTo(x, a.bottom); ctx.stroke(); ctx.restore();
  },
};

/* Notes of the household: a line at their time, with the number that the list below gives them. */
function pins(c) {
  const { ctx, chartArea: a, scales: { x } } = c;
  ctx.save(); ctx.strokeStyle = ctx.fillStyle = css('--accent'); ctx.textAlign = 'center'; ctx.font = '600 11px ' + css('--font'); ctx.setLineDash([3, 3]);
  for (const li of $('[data-note]')) {
    const px = x.getPixelForValue(+li.dataset.note);
    if (!(px >= a.left && px <= a.right)) continue;
    ctx.beginPath(); ctx.moveTo(px, a.top + 8); ctx.lineTo(px, a.bottom); ctx.stroke();
    ctx.beginPath(); ctx.arc(px, a.top + 2, 9, 0, 7); ctx.fill();
    ctx.fillStyle = css('--accent-ink'); ctx.fillText(li.querySelector('.pin').textContent, px, a.top + 6); ctx.fillStyle = css('--accent');
  }
  ctx.restore();
}
const small = matchMedia('(max-width: 819px)').matches;
const chart = new Chart(canvas, {
  type: 'line', data: { datasets: [] }, plugins: [marks],
  options: {
    animation: false, parsing: false, normalized: true,       // data is {x, y}, sorted, unique: no copy, no sort
    responsive: true, maintainAspectRatio: false, resizeDelay: 60, spanGaps: false,
    devicePixelRatio: Math.min(devicePixelRatio, 2),
    interaction: { mode: 'eachNearest', intersect: false },
    elements: { line: { tension: 0, borderWidth: 2, borderJoinStyle: 'round' }, point: { radius: 0, hitRadius: 0, hoverRadius: 5, hoverBorderWidth: 2 } },
    layout: { padding: { top: 6 } },
    scales: { x: { type: 'linear' } },
    plugins: { legend: { display: false }, tooltip: { enabled: !small, position: 'nearest', padding: 12, cornerRadius: 10, boxWidth: 10, boxHeight: 10, boxPadding: 6, usePointStyle: true, caretPadding: 10,
      callbacks: { title: it => F.full.format(it[0].raw.x),
        label: it => { const { name, b, band } = it.dataset, r = band?.[it.dataIndex], dec = +b.dataset.dec; return ` ${name} ${words(b, it.raw.y)}` + (r && !('binary' in b.dataset) ? `   (${num(r[0], dec)} – ${num(r[1], dec)})` : ''); } } } },
    onHover: (e, on) => readout(on),
  },
});
window.foyerChart = chart;

/* As many decimals as tell the ticks of an axis apart. */
function decimals(ticks) {
  const step = ticks.length > 1 ? Math.abs(ticks[1].value - ticks[0].value) : 1;
  return step >= 1 && ticks.every(t => t.value % 1 === 0) ? 0 : Math.min(4, Math.max(1, Math.ceil(-Math.log10(step))));
}
/* Colours come from the tokens, again whenever the theme changes. */
let axes = [], bounds = {};
function paint() {
  const o = chart.options, muted = css('--muted'), line = css('--line'), border = { color: line };
  Chart.defaults.font.family = css('--font'); Chart.defaults.font.size = 12; Chart.defaults.color = muted;
  const scales = { x: { type: 'linear', axis: 'x', ...bounds, afterBuildTicks: calendar, border, grid: { color: line, borderColor: line, drawOnChartArea: false, tickLength: 6 }, ticks: { color: muted, callback: label, maxRotation: 0, autoSkip: false, includeBounds: false } } };
  axes.forEach((a, i) => scales[a.id] = { type: 'linear', axis: 'y', position: i % 2 ? 'right' : 'left', grace: '8%', border: { display: false }, grid: { color: line, drawBorder: false, drawTicks: false, drawOnChartArea: !i },
    ...(a.binary ? { min: 0, max: 1.1, grace: 0 } : {}),
    ticks: { color: css('--q-' + a.tint) || muted, maxTicksLimit: 6, padding: 8, ...(a.binary ? { stepSize: 1 } : {}),
      callback: (v, i, all) => a.binary ? (v === 0 || v === 1 ? words(a.b, v) : '') : num(v, decimals(all)) + (small || !a.unit ? '' : ' ' + a.unit) } });
  o.scales = scales;
  Object.assign(o.plugins.tooltip, { backgroundColor: css('--surface'), titleColor: css('--muted'), bodyColor: css('--ink'), borderColor: css('--edge'), borderWidth: 1, bodyFont: { size: 14, weight: 600 }, titleFont: { weight: 500 } });
  for (const ds of chart.data.datasets) {
    const c = css('--q-' + ds.tint) || css('--accent');
    ds.borderColor = ds.key ? c : ds.before ? c + '99' : 'transparent'; ds.backgroundColor = ds.key && !ds.fill ? c : c + '2b'; ds.pointHoverBackgroundColor = css('--surface'); ds.pointHoverBorderColor = c;
  }
}
addEventListener('themechange', () => { paint(); chart.update('none'); });
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => { paint(); chart.update('none'); });

/* ---- data in ---- */
const buttons = $('.legend [data-series]');
const axisOf = b => 'binary' in b.dataset ? 'state' : 'y ' + b.dataset.unit;
const pressed = b => b.getAttribute('aria-pressed') === 'true';
let shown = [], query = {}, held;
async function load(q) {
  query = q;
  const length = { '24h': DAY, '7d': 7 * DAY, '30d': 30 * DAY, '1y': 365 * DAY }[q.range], to = now();
  const ask = { series: buttons.map(b => b.dataset.series).join() };
  if (q.from) Object.assign(ask, { from: q.from, to: q.to, points: 1000 });
  else if (length) Object.assign(ask, { from: Math.round(to - length), to: Math.round(to), points: 1000 });
  else ask.last = 100;
  canvas.setAttribute('aria-busy', 'true');
  try {
    const back = ask.to - ask.from, earlier = 'previous' in plot.dataset && ask.from;      // the span before, drawn beneath
    const [h, before] = await Promise.all([api.history(ask), earlier && api.history({ ...ask, from: ask.from - back, to: ask.from })]);
    if (query !== q) return;
    held = ask.last && h; show(h, ask, before && { ...before, back });
  } catch (e) {
    if (query === q) document.getElementById('resolution').textContent = put(T.history_missing, { reason: e.message });
  }
  canvas.removeAttribute('aria-busy');
}
function show(h, ask, before) {
  const sets = [], colours = new Set(); let gaps;
  axes = [];
  shown = h.series.map((s, i) => {
    const b = buttons[i], binary = 'binary' in b.dataset, u = unfold(s), id = axisOf(b), tint = b.dataset.tint, visible = pressed(b);
    if (visible && !axes.some(a => a.id === id)) axes.push({ id, tint, unit: b.dataset.unit, binary, b });
    if (binary && u.mean.length) u.mean.push({ x: ask.to ? Math.min(+ask.to, now()) : now(), y: u.mean.at(-1).y });     // a state lasts
    const at = { tint, yAxisID: id, hidden: !visible, stepped: binary && !s.resolution, fill: binary ? 'origin' : false };
    if (s.resolution && !binary) sets.push({ ...at, data: u.lo, order: 2 }, { ...at, data: u.hi, fill: '-1', order: 2 });
    sets.push({ ...at, data: u.mean, key: b.dataset.series, name: b.querySelector('span').textContent, label: b.querySelector('span').textContent, unit: b.dataset.unit, b, order: 1,
      borderDash: visible && colours.has(tint) ? [7, 4] : [],                       // two of one colour
      band: s.resolution ? u.lo.map((p, j) => [p.y, u.hi[j].y]) : null });
    if (before && !binary) sets.push({ ...at, fill: false, data: unfold(before.series[i]).mean.map(p => ({ x: p.x + before.back, y: p.y })), before: true, borderDash: [2, 4], borderWidth: 1.5, order: 3 });
    if (visible) { colours.add(tint); gaps ||= u.gaps; }
    return { ...s, ...u, b, binary };
  });
  const all = shown.filter(s => pressed(s.b) && s.mean.length).flatMap(s => [s.mean[0].x, s.mean.at(-1).x]);
  bounds = { min: ask.from ? +ask.from : Math.min(...all), max: ask.to ? +ask.to : Math.max(...all) };
  chart.data.datasets = axes.length ? sets.filter(d => axes.some(a => a.id === d.yAxisID)) : [];
  chart.gaps = gaps || []; chart.asked = { h, ask, before };
  if (all.length || ask.from) { paint(); chart.update('none'); }
  readout([]); note(h);
}
function note(h) {
  const n = shown.reduce((sum, s) => sum + (pressed(s.b) ? s.points.length : 0), 0), r = h.series[0]?.resolution;
  document.getElementById('resolution').textContent = !n ? T.nothing
    : (r ? put(T.mean, { span: span(r / 1000) }) + ' ' + (shown[0].binary ? '' : T.band) : shown[0].binary ? T.changes : T.raw) + ' ' + put(T.points, { n: num(n, 0) }) + ('previous' in plot.dataset ? ' ' + T.previous : '');
}
/* The legend doubles as read-out: on a phone the finger hides a tooltip. */
function readout(on) {
  const when = document.getElementById('when'); let t;
  shown.forEach(s => {
    const hit = on.find(o => chart.data.datasets[o.datasetIndex].key === s.b.dataset.series);
    const p = hit ? s.mean[hit.index] : s.points.length ? { x: s.points.at(-1)[0], y: s.points.at(-1)[1] } : null;
    if (p && p.y !== null && (hit || held)) { s.b.querySelector('b').textContent = words(s.b, p.y); }
    if (p && (hit || !t)) t = p.x;
  });
  when.textContent = (on.length ? '' : T.last_reading + ' · ') + (t ? F.full.format(t) : '–');
}

/* ---- events ---- */
/* At most two axes: a third unit takes the place of the one that was added last. */
for (const b of buttons) b.onclick = () => {
  b.setAttribute('aria-pressed', !pressed(b));
  const first = buttons.find(x => pressed(x) && x !== b) || b, units = new Set(buttons.filter(pressed).map(axisOf));
  if (units.size > 2) for (const x of buttons) if (x !== b && pressed(x) && axisOf(x) !== axisOf(first) && axisOf(x) !== axisOf(b)) x.setAttribute('aria-pressed', false);
  if (chart.asked) show(chart.asked.h, chart.asked.ask, chart.asked.before);
};
const custom = document.getElementById('custom');
function go(search, q) {
  history.pushState(null, '', search);
  load(q); refresh();                        // the figures beside the chart are the server's
}
document.addEventListener('click', e => {    // the links are the server's too, and come anew with it
  const a = e.target.closest('.seg [data-range]');
  if (!a || e.ctrlKey || e.metaKey || e.shiftKey) return;
  e.preventDefault();
  if (a.dataset.range === 'custom') { custom.hidden = !custom.hidden; a.setAttribute('aria-expanded', !custom.hidden); if (!custom.hidden) custom.querySelector('input').focus(); return; }
  custom.hidden = true;
  for (const x of $('.seg [data-range]')) x === a ? x.setAttribute('aria-current', 'true') : x.removeAttribute('aria-current');
  go(a.getAttribute('href'), { range: a.dataset.range });
});
custom.onsubmit = e => {
  const [from, to] = $('input[type=datetime-local]', custom).map(i => moment(new Date(i.value + 'Z'))), end = custom.querySelector('[name=to]');
  e.preventDefault();
  if (!(from < to)) { end.setCustomValidity(T.bad_span); end.reportValidity(); return; }
  go(`?from=${from}&to=${to}`, { from, to });
};
custom.oninput = () => custom.querySelector('[name=to]').setCustomValidity('');
function asked() {
  const p = new URLSearchParams(location.search);
  return p.get('from') && +p.get('from') ? { from: +p.get('from'), to: +p.get('to') } : { range: p.get('range') || 'last' };
}
addEventListener('popstate', () => { load(asked()); refresh(); });
addEventListener('foyer:reset', () => load(query));
let cursor = -1;          // arrow keys walk along the first visible series
canvas.onkeydown = e => {
  const d = { ArrowLeft: -1, ArrowRight: 1, PageUp: -20, PageDown: 20, Home: -1e9, End: 1e9 }[e.key];
  if (!d) return;
  e.preventDefault();
  const i = chart.data.datasets.findIndex((ds, j) => ds.key && chart.isDatasetVisible(j)); if (i < 0) return;
  const n = chart.data.datasets[i].data.length;
  cursor = Math.min(n - 1, Math.max(0, (cursor < 0 ? n - 1 : cursor) + d));
  const el = chart.getDatasetMeta(i).data[cursor], on = Chart.Interaction.modes.eachNearest(chart, { x: el.x });
  chart.setActiveElements(on); chart.tooltip.setActiveElements(on, { x: el.x, y: el.y }); chart.update('none'); readout(on);
  document.getElementById('say').textContent = document.getElementById('when').textContent + '. ' + shown.filter(s => pressed(s.b)).map(s => s.b.querySelector('b').textContent).join(', ');
};
canvas.onmouseleave = () => readout([]);
canvas.onblur = () => { cursor = -1; chart.setActiveElements([]); chart.tooltip.setActiveElements([], { x: 0, y: 0 }); chart.update('none'); readout([]); };
addEventListener('foyer:reading', e => {      // new readings join the "last 100" view as they come
  const { series, value, time } = e.detail, s = held?.series.find(x => `${x.node}/${x.device}/${x.quantity}` === series);
  if (!s || typeof value !== 'number' || time <= (s.points.at(-1)?.[0] ?? 0)) return;
  const binary = 'binary' in (buttons.find(b => b.dataset.series === series)?.dataset || {});
  if (!binary && late(s.points, time)) { later(again, 500); later(refresh, 5000); return; }
  if (!binary || s.points.at(-1)?.[1] !== value) s.points.push([time, value]);
  if (s.points.length > 100) s.points.shift();
  later(refresh, 5000);
  if (!chart.getActiveElements().length) later(redraw, 50);       // a chart that someone reads stands still
});
const redraw = () => held && show(held, {});
const again = () => load(query);                               // whether that was a hole, the server tells
window.foyer.load = load; window.foyer.show = show;
load(plot.dataset.from ? { from: +plot.dataset.from, to: +plot.dataset.to } : { range: plot.dataset.range });
})();
