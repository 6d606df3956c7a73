// test() of node:test with a deadline, the logs of the house when it fails, and a look at the daemons' health after each test.
import nodeTest from 'node:test';

const houses = new Set();

export function watchHouse(house) {
	houses.add(house);
}

export function forgetHouse(house) {
	houses.delete(house);
}

function deadline(ms) {
	let timer;
	const late = new Promise((_, reject) => {
		timer = setTimeout(() => reject(new Error(`no end after ${ms / 1000} s`)), ms);
	});

	return { late, cancel: () => clearTimeout(timer) };
}

// test(name, fn), test(name, { skip, deadline: ms }, fn)
export function test(name, options, fn = options) {
	const given = fn === options ? {} : options;

	return nodeTest(name, { skip: given.skip }, async (t) => {
		const { late, cancel } = deadline(given.deadline ?? 60000);

		try {
			await Promise.race([fn(t), late]);
			for (const house of houses) house.checkHealth();
		} catch (error) {
			for (const house of houses) {
				house.failed = true;
				console.error(house.logs());
			}
			throw error;
		} finally {
			cancel();
		}
	});
}
