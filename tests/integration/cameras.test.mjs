// Cameras: one connection to each however many look, pictures untouched, and Debian's motion itself.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after } from 'node:test';
import { Camera, Viewer, numberOf, picture } from '../lib/camera.mjs';
import { House, freePort, root, run, slurp, test, waitFor } from '../lib/house.mjs';
import { Part } from '../lib/part.mjs';
import { Visitor, firstAdministrator } from '../lib/visitor.mjs';

const house = new House();
const SIZE = 120000; // so that soon the kernel has no room for more
const porch = await new Camera({ size: SIZE, interval: 50 }).start();
const away = new Camera();
const still = join(house.folder, 'motion');
const motionPort = await freePort();

away.port = await freePort(); // nobody listens there yet
mkdirSync(still);
await house.startBroker();
await house.startCollector();
const set = [
	`camera porch.url=${porch.url}`,
	'camera porch.label=Porch <b>',
	`camera away.url=${away.url}`,
	`camera motion.url=http://127.0.0.1:${motionPort}/`,
	'camera motion.device=entree/camera',
];
await house.startWebd({ auth: true, set });
const anna = await firstAdministrator(house);
after(async () => {
	await house.close();
	await porch.stop();
	await away.stop();
});

const look = async (name, visitor = anna, options) => new Viewer(await visitor.fetch(`/camera/${name}/stream`), options);

test('nobody looks at a camera without a log-in', async () => {
	const stranger = new Visitor(house);

	for (const path of ['/camera/porch/stream', '/camera/porch/still.jpg', '/cameras']) {
		const reply = await stranger.get(path);

		assert.equal(reply.status, 303, path);
		assert.match(reply.to, /^\/login/);
	}
	assert.equal(porch.connections, 0);
	assert.equal((await anna.get('/camera/none/stream')).status, 404);
	assert.equal((await anna.get('/camera/none/still.jpg')).status, 404);
});

test('many look, the camera sees one, and each picture is the camera’s own to the byte', async () => {
	const viewers = await Promise.all(Array.from({ length: 12 }, () => look('porch')));

	assert.match(viewers[0].type, /^multipart\/x-mixed-replace/);
	await Promise.all(viewers.map((viewer) => viewer.seen(5)));
	assert.equal(porch.connections, 1);
	assert.match(porch.asked[0], /^GET \/stream HTTP\/1\.1\r\n/);
	assert.match(porch.asked[0], /Authorization: Basic dXNlcjpwYXNz\r\n/); // user:pass, RFC 7617
	for (const viewer of viewers) {
		let before = 0;

		for (const bytes of viewer.pictures) {
			const number = numberOf(bytes);

			assert.ok(number > before, 'in order, none twice');
			assert.ok(bytes.equals(picture(number, SIZE)), `picture ${number} untouched`);
			before = number;
		}
	}
	await Promise.all(viewers.map((viewer) => viewer.stop()));
});

test('who reads slowly misses pictures, slows nobody, and gets whole ones all the same', { deadline: 90000 }, async () => {
	const slow = connect(house.webPort, '127.0.0.1');
	const chunks = [];

	slow.on('error', () => {});
	slow.write(`GET /camera/porch/stream HTTP/1.1\r\nHost: x\r\nCookie: ${anna.headers().cookie}\r\n\r\n`);
	slow.pause(); // the kernel's buffers fill, and nothing more is taken
	const quick = await look('porch', anna, { keep: 5 });
	await quick.seen(150, 60000);
	const newest = numberOf(quick.pictures.at(-1));
	assert.ok(porch.sent - newest < 60, `${porch.sent} shot, ${newest} seen`);
	await quick.seen(quick.count + 100, 60000);
	slow.on('data', (bytes) => chunks.push(bytes));
	slow.resume();
	const target = porch.sent;
	const parts = () => partsOf(Buffer.concat(chunks));
	await waitFor(() => numberOf(parts().at(-1) ?? Buffer.alloc(12)) > target, 'the slow one catches up', 30000);
	slow.destroy();
	const got = parts();
	for (const bytes of got) assert.ok(bytes.equals(picture(numberOf(bytes), SIZE)));
	assert.ok(got.length < numberOf(got.at(-1)) - numberOf(got[0]), 'it missed some');
	await quick.stop();
});

// The pictures of a raw answer: by their lengths (the chunks of HTTP are taken out before).
function partsOf(raw) {
	const begin = raw.indexOf('\r\n\r\n') + 4;
	const plain = [];
	const parts = [];
	let at = begin;

	while (at < raw.length) {
		const end = raw.indexOf('\r\n', at);
		const size = end < 0 ? NaN : Number.parseInt(raw.subarray(at, end).toString('latin1'), 16);

		if (!size || end + 2 + size > raw.length) break;
		plain.push(raw.subarray(end + 2, end + 2 + size));
		at = end + 4 + size;
	}
	const body = Buffer.concat(plain);
	for (let from = 0; ; ) {
		const head = body.indexOf('\r\n\r\n', from);
		const length = head < 0 ? 0 : Number(/Content-Length: *(\d+)/i.exec(body.subarray(from, head).toString('latin1'))?.[1]);

		if (!length || head + 4 + length > body.length) return parts;
		parts.push(body.subarray(head + 4, head + 4 + length));
		from = head + 4 + length;
	}
}

