// The series page in use: notes pinned and taken away, the period before beneath, a span of one's own, and holes only where there are some.
import assert from 'node:assert/strict';
import { after } from 'node:test';
import { openBrowser, openPage } from '../lib/browser.mjs';
import { House, test, waitFor } from '../lib/house.mjs';
import { firstAdministrator } from '../lib/visitor.mjs';

const MINUTE = 60000;
const HOUR = 60 * MINUTE;
const house = new House();
const now = Date.now();
// Two days, a reading each ten minutes; yesterday was five degrees colder, so that each day is known by its values.
const values = Array.from({ length: 288 }, (_, i) => ({ time: now - (288 - i) * 10 * MINUTE, value: (i < 144 ? 10 : 15) + (i % 10) / 10 }));

await house.startBroker();
await house.startCollector();
await house.startWebd({ auth: true });
await house.pub(
	'cave/$info',
	JSON.stringify({
		label: 'Cave',
		devices: {
			air: { label: 'Air', quantities: { temperature: { interval: 600 } } },
			// Told when it changes, but at least each hour.
			tank: { label: 'Cuve', quantities: { distance: { interval: 3600 } } },
		},
	}),
	{ retain: true },
);
await house.pubLines('cave/air/temperature', values.map((reading) => JSON.stringify(reading)));
// Busy for a while, then now and then, then nothing for half a day.
const tank = [
	...Array.from({ length: 40 }, (_, i) => now - 30 * HOUR + i * MINUTE),
	...Array.from({ length: 8 }, (_, i) => now - 28 * HOUR + i * 110 * MINUTE),
	now - 2 * HOUR,
	now - HOUR,
];
await house.pubLines('cave/tank/distance', tank.map((time, i) => JSON.stringify({ time, value: 100 + i })));
await house.stored('cave', 'air', 'temperature', values.length, 60000);
await house.stored('cave', 'tank', 'distance', tank.length, 60000);
// Each minute, and then not for hours.
const lux = Array.from({ length: 20 }, (_, i) => ({ time: now - 3 * HOUR + i * MINUTE, value: 300 + i }));
await house.pubLines('cave/lux/light', lux.map((reading) => JSON.stringify(reading)));
await house.stored('cave', 'lux', 'light', lux.length, 60000);
const anna = await firstAdministrator(house);
await waitFor(async () => /data-series="cave\/tank\/distance"/.test((await anna.get('/')).text), 'webd knows the house');
const browser = await openBrowser();
after(async () => {
	await browser.close();
	await house.close();
});

async function open(path, { before, ...options } = {}) {
	const page = await openPage(browser, options);

	await page.context().addCookies([{ name: 'foyer_session', value: anna.session, url: house.url, httpOnly: true, sameSite: 'Lax' }]);
	if (before) await page.addInitScript(before);
	await page.goto(house.url + path);
	if (path !== '/' && options.javaScriptEnabled !== false) await page.waitForFunction(() => window.foyerChart?.data.datasets.length > 0);
	return page;
}

async function close(page) {
	assert.deepEqual(page.complaints, []);
	await page.context().close();
}

// What the chart draws: the points of the series itself, those of the period before, the holes.
const drawn = (page) =>
	page.evaluate(() => {
		const { datasets } = window.foyerChart.data;
		const points = (data) => (data ?? []).filter(({ y }) => !Number.isNaN(y)).map(({ x, y }) => [x, y]);

		return { line: points(datasets.find((set) => set.key)?.data), before: points(datasets.find((set) => set.before)?.data), gaps: window.foyerChart.gaps };
	});

// As a field of date and time says it, in UTC as the browser of the tests is.
const local = (ms) => new Date(ms).toISOString().slice(0, 16);
const AIR = '/series/cave/air/temperature';

