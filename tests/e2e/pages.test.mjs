// The pages in a real browser, as people use them: live values, orders and refusals, spans, a small screen, a broker that leaves.
import assert from 'node:assert/strict';
import { after } from 'node:test';
import { openBrowser, openPage } from '../lib/browser.mjs';
import { House, test, waitFor } from '../lib/house.mjs';

const house = new House();
const start = Date.now() - 6 * 86400000;

await house.startBroker();
await house.startCollector();
await house.startWebd();
await house.startNode(
	'salon',
	{
		lamp: { driver: 'sim', quantities: 'switch', 'switch.output': 'switch', 'switch.label': 'Lampe', interval: '1h' },
		servo: { driver: 'sim', quantities: 'position', 'position.output': 'range', 'position.max': 180, interval: '1h' },
		siren: { driver: 'sim', quantities: 'switch', 'switch.output': 'switch', 'switch.confirm': 'yes', interval: '1h' },
		rude: {
			driver: 'sim',
			quantities: 'switch',
			'switch.output': 'switch',
			answer: 'refuse',
			reason: 'fuse blown',
			interval: '1h',
		},
	},
	{ node: { label: 'Salon' } },
);
await house.pubLines(
	'cave/bme280/temperature',
	Array.from({ length: 1500 }, (_, i) => `{"value":${12 + (i % 100) / 20},"time":${start + i * 300000}}`),
);
await house.pub('cave/bme280/temperature', '14.5');
await house.stored('cave', 'bme280', 'temperature', 1501);
await waitFor(async () => (await house.get('/')).text.includes('salon/siren/switch'), 'webd knows the house');
const browser = await openBrowser();
after(async () => {
	await browser.close();
	await house.close();
});

// A test with a page of its own, in which nothing may go wrong unseen.
function pageTest(name, options, fn = options) {
	test(name, { deadline: 60000 }, async () => {
		const page = await openPage(browser, fn === options ? {} : options);

		await fn(page);
		assert.deepEqual(page.complaints, []);
		assert.deepEqual([...page.hosts], [new URL(house.url).host]);
		await page.context().close();
	});
}

const form = (page, series) => page.locator(`form.ctl[data-series="${series}"]`);
const says = (page, series, text) =>
	page.waitForFunction(
		([name, wanted]) => document.querySelector(`form.ctl[data-series="${name}"] .ctl-s`)?.textContent.includes(wanted),
		[series, text],
	);

pageTest('a new reading shows without reloading', async (page) => {
	await page.goto(house.url);
	const tile = page.locator('.tile[data-series="cave/bme280/temperature"] [data-dec]').first();

	assert.equal(await tile.textContent(), '14.5');
	await house.pub('cave/bme280/temperature', '17.25');
	await page.waitForFunction(() =>
		/17\.[23]/.test(document.querySelector('.tile[data-series="cave/bme280/temperature"] [data-dec]').textContent),
	);
	await house.pub('cave/bme280/temperature', '14.5');
	await page.waitForFunction(
		() => document.querySelector('.tile[data-series="cave/bme280/temperature"] [data-dec]').textContent === '14.5',
	);
});

pageTest('a node that appears shows by itself', async (page) => {
	await page.goto(house.url);
	await house.pub('jardin/sonde/temperature', '7.6');
	await page.waitForSelector('.tile[data-series="jardin/sonde/temperature"]');
});

pageTest('what the node refuses is told where it was asked for, and the switch stays as it was', async (page) => {
	await page.goto(`${house.url}/node/salon`);
	const button = form(page, 'salon/rude/switch').getByRole('switch');

	await button.click();
	await says(page, 'salon/rude/switch', 'fuse blown');
	assert.equal(await button.getAttribute('aria-checked'), 'false');
});

pageTest('a siren asks twice', async (page) => {
	const siren = form(page, 'salon/siren/switch').getByRole('switch');

	await page.goto(`${house.url}/node/salon`);
	await siren.click();
	await page.waitForSelector('form.ctl[data-series="salon/siren/switch"][data-armed]');
	assert.equal((await house.rows("SELECT * FROM command WHERE device = 'siren'")).length, 0);
	await siren.click();
	await page.waitForFunction(
		() =>
			document
				.querySelector('form.ctl[data-series="salon/siren/switch"] [role=switch]')
				.getAttribute('aria-checked') === 'true',
	);
	await waitFor(async () => (await house.rows("SELECT ok FROM command WHERE device = 'siren'"))[0]?.ok === 1, 'the order');
});

