// What goes wrong and when: the same seed gives the same list, whatever the machine makes of it.

// Mulberry32 (public domain): small, seeded, even enough. From 0 to 1.
export function dice(seed) {
	let state = seed >>> 0;

	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let t = Math.imul(state ^ (state >>> 15), state | 1);

		t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
		return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
	};
}

const WEIGHTS = {
	'kill collector': 4,
	'kill broker': 3,
	'kill node': 4,
	'restart node': 1,
	'cut node': 3,
	'cut collector': 2,
	'stall node': 1,
	'stall collector': 1,
	'fill disk': 2,
	'nudge clock': 1, // by less than a second, and back
	'step clock': 2, // by hours, not synchronised meanwhile, as after `date -s`
	'boot without clock': 2, // a power cut, and a clock that is months off until it is synchronised
};

function shuffled(list, random) {
	return list
		.map((item) => [random(), item])
		.sort((a, b) => a[0] - b[0])
		.map(([, item]) => item);
}

function pick(kinds, random) {
	let left = random() * kinds.reduce((sum, kind) => sum + WEIGHTS[kind], 0);

	return kinds.find((kind) => (left -= WEIGHTS[kind]) < 0) ?? kinds.at(-1);
}

// A list of { at_ms, kind, node, for_ms, roll } in order of time. Each kind comes at least once when there is time enough: they begin in a
// random order. for_ms: how long the fault lasts. roll: a number from 0 to 1 for what is left open.
export function makePlan({ seed, seconds, nodes, without = [], pauseMs = 1500, longestMs = 3000 }) {
	const random = dice(seed);
	const kinds = Object.keys(WEIGHTS).filter((kind) => !without.includes(kind));
	const first = shuffled(kinds, random);
	const plan = [];

	for (let at = 200; ; at += 50 - Math.log(1 - random()) * pauseMs) {
		const kind = first.shift() ?? pick(kinds, random);
		const step = {
			at_ms: Math.round(at),
			kind,
			node: nodes[Math.floor(random() * nodes.length)],
			for_ms: Math.round(random() ** 2 * longestMs),
			roll: random(),
		};

		if (at >= seconds * 1000) return plan;
		plan.push(step);
	}
}

export const kindsOfFault = Object.keys(WEIGHTS);