test('a note is pinned to its time, told to others, and taken away again', { deadline: 60000 }, async () => {
	const page = await open(`${AIR}?range=24h`);
	const notes = page.locator('#notes');
	const canvas = page.locator('#chart');
	const at = Math.floor((now - 3 * HOUR) / MINUTE) * MINUTE;
	const still = async () => {
		await page.mouse.move(0, 0);
		return canvas.screenshot({ animations: 'disabled' });
	};

	const bare = await still();
	await notes.getByLabel('What happened').fill('<b>Fenêtre</b> ouverte');
	await notes.locator('input[name=time]').fill(local(at));
	await notes.getByRole('button', { name: 'Pin' }).click();
	const item = page.locator('[data-note]');
	await item.waitFor();
	assert.match(page.url(), /range=24h/, 'the page stays where it was');
	assert.equal(await item.locator('b').textContent(), '<b>Fenêtre</b> ouverte', 'a text, no markup');
	assert.equal(Number(await item.getAttribute('data-note')), at);
	assert.match(await item.textContent(), /anna/);
	await page.waitForFunction(() => window.foyerChart?.data.datasets.length > 0);
	assert.ok(!bare.equals(await still()), 'it is seen on the time axis');

	const other = await open(AIR, { viewport: { width: 390, height: 800 } });
	assert.equal(await other.locator('[data-note]').count(), 1);
	await close(other);
	assert.match((await anna.get('/events')).text, /Fenêtre/);

	await item.getByRole('button').click();
	await page.waitForFunction(() => !document.querySelector('[data-note]'));
	await page.waitForFunction(() => window.foyerChart?.data.datasets.length > 0);
	await close(page);
});

test('the period before is drawn beneath, moved to where it is compared', { deadline: 60000 }, async () => {
	const page = await open(`${AIR}?range=24h`);
	const previous = page.getByRole('checkbox', { name: /previous period/i });

	assert.deepEqual((await drawn(page)).before, []);
	const apply = page.getByRole('button', { name: 'Apply' });

	await previous.check();
	await apply.click();
	await page.waitForURL(/prev=1/);
	await page.waitForFunction(() => window.foyerChart?.data.datasets.some((set) => set.before));
	const { line, before } = await drawn(page);
	assert.ok(line.length > 100 && before.length > 100);
	assert.ok(line.every(([, y]) => y >= 15 && y < 16), 'today');
	assert.ok(before.slice(0, -1).every(([, y]) => y >= 10 && y < 11), 'yesterday');
	assert.ok(before[0][0] >= line[0][0] - 20 * MINUTE && before.at(-1)[0] <= line.at(-1)[0] + 20 * MINUTE, 'on the same time axis');

	await page.reload();
	await page.waitForFunction(() => window.foyerChart?.data.datasets.some((set) => set.before));
	await previous.uncheck();
	await apply.click();
	await page.waitForURL((url) => !url.searchParams.has('prev'));
	await page.waitForFunction(() => window.foyerChart?.data.datasets.length > 0);
	assert.deepEqual((await drawn(page)).before, []);
	await close(page);
});

test('a span of one’s own: its points, its figures, its address; a wrong one is said', { deadline: 60000 }, async () => {
	const page = await open(AIR);
	const from = Math.floor((now - 30 * HOUR) / MINUTE) * MINUTE;
	const to = from + 4 * HOUR;

	assert.ok(!(await page.locator('#custom').isVisible()));
	await page.locator('[data-range=custom]').click();
	await page.locator('#custom input[name=from]').fill(local(to));
	await page.locator('#custom input[name=to]').fill(local(from));
	await page.locator('#custom').getByRole('button').click();
	assert.ok(await page.evaluate(() => !document.querySelector('#custom').checkValidity()), 'an end before the beginning');
	assert.doesNotMatch(page.url(), /from=/);

	await page.locator('#custom input[name=from]').fill(local(from));
	await page.locator('#custom input[name=to]').fill(local(to));
	await page.locator('#custom').getByRole('button').click();
	await page.waitForURL(new RegExp(`from=${from}&to=${to}$`));
	const inside = values.filter(({ time }) => time >= from && time < to).map(({ time, value }) => [time, value]);
	const shows = () =>
		page.waitForFunction(
			([first, last, count]) => {
				const data = window.foyerChart?.data.datasets.find((set) => set.key)?.data;

				return data?.length === count && data[0].x === first && data.at(-1).x === last;
			},
			[inside[0][0], inside.at(-1)[0], inside.length],
		);

	await shows();
	assert.deepEqual((await drawn(page)).line, inside, 'as they are in the store');
	await page.waitForFunction((count) => document.querySelector('#stats [data-c=count]')?.textContent.trim() === String(count), inside.length);
	await page.reload();
	await shows();
	await page.goBack();
	await page.waitForFunction(() => window.foyerChart?.data.datasets.find((set) => set.key)?.data.length === 100);
	await close(page);
});