pageTest('a slider sends its value, by keyboard too', async (page) => {
	await page.goto(`${house.url}/node/salon`);
	const slider = form(page, 'salon/servo/position').getByRole('slider');

	await slider.fill('90');
	await waitFor(async () => (await house.readings('salon', 'servo', 'position')).at(-1)?.value === 90, 'the servo at 90');
	await slider.focus();
	await page.keyboard.press('ArrowRight');
	await waitFor(async () => (await house.readings('salon', 'servo', 'position')).at(-1)?.value === 91, 'the servo at 91');
});

pageTest('an order of somebody else moves the switch here', async (page) => {
	await page.goto(`${house.url}/node/salon`);
	const on = (await form(page, 'salon/lamp/switch').getByRole('switch').getAttribute('aria-checked')) === 'true';

	await house.command('salon', 'lamp', 'switch', on ? 0 : 1);
	await page.waitForFunction(
		([was]) =>
			(document
				.querySelector('form.ctl[data-series="salon/lamp/switch"] [role=switch]')
				.getAttribute('aria-checked') ===
				'true') !==
			was,
		[on],
	);
});

pageTest('another span draws other points, and the address keeps it', async (page) => {
	await page.goto(`${house.url}/series/cave/bme280/temperature`);
	const drawn = (least, most) =>
		page.waitForFunction(
			([from, to]) => {
				const count = window.foyerChart?.data.datasets
					.at(-1)
					?.data.filter(({ y }) => !Number.isNaN(y)).length;
				return count >= from && count <= to;
			},
			[least, most],
		);
	await drawn(100, 100);
	await page.locator('.seg [data-range="7d"]').click();
	await drawn(300, 1000);
	assert.match(page.url(), /range=7d/);
	const first = await page.evaluate(() => window.foyerChart.data.datasets.at(-1).data[0].x);
	assert.ok(first < start + 2 * 3600000, 'as far back as there are readings');
	await page.reload();
	await drawn(300, 1000);
	await page.goBack();
	await drawn(100, 100);
});

for (const width of [320, 390, 768, 1440])
	pageTest(`no page scrolls sideways at ${width} px`, { viewport: { width, height: 800 } }, async (page) => {
		for (const path of [
			'/',
			'/node/salon',
			'/node/cave',
			'/series/cave/bme280/temperature',
			'/series/salon/lamp/switch',
		]) {
			await page.goto(house.url + path);
			await page.waitForFunction(() => document.readyState === 'complete');
			assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), path);
		}
	});

pageTest('dark and light follow the system, and the choice stays', { colorScheme: 'dark' }, async (page) => {
	const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);

	await page.goto(house.url);
	const dark = await background();
	await page.emulateMedia({ colorScheme: 'light' });
	const light = await background();
	assert.notEqual(dark, light);
	await page.locator('[data-theme-toggle]').click(); // light
	await page.locator('[data-theme-toggle]').click(); // dark
	await page.waitForFunction(([wanted]) => getComputedStyle(document.body).backgroundColor === wanted, [dark]);
	await page.reload();
	assert.equal(await background(), dark);
});

test('a broker that leaves is told on the page, and its return too', { deadline: 90000 }, async () => {
	const page = await openPage(browser);

	await page.goto(house.url);
	await page.waitForSelector('#down', { state: 'hidden' });
	await house.broker.stop();
	await page.waitForSelector('#down', { state: 'visible' });
	await house.startBroker();
	await page.waitForSelector('#down', { state: 'hidden', timeout: 60000 });
	await page.context().close();
});

test('a server that restarts is found again, and the values go on', { deadline: 90000 }, async () => {
	const page = await openPage(browser);

	await page.goto(house.url);
	await house.webd.stop();
	await page.waitForFunction(() => document.querySelector('.live').dataset.state === 'lost');
	await house.startWebd();
	await page.waitForFunction(() => !document.querySelector('.live').dataset.state, null, { timeout: 60000 });
	await house.pub('cave/bme280/temperature', '18.5');
	await page.waitForFunction(
		() => document.querySelector('.tile[data-series="cave/bme280/temperature"] [data-dec]').textContent === '18.5',
	);
	await page.context().close();
});
