// The short form of `make check-chaos` (tests/chaos): a dozen faults, the same each time, and every reading is in the store once.
import assert from 'node:assert/strict';
import { test } from '../lib/house.mjs';
import { chaos, sum } from '../chaos/chaos.mjs';

test('whatever is killed, cut or filled, each reading is stored once, at its own time', { deadline: 150000 }, async (t) => {
	const result = await chaos({
		seconds: 8,
		seed: 20,
		pauseMs: 500,
		longestMs: 1200,
		say: (line) => t.diagnostic(line),
	});

	for (const line of result.nodes) t.diagnostic(JSON.stringify(line));
	assert.deepEqual(result.rejected, []);
	assert.deepEqual(result.wrong.slice(0, 5), []);
	assert.ok(sum(result, 'stored') > 300, 'readings were made at all');
	assert.equal(sum(result, 'made'), sum(result, 'stored') + sum(result, 'inMemory'));
});
