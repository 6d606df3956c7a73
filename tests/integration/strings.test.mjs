// The catalogues of the pages: both languages whole, nothing used that is not there, nothing there that nobody uses.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root, test } from '../lib/house.mjs';

const read = (path) => readFileSync(join(root, path), 'utf8');
const files = (folder, end) => readdirSync(join(root, folder)).filter((name) => name.endsWith(end)).map((name) => `${folder}/${name}`);

const LANGUAGES = ['fr', 'en'];
const all = Object.fromEntries(LANGUAGES.map((language) => [language, JSON.parse(read(`web/strings/${language}.json`))]));
const keys = Object.keys(all.fr);
// The same word in both, and rightly so.
const ALIKE = ['ui_s', 'ui_min', 'ui_h', 'ui_points', 'todo_battery_text', 'todo_clock_text', 'fact_version', 'range_24h', 'stat_min', 'stat_max',
	'log_badge', 'sys_site', 'notes']; // prettier-ignore

const c = files('webd', '.c').map((path) => ({ path, text: read(path) }));
const scripts = files('web/static', '.js').map((path) => ({ path, text: read(path) }));
const templates = files('web/templates', '.mustache').map((path) => ({ path, text: read(path) }));

// The arguments of each call of a function: text up to the bracket that closes it, split at the commas outside of brackets.
function calls(text, name) {
	const found = [];

	for (const { index } of text.matchAll(new RegExp(`\\b${name}\\(`, 'g'))) {
		const words = [''];
		let depth = 0;
		let inText = false;

		for (let i = index + name.length + 1; i < text.length; i++) {
			const letter = text[i];

			if (letter === '"' && text[i - 1] !== '\\') inText = !inText;
			if (!inText && '([{'.includes(letter)) depth++;
			if (!inText && ')]}'.includes(letter) && depth-- === 0) break;
			if (!inText && letter === ',' && depth === 0) words.push('');
			else words[words.length - 1] += letter;
		}
		found.push(words);
	}
	return found;
}

const named = (argument) => [...(argument ?? '').matchAll(/"([a-z][a-z0-9_]*)"/g)].map(([, key]) => key);
const literals = new Set(c.flatMap(({ text }) => [...text.matchAll(/"([a-z][a-z0-9_]*)"/g)].map(([, word]) => word)));
// "role_%s" and its like: keys that are put together.
const families = c.flatMap(({ text }) => [
	...[...text.matchAll(/"([a-z]+_)%[a-z]+"/g)].map(([, prefix]) => prefix),
	...calls(text, 'named').flatMap((words) => named(words[2]).map((word) => `${word}_`)), // days and months by their number
]);
const ofTemplates = templates.flatMap(({ path, text }) => [...text.matchAll(/\{\{\{?[#^/]?\s*t\.([\w]+)/g)].map(([, key]) => ({ path, key })));
const ofScripts = scripts.flatMap(({ path, text }) => [...text.matchAll(/\bT\.(\w+)/g)].map(([, key]) => ({ path, key: `ui_${key}` })));
// Words in quotes of a script that chooses one of several: T[{ text: 'shown' }[kind] || 'done'].
const quoted = new Set(scripts.flatMap(({ text }) => [...text.matchAll(/'(\w+)'/g)].map(([, word]) => `ui_${word}`)));

const ofCode = c.flatMap(({ path, text }) => [
	...calls(text, 'view_text').flatMap((words) => named(words[1])),
	...calls(text, 'strings_get').flatMap((words) => named(words[2])),
	...calls(text, 'view_fill').flatMap((words) => named(words[3])),
].map((key) => ({ path, key }))); // prettier-ignore

test('both languages have the same keys, each once, none empty', () => {
	for (const language of LANGUAGES) {
		const written = [...read(`web/strings/${language}.json`).matchAll(/(?:^|[,{]\s*)"(\w+)":/gm)].map(([, key]) => key);

		assert.deepEqual(
			written.filter((key, i) => written.indexOf(key) !== i),
			[],
			`twice in ${language}`,
		);
		assert.deepEqual(Object.keys(all[language]).toSorted(), keys.toSorted());
		for (const [key, text] of Object.entries(all[language])) assert.ok(typeof text === 'string' && text.trim(), `${language}: ${key}`);
	}
});

test('both languages fill in the same words', () => {
	const places = (text) => [...text.matchAll(/\{(\w+)\}/g)].map(([, word]) => word).toSorted();

	for (const key of keys) assert.deepEqual(places(all.fr[key]), places(all.en[key]), key);
});

test('nothing is left untranslated', () => {
	assert.deepEqual(keys.filter((key) => all.fr[key] === all.en[key] && !ALIKE.includes(key)), []);
	assert.deepEqual(ALIKE.filter((key) => all.fr[key] !== all.en[key]), [], 'listed as alike and not so any more');
});

test('what pages, scripts and programs ask for is there', () => {
	assert.ok(ofTemplates.length > 100 && ofCode.length > 50 && ofScripts.length > 20);
	assert.deepEqual([...ofTemplates, ...ofCode, ...ofScripts].filter(({ key }) => !(key in all.en)), []);
});

test('nobody keeps a text that nobody asks for', () => {
	const used = new Set([...ofTemplates, ...ofCode, ...ofScripts].map(({ key }) => key));
	const known = (key) =>
		used.has(key) ||
		literals.has(key) ||
		families.some((prefix) => key.startsWith(prefix)) ||
		quoted.has(key) ||
		/^ui_\d+$/.test(key); // of a status: T[reply.status]

	assert.deepEqual(keys.filter((key) => !known(key)), []);
});

test('French is set as French: a space that does not break before : ; ! ? and inside « »', () => {
	for (const [key, text] of Object.entries(all.fr)) {
		assert.doesNotMatch(text, / [:;!?»]|« /, key);
		assert.doesNotMatch(text, /[A-Za-zé]'[A-Za-zé]/, `${key}: the apostrophe is ’`);
	}
});

test('no template has words of its own', () => {
	for (const { path, text } of templates) {
		const bare = text
			.replace(/<(pre|code)[^>]*>[\s\S]*?<\/\1>/g, ' ') // what is typed is no language's
			.replace(/<!--[\s\S]*?-->|\{\{[^}]*\}\}+|<[^>]*>/g, ' ');
		const words = (bare.match(/[A-Za-zÀ-ÿ]{2,}/g) ?? []).filter((word) => !['CSV', 'nbsp', 'ms'].includes(word));

		assert.deepEqual(words, [], path);
	}
});
