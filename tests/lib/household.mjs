// A household to look at: rooms with all kinds of things in them, a day of readings, one node that is gone and one sensor at fault. Published by hand, so that
// each picture of it is the same.
const DAY = 86400000;
const STEP = 300000;

const INFO = {
	salon: {
		label: 'Salon',
		icon: 'sofa',
		version: '1.2.0',
		protocol: 1,
		devices: {
			bme280: {
				driver: 'bme280',
				label: 'Air',
				quantities: { temperature: { unit: '°C', interval: 300 }, humidity: { unit: '%', interval: 300 }, pressure: { unit: 'hPa', interval: 300 } },
			},
			lamp: { driver: 'relay', label: 'Lampe de lecture', icon: 'lamp', quantities: { switch: { output: 'switch' } } },
			spots: { driver: 'dimmer', label: 'Spots', icon: 'dimmer', quantities: { level: { unit: '%', output: 'range', min: 0, max: 100, step: 1 } } },
			store: { driver: 'servo', label: 'Store', icon: 'servo', quantities: { position: { unit: '°', output: 'range', min: 0, max: 180, step: 1 } } },
			lcd: { driver: 'lcd', label: 'Afficheur', icon: 'text', quantities: { text: { output: 'text' } } },
			sirene: { driver: 'relay', label: 'Sirène', icon: 'siren', quantities: { switch: { output: 'switch', confirm: true } } },
		},
	},
	cuisine: {
		label: 'Cuisine',
		icon: 'pot',
		version: '1.2.0',
		protocol: 1,
		devices: {
			dht22: { driver: 'dht22', label: 'Air', quantities: { temperature: { unit: '°C', interval: 300 }, humidity: { unit: '%', interval: 300 } } },
			fenetre: { driver: 'contact', label: 'Fenêtre', icon: 'window', quantities: { contact: {} } },
			plan: { driver: 'pir', label: 'Plan de travail', quantities: { motion: {} } },
		},
	},
	entree: {
		label: 'Entrée',
		icon: 'door',
		version: '1.1.0',
		protocol: 1,
		devices: {
			porte: { driver: 'contact', label: 'Porte', icon: 'door', quantities: { contact: {} } },
			lecteur: { driver: 'pn532', label: 'Lecteur', icon: 'badge', quantities: { badge: {} } },
		},
	},
	garage: {
		label: 'Garage',
		icon: 'car',
		version: '1.1.0',
		protocol: 1,
		devices: { sonde: { driver: 'ds18b20', label: 'Sonde', quantities: { temperature: { unit: '°C', interval: 300 } } } },
	},
};

export const SERIES = {
	number: 'salon/bme280/temperature',
	binary: 'cuisine/fenetre/contact',
	text: 'entree/lecteur/badge',
};

const wave = (mean, swing, phase) => (i) => mean + swing * Math.sin((i / 288) * 2 * Math.PI + phase) + 0.3 * Math.sin(i / 7);

// Everything is in the store when it returns. webd hears it from the broker (or finds it there).
export async function furnish(house) {
	const now = Date.now();
	const wanted = []; // [series, how many]
	const readings = async (series, make, { from = now - DAY, to = now, step = STEP } = {}) => {
		const lines = [];

		// A gap in the afternoon, as after a cut.
		for (let time = from, i = 0; time < to; time += step, i++)
			if (i < 150 || i > 175) lines.push(JSON.stringify({ value: make(i), time: Math.round(time) }));
		await house.pubLines(series, lines);
		wanted.push([series, lines.length]);
	};
	const round = (make, decimals) => (i) => Number(make(i).toFixed(decimals));

	for (const [node, info] of Object.entries(INFO)) {
		await house.pub(`${node}/$info`, JSON.stringify(info), { retain: true });
		await house.pub(`${node}/$status`, node === 'garage' ? 'offline' : 'online', { retain: true });
	}
	await house.pub(
		'cuisine/$health',
		JSON.stringify({ uptime: 260000, clock: 'synced', outbox: 0, given_up: 0, rss: 4200000,
			devices: { dht22: { ok: false, error: 'no answer on GPIO4', since: now - 900000 } } }), // prettier-ignore
		{ retain: true, qos: 0 },
	);
	await house.pub('salon/$health', JSON.stringify({ uptime: 1234567, clock: 'synced', outbox: 0, given_up: 0, rss: 5100000, devices: {} }), {
		retain: true,
		qos: 0,
	});
	await Promise.all([
		readings('salon/bme280/temperature', round(wave(20.5, 1.6, 3), 1)),
		readings('salon/bme280/humidity', round(wave(47, 6, 1), 0)),
		readings('salon/bme280/pressure', round(wave(1016, 4, 0), 1)),
		readings('cuisine/dht22/temperature', round(wave(21.5, 2, 2.5), 1), { to: now - 900000 }),
		readings('garage/sonde/temperature', round(wave(9, 3, 3), 1), { to: now - 7200000 }),
		readings('cuisine/fenetre/contact', (i) => (i % 40) < 6 ? 1 : 0),
		readings('cuisine/plan/motion', (i) => (i % 25) < 2 ? 1 : 0),
	]);
	for (const [series, value] of [
		['salon/lamp/switch', '1'],
		['salon/spots/level', '60'],
		['salon/store/position', '90'],
		['salon/lcd/text', 'Bonne journée'],
		['salon/sirene/switch', '0'],
		['entree/porte/contact', '0'],
	]) {
		await house.pub(series, value);
		wanted.push([series, 1]);
	}
	await house.pubLines('entree/lecteur/badge', ['04a1b2c3', 'inconnu', '04d4e5f6'].map((value, i) => JSON.stringify({ value, time: now - (3 - i) * 3600000 })));
	wanted.push(['entree/lecteur/badge', 3]);
	await house.pub('garage/sonde/temperature', '120 pommes'); // refused, with its reason
	// A morning's orders, and what became of them.
	for (const [id, series, value, by, result] of [
		['a1', 'salon/lamp/switch', 1, 'anna', { ok: true, value: 1 }],
		['a2', 'salon/store/position', 90, 'anna', { ok: true, value: 90 }],
		['a3', 'salon/sirene/switch', 1, 'bob', { ok: false, error: 'fuse blown' }],
		['a4', 'salon/lcd/text', 'Bonne journée', 'script', { ok: true, value: 'Bonne journée' }],
	]) {
		await house.pub(`${series}/set`, JSON.stringify({ value, id, by }));
		await house.pub(`${series}/result`, JSON.stringify({ id, ...result, time: Date.now() }));
	}
	await Promise.all(wanted.map(([series, count]) => house.stored(...series.split('/'), count, 60000)));
}