test('a still is one picture of now', async () => {
	const reply = await anna.fetch('/camera/porch/still.jpg');
	const bytes = Buffer.from(await reply.arrayBuffer());

	assert.equal(reply.status, 200);
	assert.equal(reply.headers.get('content-type'), 'image/jpeg');
	assert.match(reply.headers.get('cache-control'), /no-store/);
	assert.ok(bytes.equals(picture(numberOf(bytes), SIZE)));
	assert.ok(Number(reply.headers.get('age')) <= 2);
	assert.ok(porch.sent - numberOf(bytes) < 100);
});

test('a camera that is away is told with since when, and seen again when it is back', { deadline: 90000 }, async () => {
	const before = Date.now();
	const viewer = await look('away');

	assert.equal(viewer.status, 200, 'whoever looks may wait');
	const page = await waitFor(async () => {
		const { text } = await anna.get('/cameras');

		return /No picture[\s\S]*Connection refused/.test(text) && text;
	}, 'the page tells');
	const since = Number(/id="away"[\s\S]*?data-t="(\d+)"/.exec(page)[1]);
	assert.ok(since >= before - 1000 && since <= Date.now() + 1000);
	const refused = await anna.get('/camera/away/still.jpg');
	assert.equal(refused.status, 504);
	assert.match(refused.text, /Connection refused/);
	assert.doesNotMatch(page + house.webd.log, /user:pass/, 'its password is told nobody');
	await away.start();
	await viewer.seen(3, 45000);
	await waitFor(async () => !/No picture/.test((await anna.get('/cameras')).text), 'the page tells that it is back');
	assert.match(house.webd.log, /camera away: sends pictures again/);
	await away.stop();
	await waitFor(async () => /No picture[\s\S]*last picture/.test((await anna.get('/cameras')).text), 'away again');
	const last = await anna.fetch('/camera/away/still.jpg');
	assert.equal(last.status, 200, 'the last one known, with its age');
	assert.equal(numberOf(Buffer.from(await last.arrayBuffer())), numberOf(viewer.pictures.at(-1)));
	await viewer.stop();
});

test('nobody looks: the connection ends by itself, and the next look opens it anew', { deadline: 90000 }, async () => {
	await waitFor(() => porch.viewers.size === 0, 'webd hangs up', 45000);
	const before = porch.connections;
	const viewer = await look('porch');

	await viewer.seen(2);
	assert.equal(porch.connections, before + 1);
	await viewer.stop();
});

test('the cameras stand on a page of their own, their labels as text', async () => {
	const { text } = await anna.get('/cameras');

	assert.match(text, /Porch &lt;b&gt;/);
	assert.doesNotMatch(text, /Porch <b>/);
	assert.match(text, /src="\/camera\/porch\/still\.jpg"/);
	assert.match((await anna.get('/')).text, /\/cameras/);
});

// ---- the real one ----

// Moving things for motion to see, made by ffmpeg.
async function film(path) {
	const made = await run('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc2=size=320x240:rate=10:duration=20', '-pix_fmt', 'yuv420p', '-y', path], {
		timeout: 60000,
	});

	assert.equal(made.code, 0, made.stderr);
}

// The hooks as the example configuration has them, for our broker.
function hook(name) {
	const line = new RegExp(`${name} +(mosquitto_pub .*)`).exec(slurp(join(root, 'config/webd.conf')))[1];

	assert.match(line, /-h SERVER -t foyer\/entree\/camera\/motion/);
	return `${name} ${line.replace('SERVER', `127.0.0.1 -p ${house.port}`)}`;
}

test('Debian’s motion: its pictures, and its hook as a reading', { deadline: 150000 }, async () => {
	const conf = join(still, 'motion.conf');

	await film(join(still, 'garden.mp4'));
	writeFileSync(
		conf,
		[
			'daemon off',
			`target_dir ${still}`,
			`netcam_url file://${still}/garden.mp4`,
			'width 320',
			'height 240',
			'framerate 10',
			'threshold 100',
			'minimum_motion_frames 1',
			'event_gap 3',
			'picture_output off',
			'movie_output off',
			'webcontrol_port 0',
			`stream_port ${motionPort}`,
			'stream_localhost on',
			'stream_maxrate 10',
			hook('on_event_start'),
			hook('on_event_end'),
			'',
		].join('\n'),
	);
	const motion = new Part('motion', 'motion', ['-n', '-c', conf], { logFile: join(house.folder, 'motion.log') });

	house.parts.push(motion);
	const rows = await house.stored('entree', 'camera', 'motion', 1, 60000);
	assert.equal(rows[0].value, 1);
	const viewer = await look('motion');
	await viewer.seen(5, 60000);
	for (const bytes of viewer.pictures) {
		assert.deepEqual([...bytes.subarray(0, 3)], [0xff, 0xd8, 0xff]);
		assert.deepEqual([...bytes.subarray(-2)], [0xff, 0xd9]);
	}
	const shot = join(still, 'shot.jpg');
	const reply = await anna.fetch('/camera/motion/still.jpg');
	writeFileSync(shot, Buffer.from(await reply.arrayBuffer()));
	const seen = await run('ffprobe', ['-v', 'error', '-show_entries', 'stream=codec_name,width,height', '-of', 'csv=p=0', shot]);
	assert.equal(seen.stdout.trim(), 'mjpeg,320,240', seen.stderr);
	await waitFor(async () => /id="motion"[\s\S]*?motion <time/.test((await anna.get('/cameras')).text), 'the page tells of the motion');
	await viewer.stop();
	await motion.stop();
});
