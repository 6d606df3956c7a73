// What the collector takes, what it refuses, and that nothing vanishes silently (DESIGN: notation).
import assert from 'node:assert/strict';
import { after } from 'node:test';
import { House, test, waitFor } from '../lib/house.mjs';

const house = new House();
const now = Date.now();

await house.startBroker();
await house.startCollector();
after(() => house.close());

const DAY = 86400000;
const rejected = () => house.rows('SELECT topic, CAST(payload AS TEXT) AS payload, reason FROM rejected ORDER BY id');

// Publishes and gives what became of it: rows of the series, and refusals of the topic.
async function outcome(topic, payload, options) {
	const [node, device, quantity] = topic.split('/');

	await house.pub(topic, payload, options);
	await house.settled();
	return {
		rows: /^(?!series|sqlite)[a-z_0-9]+$/.test(quantity) ? await house.readings(node, device, quantity) : [],
		refused: (await rejected()).filter((row) => row.topic === `foyer/${topic}`),
	};
}

test('a bare value is stored at its time of arrival', async () => {
	const before = Date.now();
	const { rows } = await outcome('salon/bare/temperature', '24');

	assert.equal(rows.length, 1);
	assert.equal(rows[0].value, 24);
	assert.ok(rows[0].time >= before && rows[0].time <= Date.now());
});

test('bare readings never overwrite each other, not even equal ones in the same millisecond', async () => {
	const values = Array.from({ length: 500 }, (_, i) => (i % 7) + 0.5);

	await house.pubLines('salon/burst/temperature', values);
	const rows = await house.stored('salon', 'burst', 'temperature', 500);

	assert.deepEqual(
		rows.map((row) => row.value),
		values,
	);
	assert.equal(new Set(rows.map((row) => row.time)).size, 500);
});

test('an object carries its own time, as milliseconds or as RFC 3339', async () => {
	await house.pub('salon/times/temperature', JSON.stringify({ value: 24.3, time: now, unit: '°C', seq: 1201 }));
	await house.pub('salon/times/temperature', '{"value":24.5,"time":"2026-03-01T12:00:00.250+01:00"}');
	await house.pub('salon/times/temperature', ' { "time" : "2026-03-01T11:00:01Z" , "value" : 2.5e1 } ');
	const rows = await house.stored('salon', 'times', 'temperature', 3);

	assert.deepEqual(
		rows,
		[
			{ time: Date.UTC(2026, 2, 1, 11, 0, 0, 250), value: 24.5 },
			{ time: Date.UTC(2026, 2, 1, 11, 0, 1), value: 25 },
			{ time: now, value: 24.3 },
		].sort((a, b) => a.time - b.time),
	);
});

test("units are converted to the quantity's own", async () => {
	const cases = [
		['temperature', 212, '°F', 100],
		['temperature', 300, 'K', 26.85],
		['pressure', 101325, 'Pa', 1013.25],
		['pressure', 1000, 'mbar', 1000],
		['distance', 1.5, 'm', 150],
		['distance', 25, 'mm', 2.5],
		['voltage', 3300, 'mV', 3.3],
		['power', 1.2, 'kW', 1200],
		['energy', 500, 'Wh', 0.5],
		['humidity', 0.5, 'ratio', 50],
	];

	for (const [index, [quantity, value, unit]] of cases.entries())
		await house.pub(`salon/unit${index}/${quantity}`, JSON.stringify({ value, unit, time: now + index }));
	await house.settled();
	for (const [index, [quantity, value, unit, own]] of cases.entries()) {
		const rows = await house.readings('salon', `unit${index}`, quantity);

		assert.ok(Math.abs(rows[0]?.value - own) < 1e-6, `${value} ${unit} is ${own}, not ${JSON.stringify(rows)}`);
	}
	assert.equal((await house.sql("SELECT unit FROM series WHERE device = 'unit0'"))[0].unit, '°C');
});

