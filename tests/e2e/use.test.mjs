// How the pages are used: by keyboard alone, by a finger on a slider, on two screens at once, without scripts, and while the site is away.
import assert from 'node:assert/strict';
import { after } from 'node:test';
import { openBrowser, openPage } from '../lib/browser.mjs';
import { House, test, waitFor } from '../lib/house.mjs';
import { PASSWORD, setUpPath } from '../lib/visitor.mjs';

const house = new House();

await house.startBroker();
await house.startCollector();
await house.startWebd({ auth: true });
await house.startNode(
	'salon',
	{
		lamp: { driver: 'sim', quantities: 'switch', 'switch.output': 'switch', 'switch.label': 'Lampe', interval: '1h' },
		servo: { driver: 'sim', quantities: 'position', 'position.output': 'range', 'position.max': 180, interval: '1h' },
		sign: { driver: 'sim', quantities: 'text', 'text.output': 'text', interval: '1h' },
	},
	{ node: { label: 'Salon' } },
);
await house.pubLines(
	'cave/air/temperature',
	Array.from({ length: 60 }, (_, i) => JSON.stringify({ value: 12 + i / 10, time: Date.now() - (60 - i) * 60000 })),
);
await house.stored('cave', 'air', 'temperature', 60, 60000);
const browser = await openBrowser();
after(async () => {
	await browser.close();
	await house.close();
});

const form = (page, series) => page.locator(`form.ctl[data-series="${series}"]`);
const lamp = (page) => form(page, 'salon/lamp/switch').getByRole('switch');
const checked = (page, on) =>
	page.waitForFunction(
		(wanted) => document.querySelector('form.ctl[data-series="salon/lamp/switch"] [role=switch]')?.getAttribute('aria-checked') === wanted,
		String(on),
	);
const newest = async (device, quantity) => (await house.readings('salon', device, quantity)).at(-1)?.value;

let state; // cookies of who has logged in

test('by keyboard alone: the first log-in, a room, its lamp', { deadline: 90000 }, async () => {
	const page = await openPage(browser, { reducedMotion: 'reduce' });
	const press = (key) => page.keyboard.press(key);
	// Tab by tab until what has the focus fits; it has to be seen, too.
	const reach = async (selector) => {
		for (let i = 0; i < 80; i++) {
			await press('Tab');
			const at = await page.evaluate((wanted) => {
				const element = document.activeElement;
				const box = element.getBoundingClientRect();

				return element.matches(wanted) && box.width > 0 && box.bottom > 0 && box.top < innerHeight;
			}, selector);

			if (at) return;
		}
		assert.fail(`no way to ${selector} by Tab`);
	};

	await page.goto(house.url + (await setUpPath(house)));
	await reach('input[name=user]');
	await page.keyboard.type('anna');
	await reach('input[name=password]');
	await page.keyboard.type(PASSWORD);
	await reach('input[name=again]');
	await page.keyboard.type(PASSWORD);
	await press('Enter');
	await page.waitForURL(`${house.url}/`);
	await page.waitForSelector('form.ctl[data-series="salon/lamp/switch"]');
	await press('Tab');
	assert.ok(await page.evaluate(() => document.activeElement.matches('.skip')), 'the first Tab offers to skip what is the same on every page');
	await press('Enter');
	assert.equal(await page.evaluate(() => document.activeElement.id), 'main');
	await reach('form.ctl[data-series="salon/lamp/switch"] [role=switch]');
	// Drawn on the switch, on what it stands in or on its parts: with the focus it looks otherwise than without.
	const around = form(page, 'salon/lamp/switch');
	const focused = await around.screenshot({ animations: 'disabled' });
	const element = await page.evaluateHandle(() => document.activeElement);
	await element.evaluate((it) => it.blur());
	assert.ok(!focused.equals(await around.screenshot({ animations: 'disabled' })), 'what has the focus is seen');
	await element.evaluate((it) => it.focus());
	const on = (await lamp(page).getAttribute('aria-checked')) === 'true';
	await press('Space');
	await checked(page, !on);
	assert.deepEqual(page.complaints, []);
	state = await page.context().storageState();
	await page.context().close();
});

const enter = (options = {}) => openPage(browser, { storageState: state, ...options });

test('two browsers agree: what one does, the other shows', async () => {
	const [one, two] = [await enter(), await enter({ viewport: { width: 390, height: 800 } })];

	await Promise.all([one.goto(`${house.url}/node/salon`), two.goto(house.url)]);
	for (let i = 0; i < 4; i++) {
		const [doer, other] = i % 2 ? [one, two] : [two, one];
		const on = (await lamp(doer).getAttribute('aria-checked')) === 'true';

		await lamp(doer).click();
		await Promise.all([checked(doer, !on), checked(other, !on)]);
	}
	assert.deepEqual([...one.complaints, ...two.complaints], []);
	await Promise.all([one.context().close(), two.context().close()]);
});

