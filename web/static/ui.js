/* Foyer: what a page does once it is there. Pages are complete without it:
   values are in the HTML, controls are forms, links are links. */
'use strict';
(() => {
const root = document.documentElement;
const lang = root.lang === 'en' ? 'en' : 'fr';
const $ = (sel, el = document) => [...el.querySelectorAll(sel)];
const T = JSON.parse(document.getElementById('strings').textContent);      // the page's own catalogue
const put = (text, words) => text.replace(/\{(\w+)\}/g, (whole, word) => words[word] ?? whole);
const fmts = {};
/* As webd writes them (webd/wording.c): dec < 0 is "at most so many decimals". */
function num(v, dec) {
  const most = Math.abs(dec), f = fmts[dec] ||= new Intl.NumberFormat(lang, { minimumFractionDigits: dec < 0 ? 0 : dec, maximumFractionDigits: most });
  return f.format(+v.toFixed(most) === 0 ? 0 : v);
}
/* Ages count by the server's clock: a tablet's own may be wrong by hours. */
let skew = 0;
function learnClock(page) { const d = page.dataset.now - Date.now(); skew = Math.abs(d) > 3000 ? d : 0; }
const now = () => Date.now() + skew;

const api = {
  history: q => fetch('/api/v1/history?' + new URLSearchParams(q)).then(async r => r.ok ? r.json() : Promise.reject(new Error((await r.json().catch(() => ({}))).error || r.status))),
  command: c => fetch('/api/v1/command', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(c) })
    .then(async r => ({ status: r.status, ...await r.json() })),
};
const say = text => { document.getElementById('say').textContent = text; };

/* ---- ages: one timer for the page, none while it is hidden ---- */
const span = s => s < 60 ? put(T.s, { n: Math.floor(s) }) : s < 3600 ? put(T.min, { n: Math.floor(s / 60) })
  : s < 172800 ? put(T.h, { n: Math.floor(s / 3600) }) : put(T.d, { n: Math.floor(s / 86400) });
function ages() {
  if (document.hidden) return;
  for (const el of $('time[data-t]')) {
    const s = Math.max(0, (now() - el.dataset.t) / 1000), tile = el.closest('.tile');
    const late = tile && s > tile.dataset.stale;
    if (late && tile.dataset.state !== 'stale') { tile.dataset.state = 'stale'; later(refresh, 1500); }
    const stale = tile?.dataset.state === 'stale';
    const text = stale ? put(T.silent, { span: span(s) }) : 'bare' in el.dataset ? span(s) : s < 5 ? T.now : put(T.ago, { span: span(s) });
    if (el.textContent !== text) el.textContent = text;
  }
}

/* ---- sparklines: one path per unbroken run, no library ---- */
const NS = 'http://www.w3.org/2000/svg', KEPT = 100, MOST = 128;            // MOST: series that the server tells at once
const lines = new Map();                 // series -> points, so that a part that came anew needs no history
const svg = (el, tag, at) => { const e = document.createElementNS(NS, tag); for (const k in at) e.setAttribute(k, at[k]); el.append(e); };
function strip(el, points) {             // states: from the first change to now
  const t0 = points[0][0], t1 = Math.max(now(), points.at(-1)[0]), X = t => (t - t0) / (t1 - t0 || 1) * 100;
  el.replaceChildren();
  svg(el, 'rect', { class: 'base', x: 0, y: 0, width: 100, height: 28 });
  points.forEach(([t, v], i) => v && svg(el, 'rect', { x: X(t).toFixed(1), y: 0, height: 28, width: Math.max(.7, X(points[i + 1]?.[0] ?? t1) - X(t)).toFixed(2) }));
}
function spark(el, points) {
  if (points.length < 2) return;
  if (el.classList.contains('strip')) { strip(el, points); return; }
  const known = points.filter(p => p[1] !== null), t0 = points[0][0], t1 = points.at(-1)[0];
  if (known.length < 2 || t1 <= t0) return;
  el.replaceChildren();
  let lo = Infinity, hi = -Infinity;
  for (const p of known) { if (p[1] < lo) lo = p[1]; if (p[1] > hi) hi = p[1]; }
  const pad = Math.max((hi - lo) * .12, Math.abs(hi) * .002, .05);
  const X = t => ((t - t0) / (t1 - t0) * 97.5).toFixed(1), Y = v => (26 - (v - lo + pad) / (hi - lo + 2 * pad) * 24).toFixed(1);
  const runs = [];
  let run, before;
  for (const p of points) {
    if (p[1] !== null) { if (!before) runs.push(run = []); run.push(p); }
    before = p[1] !== null;
  }
  for (const r of runs) {
    const d = r.map(p => X(p[0]) + ' ' + Y(p[1])).join('L');
    svg(el, 'path', { class: 'area', d: `M${X(r[0][0])} 28L${d}L${X(r.at(-1)[0])} 28Z` });
    svg(el, 'path', { d: 'M' + d });
  }
  const end = known.at(-1), dec = el.closest('.tile').querySelector('[data-dec]')?.dataset.dec || 0;
  svg(el, 'path', { class: 'end', d: `M${X(end[0])} ${Y(end[1])}h0` });
  el.setAttribute('aria-label', put(T.range, { from: num(lo, dec), to: num(hi, dec) }));
}
/* A line is drawn when it first comes into sight, or when there is nothing else to do, and kept up to date from then on. */
const dirty = new Set(), inSight = new Set(), seriesOf = el => el.closest('.tile').dataset.series;
const sight = new IntersectionObserver(list => {
  for (const e of list) if (e.isIntersecting) { inSight.add(seriesOf(e.target)); redraw(seriesOf(e.target)); sight.unobserve(e.target); }
}, { rootMargin: '200px' });
function redraw(name) {
  if (!inSight.has(name) || !lines.has(name)) return;
  if (!dirty.size) requestAnimationFrame(() => {
    for (const n of dirty) if (lines.has(n)) for (const el of $(`.tile[data-series="${n}"] [data-spark]`)) spark(el, lines.get(n));
    dirty.clear();
  });
  dirty.add(name);
}
const soon = window.requestIdleCallback ? fn => requestIdleCallback(fn, { timeout: 300 }) : fn => setTimeout(fn, 50);
function unseen() {
  const el = $('[data-spark]').find(e => !inSight.has(seriesOf(e)) && lines.has(seriesOf(e)));
  if (el) { inSight.add(seriesOf(el)); redraw(seriesOf(el)); soon(unseen); }
}
addEventListener('beforeprint', () => { for (const el of $('[data-spark]')) { inSight.add(seriesOf(el)); spark(el, lines.get(seriesOf(el)) || []); } });
async function sparks(anew) {            // of the whole page, in as few requests as can be
  const names = [...new Set($('[data-spark]').map(e => { sight.observe(e); return seriesOf(e); }))];
  const wanted = names.filter(n => anew || !lines.has(n));
  for (const n of names) if (!wanted.includes(n)) redraw(n);
  if (!wanted.length) return;
  for (let i = 0; i < wanted.length; i += MOST) try {
    const h = await api.history({ series: wanted.slice(i, i + MOST).join(), last: KEPT });
    for (const s of h.series) { const n = `${s.node}/${s.device}/${s.quantity}`; lines.set(n, s.points); redraw(n); }
    setTimeout(unseen, 1000);
  } catch { /* no history: the values are there, only the lines are not */ }
}
/* Much later than the others came: perhaps a hole, which the server tells. */
const late = (points, time) => points.length > 2 && time - points.at(-1)[0] > (points.at(-1)[0] - points[0][0]) / points.length * 2.5;
function grow(name, time, value) {
  const points = lines.get(name);
  if (!points || typeof value !== 'number' || time <= (points.at(-1)?.[0] ?? 0)) return;
  if (late(points, time)) { lines.delete(name); later(sparks, 500); return; }
  points.push([time, value]);
  if (points.length > KEPT) points.shift();
  redraw(name);
}

/* ---- live values ---- */
const word = (el, value) => typeof value === 'string' ? value : value ? el.dataset.on || '1' : el.dataset.off || '0';
function showValue(tile, value) {
  const number = tile.querySelector('[data-dec]'), text = tile.querySelector('[data-word]');
  if (number && typeof value === 'number') number.textContent = num(value, number.dataset.dec);
  if (text) text.textContent = word(tile, value);
}
const tried = new Set();                 // series that the page does not show even after it was read anew
function reading({ series, value, time }) {
  const tiles = $(`.tile[data-series="${series}"]`), forms = $(`.ctl[data-series="${series}"]`);
  for (const tile of tiles) {
    const t = tile.querySelector('time');
    showValue(tile, value);
    if (t) t.dataset.t = time; else later(refresh, 200);
    delete tile.dataset.state;
    if (!document.hidden) { tile.classList.remove('flash'); void tile.offsetWidth; tile.classList.add('flash'); }
  }
  for (const b of $(`[data-chip="${series}"] [data-dec]`)) if (typeof value === 'number' && b.closest('.room, .chip')) chip(b, value, tiles[0]);
  for (const f of forms) if (f.dataset.state !== 'pending') { apply(f, value); if (!f.dataset.state) rest(f, value, time); }
  if (!tiles.length && !forms.length && shows(series.split('/')[0]) && !tried.has(series)) { tried.add(series); later(refresh, 200); }
  for (const t of $(`[data-part="node ${series.split('/')[0]}"] [data-seen]`)) if (time > t.dataset.t) t.dataset.t = Math.min(time, now());
  grow(series, time, value);
  dispatchEvent(new CustomEvent('foyer:reading', { detail: { series, value, time } }));
  ages();
}
function chip(el, value, tile) { el.textContent = tile && 'on' in tile.dataset ? word(tile, value) : num(value, el.dataset.dec); }
/* Whether this page is about the node at all: the overview is about every one. */
const shows = node => document.querySelector('[data-part=chips], [data-part=empty]') || document.querySelector(`[data-part="node ${node}"]`);

/* ---- the page anew, part by part: there is one place that knows how a part looks, and that is the server ---- */
const timers = new Map();
function later(fn, ms) { if (!timers.has(fn)) timers.set(fn, setTimeout(() => { timers.delete(fn); fn(); }, ms)); }
const busy = el => el.querySelector('[data-state=pending], [data-armed]') || (el.contains(document.activeElement) && document.activeElement.matches('input, select, textarea'));
const reachable = 'a[href], button, input:not([type=hidden]), summary, [tabindex]';
function swap(old, fresh) {
  const at = old.contains(document.activeElement) ? $(reachable, old).indexOf(document.activeElement) : -1;
  for (const d of $('details', old)) { const n = fresh.querySelector('details'); if (n) n.open = d.open; }
  old.replaceWith(fresh);
  if (at >= 0) $(reachable, fresh)[at]?.focus({ preventScroll: true });
}
let reading_anew = false;
async function refresh() {
  if (reading_anew || document.hidden) { later(refresh, 1000); return; }
  reading_anew = true;
  try {
    const r = await fetch(location.href, { headers: { Accept: 'text/html' } });
    if (r.redirected && new URL(r.url).pathname === '/login') { location.assign(r.url); return; }   // the session has ended
    if (r.ok) show(new DOMParser().parseFromString(await r.text(), 'text/html'));
  } catch { /* the stream tells that the site is away */ }
  reading_anew = false;
}
function show(page) {
  const parts = new Map($('[data-part]').map(e => [e.dataset.part, e])), fresh = $('[data-part]', page);
  learnClock(page.documentElement);
  broker(page.getElementById('down').hidden);
  if (fresh.length !== parts.size || fresh.some(e => !parts.has(e.dataset.part))) {
    const main = document.getElementById('main');
    if (document.getElementById('plot')) { location.reload(); return; }
    if (busy(main)) { later(refresh, 2000); return; }
    const lost = document.getElementById('lost').hidden;
    main.replaceChildren(...page.getElementById('main').childNodes);
    document.getElementById('lost').hidden = lost;
    document.title = page.title;
  } else {
    for (const e of fresh) { const old = parts.get(e.dataset.part); busy(old) ? later(refresh, 2000) : swap(old, document.adoptNode(e)); }
    if (document.querySelector('[data-part=head]')) document.title = page.title;
  }
  for (const e of $('.tile, form.ctl')) tried.delete(e.dataset.series);
  dress(); cameras(); looks(); sparks(); ages();
}

/* ---- the event stream ---- */
let up = document.getElementById('down')?.hidden, lost = false;          // no such banner outside, before the log-in
function pill() {
  const s = lost ? 'lost' : up ? '' : 'down';
  for (const el of $('.live')) { el.hidden = false; s ? el.dataset.state = s : delete el.dataset.state; el.lastChild.textContent = T[s || 'live']; }
}
function broker(is) { up = is; document.getElementById('down').hidden = is; pill(); }
const follow = () => { if (document.querySelector('[data-follow]')) later(refresh, 1000); };      // a page that tells what happens
let at = root.dataset.live;                 // what happens while the page is on its way is told afterwards
function connect() {
  const es = new EventSource('/api/v1/live' + (at ? `?after=${at}` : ''));
  es.onopen = () => {
    clearTimeout(connect.tell);
    if (lost) say(T.back);
    lost = false; document.getElementById('lost').hidden = true; pill();
  };
  es.onerror = () => {
    if (!lost) connect.tell = setTimeout(() => { document.getElementById('lost').hidden = false; }, 3000);
    lost = true; pill();
    /* A refusal ends the browser's own tries; ours are spread, so that a house of tablets does not knock all at once. */
    if (es.readyState === EventSource.CLOSED) { es.close(); refresh(); setTimeout(connect, 2000 + Math.random() * 3000); }
  };
  const on = (name, fn) => es.addEventListener(name, e => { at = e.lastEventId || at; fn(e.data ? JSON.parse(e.data) : {}); });
  on('reading', e => { reading(e); if (e.series.endsWith('/badge')) follow(); });
  on('result', e => { result(e); follow(); });
  on('node', () => later(refresh, 250));
  on('broker', e => broker(e.up));
  on('reset', () => {                     // perhaps a server that has just started: it hears of the nodes in a moment
    lines.clear(); later(refresh, Math.random() * 1000); setTimeout(refresh, 4000);
    dispatchEvent(new Event('foyer:reset'));
  });
  addEventListener('pagehide', () => es.close(), { once: true });
}
addEventListener('pageshow', e => { if (e.persisted && !('outside' in root.dataset)) { connect(); refresh(); } });

/* ---- commands: what shows is what the node confirmed; a wish shows as a wish ---- */
function apply(f, value) {
  const kind = f.dataset.kind;
  if (kind === 'switch') {
    const b = f.querySelector('[role=switch]');
    b.setAttribute('aria-checked', !!value); b.value = value ? 0 : 1; delete b.dataset.want;
    f.classList.toggle('lit', !!value);
  } else if (kind === 'range' && typeof value === 'number') {
    const r = f.querySelector('input[type=range]'); f.dataset.value = value; if (f.dragged) ghost(f, r); else { r.value = value; fill(r); }
    f.classList.toggle('lit', 'lamp' in f.dataset && value > 0);
  } else if (kind === 'text' && typeof value === 'string') {
    const i = f.querySelector('.input'); if (document.activeElement !== i) i.value = value;
  }
}
function rest(f, value, time) {
  if ('offline' in f.dataset || (f.dataset.kind === 'button' && 'confirm' in f.dataset)) return;
  const s = f.querySelector('.ctl-s'), t = document.createElement('time');
  t.dataset.t = time; t.dateTime = new Date(time).toISOString();
  s.replaceChildren(f.dataset.kind === 'switch' ? word(f, value) + ' · ' : '', t);
  ages();
}
function ghost(f, r) {   // where the output still is, while the wish is on its way
  f.querySelector('.ghost').style.setProperty('--g', `calc(14px + (100% - 28px) * ${(f.dataset.value - r.min) / (r.max - r.min)})`);
}
function fill(r) {
  const out = r.form.querySelector('output'), n = out.querySelector('[data-dec]'), unit = out.querySelector('.unit')?.textContent || '';
  r.style.setProperty('--p', (r.value - r.min) / (r.max - r.min) * 100 + '%');
  n.textContent = num(+r.value, n.dataset.dec);
  r.setAttribute('aria-valuetext', `${n.textContent} ${unit}`);
}
const twins = series => $(`form.ctl[data-series="${series}"]`);
const state = (f, s, text) => { f.dataset.state = s; f.querySelector('.ctl-s').textContent = text; };
const done = f => T[{ text: 'shown', button: 'triggered' }[f.dataset.kind] || 'done'];
const held = f => f.dataset.kind === 'range' ? +f.dataset.value : f.querySelector('[role=switch]')?.getAttribute('aria-checked') === 'true';
/* What became of a wish, for as long as one needs to read it. */
function settle(f, good, value, text) {
  const stamp = f.stamp = {};
  apply(f, good ? value : held(f));
  state(f, good ? 'ok' : 'failed', text);
  if (good) setTimeout(() => { if (f.stamp === stamp) { delete f.dataset.state; rest(f, value, now()); } }, 4000);
}
async function send(f, value) {
  const [node, device, quantity] = f.dataset.series.split('/'), all = twins(f.dataset.series);
  const stamp = f.stamp = {}, t0 = performance.now();
  all.forEach(x => state(x, 'pending', T.sending));
  const slow = setTimeout(() => all.forEach(x => state(x, 'pending', T.waiting)), 2000);
  let r;
  try { r = await api.command({ node, device, quantity, value }); } catch { r = { status: 0 }; }
  clearTimeout(slow);
  if (f.stamp !== stamp) return;            // a newer wish is on its way
  const good = r.status === 200 && r.ok !== false;
  const text = good ? `${done(f)} · ${Math.round(r.latency_ms ?? performance.now() - t0)} ms`
    : r.status === 200 || r.status === 400 ? put(T.refused, { reason: r.error || '?' }) : T[r.status] || T.net;
  all.forEach(x => settle(x, good, r.value ?? value, text));
  say(f.querySelector('.ctl-n').textContent + '. ' + text);
}
/* A slider under the finger: the newest wish wins, one on its way at a time, at most ten a second. */
async function drag(f, value) {
  if (f.on_way === value && f.next === undefined) return;
  f.next = value;
  if (f.on_way !== undefined) return;
  while (f.next !== undefined) {
    f.on_way = f.next; f.next = undefined;
    await Promise.all([send(f, f.on_way), new Promise(r => setTimeout(r, 100))]);
  }
  f.on_way = undefined;
}
/* The node's word on anybody's wish: every browser shows it. */
function result({ series, ok, value, error, latency_ms }) {
  for (const f of twins(series)) {
    if (f.dataset.state === 'pending') continue;        // its own answer is on the way
    const text = ok ? done(f) + (latency_ms >= 0 ? ` · ${Math.round(latency_ms)} ms` : '') : put(T.refused, { reason: error || '?' });
    settle(f, ok, value ?? held(f), text);
  }
}
function wish(f) {
  const kind = f.dataset.kind, b = f.querySelector('button');
  if (kind === 'switch') {
    const on = b.getAttribute('aria-checked') !== 'true';
    for (const x of twins(f.dataset.series)) x.querySelector('[role=switch]').dataset.want = on;
    send(f, on ? 1 : 0);
  } else if (kind === 'range') drag(f, +f.querySelector('input[type=range]').value);
  else if (kind === 'text') send(f, f.querySelector('.input').value);
  else send(f, 1);
}
function disarm(f) {
  const b = f.querySelector('button'), s = f.querySelector('.ctl-s');
  clearTimeout(f.timer); delete f.dataset.armed; delete b.dataset.armed;
  if (f.was !== undefined) { s.replaceChildren(...f.was); f.was = undefined; }
  if (f.label !== undefined) { b.textContent = f.label; f.label = undefined; }
}
function arm(f) {                          // asks twice, within four seconds
  const b = f.querySelector('button'), s = f.querySelector('.ctl-s');
  f.was = [...s.childNodes]; f.dataset.armed = b.dataset.armed = '';
  if (f.dataset.kind === 'button') { f.label = b.textContent; b.textContent = T.sure; s.textContent = T.again; }
  else s.textContent = `${T.sure} ${T.again}`;
  say(`${T.sure} ${T.again}`);
  f.timer = setTimeout(() => disarm(f), 4000);
}
function controls() {
  for (const f of $('form.ctl')) {
    const r = f.querySelector('input[type=range]');
    if (f.dressed) continue;
    f.dressed = true;
    if (r) {
      f.dataset.value = r.value;
      if (f.querySelector('output [data-dec]').textContent !== '–') fill(r);
      r.oninput = () => { f.dragged = true; fill(r); ghost(f, r); if (!('confirm' in f.dataset)) drag(f, +r.value); };
      r.onchange = () => { f.dragged = false; f.requestSubmit(); };
    }
    f.onsubmit = e => {
      e.preventDefault();
      if ('confirm' in f.dataset && !('armed' in f.dataset)) { arm(f); return; }
      if ('armed' in f.dataset) disarm(f);
      wish(f);
    };
  }
}

/* ---- theme (a cookie: the server renders the next page right), copy ---- */
function tools() {
  for (const a of $('[data-theme-toggle]')) a.onclick = e => {
    e.preventDefault();
    const mode = { auto: 'light', light: 'dark', dark: 'auto' }[root.dataset.theme || 'auto'];
    mode === 'auto' ? delete root.dataset.theme : root.dataset.theme = mode;
    document.cookie = `theme=${mode};path=/;max-age=31536000;samesite=lax`;
    a.querySelector('use').setAttribute('href', '#i-' + mode);
    a.title = a.dataset[mode]; a.setAttribute('aria-label', a.dataset[mode]); say(a.dataset[mode]);
    dispatchEvent(new Event('themechange'));
  };
  addEventListener('click', e => { for (const d of $('details.menu[open]')) if (!d.contains(e.target)) d.open = false; });
  addEventListener('keydown', e => { if (e.key === 'Escape') for (const d of $('details.menu[open]')) { d.open = false; d.querySelector('summary').focus(); } });
}
function dress() {
  controls();
  for (const el of $('.js')) el.hidden = false;
  for (const b of $('[data-copy]')) {
    b.hidden = false;
    b.onclick = async () => {
      const text = document.getElementById(b.dataset.copy), was = b.lastElementChild.textContent;
      try { await navigator.clipboard.writeText(text.textContent.trim()); } catch { getSelection().selectAllChildren(text); return; }
      b.lastElementChild.textContent = T.copied; say(T.copied);
      setTimeout(() => b.lastElementChild.textContent = was, 1500);
    };
  }
}
/* ---- cameras: a stream only in view and while the page is looked at; else a still now and then ---- */
const inView = new Set();
const onView = 'IntersectionObserver' in window && new IntersectionObserver(list => {
  for (const e of list) e.isIntersecting ? inView.add(e.target) : inView.delete(e.target);
  looks();
}, { rootMargin: '50px' });
function looks() {
  if (document.readyState !== 'complete') return;      // a stream that begins before would keep the page loading for ever
  for (const img of $('img[data-cam]')) {
    const wanted = !document.hidden && inView.has(img) ? `/camera/${img.dataset.cam}/stream` : `/camera/${img.dataset.cam}/still.jpg`;
    if (!document.hidden && !(img.getAttribute('src') || '').startsWith(wanted)) img.src = wanted;
    else if (document.hidden && (img.getAttribute('src') || '').includes('/stream')) img.removeAttribute('src');
  }
}
function stills() {
  if (!document.hidden) for (const img of $('img[data-still]')) {
    const next = new Image();                 // shown when it is there whole, so that nothing flickers
    next.onload = () => { img.src = next.src; img.hidden = false; };
    next.src = `/camera/${img.dataset.still}/still.jpg?${Math.floor(Date.now() / 10000)}`;
  }
}
function cameras() {
  for (const img of $('img[data-still]')) {                 // the frame stays, without the browser's broken picture
    img.onerror = () => { img.hidden = true; };
    if (img.complete && img.currentSrc && !img.naturalWidth) img.onerror();    // it failed before this script ran
  }
  for (const img of $('img[data-cam]')) if (onView && !img.onerror) {
    onView.observe(img);
    /* Away: asked again as often as its server does. */
    img.onerror = () => { setTimeout(() => { if (img.isConnected && !document.hidden) img.src = `/camera/${img.dataset.cam}/stream?${Date.now()}`; }, 30000); later(refresh, 1500); };
  }
  for (const b of $('[data-full]')) { b.hidden = !document.fullscreenEnabled; b.onclick = () => b.closest('section').querySelector('.cam').requestFullscreen(); }
}
document.addEventListener('visibilitychange', looks);
addEventListener('load', () => setTimeout(looks));
setInterval(stills, 10000);
function autos() { for (const f of $('form[data-auto]')) f.onchange = () => f.requestSubmit(); }   // a choice is asked for at once
function reveal() {                        // a password, while it is typed
  for (const b of $('[data-reveal]')) {
    const field = document.getElementById(b.dataset.reveal);

    b.hidden = false;
    b.onclick = () => { const on = field.type === 'password'; field.type = on ? 'text' : 'password'; b.setAttribute('aria-pressed', on); field.focus(); };
  }
}
/* A form without script led here with what became of it: shown once. */
function outcome() {
  const url = new URL(location);
  if (!url.searchParams.has('outcome')) return;
  url.searchParams.delete('outcome');
  history.replaceState(null, '', url);
  for (const f of $('form.ctl[data-state=ok]')) setTimeout(() => { delete f.dataset.state; refresh(); }, 4000);
}

window.foyer = { api, T, num, lang, $, put, span, say, refresh, later, late, now };
learnClock(root); tools(); dress(); reveal(); autos(); cameras(); outcome(); pill();
/* The page can be used; what makes it live waits until it has been painted. */
soon(() => { ages(); setInterval(ages, 1000); sparks(); if (!('outside' in root.dataset)) connect(); });
document.addEventListener('visibilitychange', ages);
if (!('outside' in root.dataset)) setInterval(() => { if (!document.hidden) refresh(); }, 60000);      // what only time brings: silence, a door open for long
})();