test('words of a binary quantity become 1 and 0', async () => {
	const words = ['true', 'false', 'on', 'off', 'open', 'closed', '1', '0', 'ON', '{"value":true}', '{"value":"closed"}'];

	await house.pubLines('salon/door/contact', words);
	const rows = await house.stored('salon', 'door', 'contact', words.length);

	assert.deepEqual(
		rows.map((row) => row.value),
		[1, 0, 1, 0, 1, 0, 1, 0, 1, 1, 0],
	);
});

test('a text of 256 bytes is stored as it is', async () => {
	const longest = 'é'.repeat(128);
	const hostile = `Robert'); DROP TABLE badge; -- "<b>`;

	await house.pub('salon/reader/badge', longest);
	await house.pub('salon/reader/badge', hostile);
	await house.pub('salon/reader/badge', JSON.stringify({ value: '04:A2:19', time: now - 5 }));
	const values = (await house.stored('salon', 'reader', 'badge', 3)).map((row) => row.value);

	assert.deepEqual(values, ['04:A2:19', longest, hostile]);
});

test('hundreds of refusals leave the collector well, and only the newest thousand stay', async () => {
	await house.pubLines(
		'no/flood/temperature',
		Array.from({ length: 1300 }, (_, i) => `bad ${i}`),
	);
	await house.settled();
	const [{ count, last }] = await house.sql(
		'SELECT count(*) AS count, (SELECT CAST(payload AS TEXT) FROM rejected ORDER BY id DESC LIMIT 1) AS last FROM rejected',
	);

	assert.equal(count, 1000);
	assert.equal(last, 'bad 1299');
	assert.equal(house.collector.count(/no\/flood\/temperature: refused/), 1, 'one line a minute per topic');
});

const tooLong = `{"value":1,"pad":"${'x'.repeat(64 * 1024)}"}`;
const invalidUtf8 = Buffer.from([0x61, 0xc3, 0x28, 0x62]);