test('a slider under the finger: at most ten orders a second, and the last one stands', { deadline: 90000 }, async () => {
	const page = await enter();
	const sent = [];

	page.on('request', (request) => request.url().endsWith('/api/v1/command') && sent.push({ at: performance.now(), ...request.postDataJSON() }));
	await page.goto(`${house.url}/node/salon`);
	const slider = form(page, 'salon/servo/position').getByRole('slider');
	const box = await slider.boundingBox();
	const y = box.y + box.height / 2;
	const begin = performance.now();

	await page.mouse.move(box.x + 20, y);
	await page.mouse.down();
	for (let i = 0; i < 120; i++) await page.mouse.move(box.x + 20 + ((box.width - 40) * i) / 120, y);
	await page.mouse.move(box.x + box.width / 2, y);
	const last = Number(await slider.inputValue());
	await page.mouse.up();
	await waitFor(() => sent.at(-1)?.value === last, 'the last wish is sent');
	await waitFor(async () => (await newest('servo', 'position')) === last, 'the output is where the finger left it', 30000);
	const seconds = (sent.at(-1).at - begin) / 1000;
	assert.ok(sent.length >= 2, 'it moves while it is dragged');
	assert.ok(sent.length <= 10 * seconds + 2, `${sent.length} orders in ${seconds.toFixed(1)} s`);
	assert.equal(Number(await slider.inputValue()), last);
	assert.deepEqual(page.complaints, []);
	await page.context().close();
});

test('without JavaScript: values, a chart, forms that work', async () => {
	const page = await enter({ javaScriptEnabled: false });

	await page.goto(house.url);
	assert.match(await page.locator('.tile[data-series="cave/air/temperature"]').textContent(), /17\.9/);
	const before = await newest('lamp', 'switch');
	await page.goto(`${house.url}/node/salon`);
	await lamp(page).click();
	await page.waitForURL(/\/node\/salon\?outcome=/);
	assert.match(await form(page, 'salon/lamp/switch').textContent(), /Confirmed/);
	await waitFor(async () => (await newest('lamp', 'switch')) === (before ? 0 : 1), 'the lamp obeys');
	const text = form(page, 'salon/sign/text');
	await text.locator('input.input').fill('<b>Bonsoir</b>');
	await text.getByRole('button').click();
	await waitFor(async () => (await newest('sign', 'text')) === '<b>Bonsoir</b>', 'the sign shows it');
	await page.goto(`${house.url}/series/cave/air/temperature`);
	const picture = page.locator('img.chart-img');
	assert.ok(await picture.isVisible());
	const svg = await page.request.get(new URL(await picture.getAttribute('src'), house.url).href);
	assert.equal(svg.status(), 200);
	assert.match(svg.headers()['content-type'], /^image\/svg\+xml/);
	assert.match(await svg.text(), /<svg[\s\S]*<path/);
	await page.context().close();
});

test('back, forward and reload show the page as it is now', async () => {
	const page = await enter();
	const value = page.locator('.tile[data-series="cave/air/temperature"] [data-dec]').first();

	await page.goto(house.url);
	await page.goto(`${house.url}/events`);
	await house.pub('cave/air/temperature', '7.5');
	await page.goBack();
	await page.waitForFunction(() => document.querySelector('.tile[data-series="cave/air/temperature"] [data-dec]')?.textContent === '7.5');
	await page.reload();
	assert.equal(await value.textContent(), '7.5');
	await page.goForward();
	assert.match(page.url(), /\/events$/);
	assert.deepEqual(page.complaints, []);
	await page.context().close();
});

test('a network that is away is told, and caught up with when it is back', { deadline: 90000 }, async () => {
	const page = await enter();

	await page.goto(house.url);
	await page.waitForFunction(() => document.querySelector('.live') && !document.querySelector('.live').hidden);
	await house.webd.stop();
	await page.waitForFunction(() => document.querySelector('.live').dataset.state === 'lost');
	await page.waitForSelector('#lost', { state: 'visible' });
	await house.pub('cave/air/temperature', '8.25'); // nobody listens
	await house.startWebd({ auth: true });
	await page.waitForFunction(() => !document.querySelector('.live').dataset.state, null, { timeout: 60000 });
	await page.waitForSelector('#lost', { state: 'hidden' });
	await page.waitForFunction(
		() => /8\.[23]/.test(document.querySelector('.tile[data-series="cave/air/temperature"] [data-dec]').textContent),
		null,
		{ timeout: 60000 },
	);
	await page.context().close();
});

test('an order for a node that is offline is refused at once', { deadline: 60000 }, async () => {
	const page = await enter();

	await page.goto(`${house.url}/node/salon`);
	await house.nodes.salon.kill();
	await page.waitForSelector('form.ctl[data-series="salon/lamp/switch"][data-offline]');
	assert.ok(await lamp(page).isDisabled());
	const reply = await page.request.post(`${house.url}/api/v1/command`, { data: { node: 'salon', device: 'lamp', quantity: 'switch', value: 1 } });
	assert.equal(reply.status(), 409);
	await page.context().close();
});