test('without JavaScript a span of one’s own is a form, and so is a note', async () => {
	const page = await open(`${AIR}?range=custom`, { javaScriptEnabled: false });

	await page.locator('#custom input[name=from]').fill(local(now - 20 * HOUR));
	await page.locator('#custom input[name=to]').fill(local(now - 16 * HOUR));
	await page.locator('#custom').getByRole('button').click();
	await page.waitForURL(/from=/);
	assert.match(await page.locator('#stats [data-c=count]').textContent(), /2[45]/);
	await page.locator('#notes input[name=text]').fill('sans script');
	await page.locator('#notes input[name=text]').press('Enter');
	await page.locator('[data-note]').waitFor();
	await page.locator('[data-note]').getByRole('button').press('Enter');
	await page.locator('[data-note]').waitFor({ state: 'detached' });
	await page.context().close();
});

test('sparse readings are no holes; a silence is one, in the chart and in the small line', async () => {
	const page = await open('/series/cave/tank/distance');
	const { line, gaps } = await drawn(page);

	assert.equal(line.length, tank.length);
	assert.equal(gaps.length, 1, JSON.stringify(gaps));
	const silent = tank.at(-2) - tank.at(-3);
	assert.ok(silent > 2.5 * HOUR && Math.abs(gaps[0][1] - tank.at(-2)) < MINUTE);
	await page.goto(house.url);
	await page.waitForFunction(() => document.querySelector('.tile[data-series="cave/tank/distance"] [data-spark] .area'));
	assert.equal(await page.locator('.tile[data-series="cave/tank/distance"] [data-spark] .area').count(), 2, 'a line before the silence and one after');
	await close(page);
});

test('a reading that comes hours after the others breaks the small line, and nothing else', async () => {
	// A slow machine: what is to be drawn waits for a while.
	const slow = () => {
		const frame = window.requestAnimationFrame.bind(window);

		window.requestAnimationFrame = (draw) => frame(() => setTimeout(draw, 300));
	};
	const page = await open('/', { before: slow });
	const line = page.locator('.tile[data-series="cave/lux/light"] [data-spark]');

	await page.waitForFunction(() => document.querySelector('.tile[data-series="cave/lux/light"] [data-spark] .area'));
	await house.pubLines('cave/lux/light', [{ time: now - 3 * HOUR + 20 * MINUTE, value: 320 }, { time: now, value: 330 }].map((reading) => JSON.stringify(reading)));
	await line.locator('.end').waitFor({ state: 'attached' });
	await page.waitForFunction(() => document.querySelector('.tile[data-series="cave/lux/light"] .val').textContent.includes('330'));
	await page.waitForFunction(() => document.querySelectorAll('.tile[data-series="cave/lux/light"] [data-spark] .area').length === 1);
	await page.waitForFunction(() => document.querySelector('.tile[data-series="cave/lux/light"] [data-spark]').getAttribute('aria-label')?.includes('330'));
	await close(page);
});

test('the menu leads to a series that is shown, not to a hidden one', async () => {
	const page = await open('/', { javaScriptEnabled: false });
	const charts = page.locator('.nav a[href^="/series/"]');

	assert.equal(await charts.getAttribute('href'), AIR);
	const hide = await anna.post('/settings/house/room', { node: 'cave', label: '', order: '', 'hide:air': 'on' });
	assert.equal(hide.status, 303);
	await page.reload();
	assert.equal(await charts.getAttribute('href'), '/series/cave/tank/distance');
	await page.context().close();
});