for (const [name, topic, payload, reason] of [
	['a word', 'no/word/temperature', 'warm', /not a finite number/],
	['NaN', 'no/nan/temperature', 'NaN', /not a finite number/],
	['inf', 'no/inf/temperature', 'inf', /not a finite number/],
	['-Infinity', 'no/inf2/temperature', '-Infinity', /not a finite number/],
	['a hexadecimal number', 'no/hex/temperature', '0x10', /not a finite number/],
	['a number with rubbish behind it', 'no/rubbish/temperature', '24.5abc', /not a finite number/],
	['two numbers', 'no/two/temperature', '24 25', /not a finite number/],
	['a number too large for any computer', 'no/huge/temperature', '1e999', /not a finite number/],
	['a JSON number too large', 'no/huge2/counter', '{"value":1e999}', /finite|JSON/],
	['NaN in JSON', 'no/nan2/temperature', '{"value":NaN}', /JSON/],
	['null', 'no/null/temperature', '{"value":null}', /not a finite number/],
	['an object without value', 'no/empty/temperature', '{"time":1}', /value/],
	['a string where a number belongs', 'no/string/temperature', '{"value":"24"}', /finite number/],
	['broken JSON', 'no/broken/temperature', '{"value":24', /JSON/],
	['two JSON values', 'no/twice/temperature', '{"value":24}{"value":25}', /JSON/],
	['JSON nested a hundred thousand deep', 'no/deep/temperature', '['.repeat(30000) + ']'.repeat(30000), /JSON/],
	['a humidity of 120 %', 'no/wet/humidity', '120', /over 100/],
	['a negative humidity', 'no/dry/humidity', '-0.1', /under 0/],
	['a temperature below absolute zero', 'no/cold/temperature', '-300', /under/],
	['a door half open', 'no/half/contact', '0.5', /0 (or|nor) 1/],
	['an unknown unit', 'no/unit/temperature', '{"value":20,"unit":"furlong"}', /furlong/],
	['a unit of another quantity', 'no/unit2/temperature', '{"value":20,"unit":"hPa"}', /hPa/],
	['a time before 2000', 'no/old/temperature', '{"value":20,"time":946684799999}', /before the year 2000/],
	['a time in seconds', 'no/seconds/temperature', `{"value":20,"time":${Math.floor(now / 1000)}}`, /before the year 2000/],
	[
		'a time more than a day ahead',
		'no/future/temperature',
		`{"value":20,"time":${now + DAY + 600000}}`,
		/more than a day ahead/,
	],
	['a time with a fraction', 'no/fraction/temperature', '{"value":20,"time":1767225600000.5}', /time/],
	['a time without zone', 'no/zone/temperature', '{"value":20,"time":"2026-03-01T12:00:00"}', /time/],
	['a day that does not exist', 'no/feb/temperature', '{"value":20,"time":"2026-02-30T12:00:00Z"}', /time/],
	['a seq of 0', 'no/seq/temperature', '{"value":20,"seq":0}', /seq/],
	['a payload over 64 KiB', 'no/long/temperature', tooLong, /64 KiB/],
	['invalid UTF-8 as text', 'no/utf8/badge', invalidUtf8, /UTF-8/],
	['a text of 257 bytes', 'no/longtext/badge', 'x'.repeat(257), /256/],
	['a text with a line break', 'no/newline/badge', 'a\nb', /control/],
	['a number with a NUL', 'no/nul/temperature', Buffer.from('24\0'), /finite number/],
	['capitals in a name', 'No/x/temperature', '24', /node "No"/],
	['a space in a name', 'no/my lamp/temperature', '24', /device "my lamp"/],
	['a name of 33 letters', `no/${'d'.repeat(33)}/temperature`, '24', /device/],
	['a quantity that is a table of the schema', 'no/x/series', '24', /quantity "series"/],
	['a quantity that would break out of SQL', 'no/x/a"b', '24', /quantity/],
	['a quantity of sqlite itself', 'no/x/sqlite_master', '24', /quantity/],
	['a topic of the wrong length', 'no/x/temperature/y/z', '24', /no topic of the notation/],
])
	test(`refused, with a reason in table rejected: ${name}`, async () => {
		const { rows, refused } = await outcome(topic, payload);

		assert.deepEqual(rows, []);
		assert.equal(refused.length, 1, JSON.stringify(refused));
		assert.match(refused[0].reason, reason);
		assert.ok(refused[0].payload.length > 0 && refused[0].payload.length <= 1024);
	});

test('an empty payload clears a retained message and is no reading', async () => {
	await house.pub('salon/cleared/temperature', '21', { retain: true });
	await house.stored('salon', 'cleared', 'temperature', 1);
	const { rows, refused } = await outcome('salon/cleared/temperature', '', { retain: true });

	assert.equal(rows.length, 1);
	assert.equal(refused.length, 0);
});

test('a batch: one bad element is refused, the others are stored', async () => {
	const batch = [
		{ value: 20, time: now - 3000 },
		{ value: 'x', time: now - 2000 },
		{ value: 22, time: now - 1000 },
		23,
		{ value: 24, time: now },
	];
	const { rows, refused } = await outcome('salon/batch/temperature', JSON.stringify(batch));

	assert.deepEqual(
		rows.map((row) => row.value),
		[20, 22, 24],
	);
	assert.deepEqual(
		refused.map((row) => row.payload),
		[JSON.stringify(batch[1]), '23'],
	);
});

test('the same instant: an equal value is known, another one is refused and the first stays', async () => {
	await house.pub('salon/same/temperature', `{"value":20,"time":${now}}`);
	await house.pub('salon/same/temperature', `{"value":20,"time":${now}}`);
	const { rows, refused } = await outcome('salon/same/temperature', `{"value":21,"time":${now}}`);

	assert.deepEqual(rows, [{ time: now, value: 20 }]);
	assert.equal(refused.length, 1);
	assert.match(refused[0].reason, /another value/);
});

