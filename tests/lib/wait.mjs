// Conditions with a deadline: nothing here proves anything by sleeping.
export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Asks again until the condition gives something true, which is returned. what: for the message when it never does.
export async function waitFor(condition, what, ms = 15000) {
	const end = performance.now() + ms;
	let last;

	for (let pause = 5; ; pause = Math.min(pause * 1.5, 100)) {
		last = await condition();
		if (last) return last;
		if (performance.now() > end)
			throw new Error(`waited ${ms / 1000} s in vain for: ${what} (last: ${JSON.stringify(last)})`);
		await sleep(pause);
	}
}

// For what must not happen: the condition has to stay false for a while. The wait itself is the proof here, so it is given by the caller.
export async function staysFalse(condition, what, ms) {
	const end = performance.now() + ms;

	do {
		if (await condition()) throw new Error(`should not have happened: ${what}`);
		await sleep(20);
	} while (performance.now() < end);
}