test('receipts name what is stored, what was known and what was refused', async () => {
	const listener = await house.listen('foyer/garage/$stored');
	const receipted = () =>
		new Set(
			listener.messages.flatMap((message) =>
				JSON.parse(message.text).seq.flatMap(([first, last]) =>
					Array.from({ length: last - first + 1 }, (_, i) => first + i),
				),
			),
		);

	await house.pub('garage/a/temperature', JSON.stringify([1, 2, 3, 5].map((seq) => ({ value: seq, time: now + seq, seq }))));
	await house.pub('garage/a/temperature', `{"value":3,"time":${now + 3},"seq":3}`);
	await house.pub('garage/a/humidity', `{"value":400,"time":${now},"seq":9}`);
	await house.pub('garage/a/humidity', `{"value":"wet","time":${now},"seq":10}`);
	await waitFor(() => [1, 2, 3, 5, 9, 10].every((seq) => receipted().has(seq)), 'receipts for 1, 2, 3, 5, 9, 10');
	assert.ok(!receipted().has(4), 'never sent');
	assert.equal((await house.readings('garage', 'a', 'temperature')).length, 4, 'a receipt comes only after the commit');
	await listener.stop();
});

test('a receipt is never sent before its reading is in the file', async () => {
	const listener = await house.listen('foyer/grange/$stored');

	for (let seq = 1; seq <= 20; seq++) {
		await house.pub('grange/a/temperature', `{"value":${seq},"time":${now + seq},"seq":${seq}}`);
		await listener.heard(
			(message) => JSON.parse(message.text).seq.some(([first, last]) => first <= seq && seq <= last),
			`receipt ${seq}`,
		);
		assert.ok((await house.readings('grange', 'a', 'temperature')).some((row) => row.value === seq));
	}
	await listener.stop();
});

test('$status and $info reach the store; hostile ones are refused', async () => {
	const info = { label: '<b>Salon</b>', version: '1.2.0', devices: {} };

	await house.pub('bureau/$status', 'online', { retain: true });
	await house.pub('bureau/$info', JSON.stringify(info), { retain: true });
	await house.pub('bureau/$status', 'perhaps');
	await house.pub('bureau/$info', '[1]');
	await house.settled();
	const [node] = await house.sql("SELECT label, online, info FROM node WHERE name = 'bureau'");

	assert.equal(node.label, info.label);
	assert.equal(node.online, 1);
	assert.deepEqual(JSON.parse(node.info), info);
	assert.deepEqual(
		(await rejected()).filter((row) => row.topic.startsWith('foyer/bureau/')).map((row) => row.payload),
		['perhaps', '[1]'],
	);
	await house.pub('bureau/$status', 'offline', { retain: true });
	await house.settled();
	assert.deepEqual(
		(await house.sql("SELECT online FROM event WHERE node = 'bureau' ORDER BY id")).map((row) => row.online),
		[1, 0],
	);
});

test('what is retained stores nothing anew when the collector starts again', async () => {
	await house.pub('salon/kept/temperature', '19.5', { retain: true });
	await house.pub('salon/kept/humidity', `{"value":55,"time":${now}}`, { retain: true });
	await house.stored('salon', 'kept', 'temperature', 1);
	await house.stored('salon', 'kept', 'humidity', 1);
	const before = await house.sql('SELECT (SELECT count(*) FROM temperature) AS t, (SELECT count(*) FROM humidity) AS h');

	assert.equal((await house.collector.stop()).code, 0);
	await house.startCollector();
	await house.settled();
	await house.collector.stop();
	await house.startCollector({ set: ['mqtt.client_id=another-session'] }); // subscribes anew: the broker gives all that is retained
	await house.settled();
	assert.deepEqual(
		await house.sql('SELECT (SELECT count(*) FROM temperature) AS t, (SELECT count(*) FROM humidity) AS h'),
		before,
	);
});

test('a view spells out node, device and local time', async () => {
	const [row] = await house.sql("SELECT * FROM temperature_view WHERE device = 'same'");

	assert.deepEqual([row.node, row.device, row.value, row.unit, row.time], ['salon', 'same', 20, '°C', now]);
	assert.equal(row.local_time, new Date(now).toISOString().replace('T', ' ').replace('Z', ''));
});
