/* links: webd/render.c webd/render_command.c webd/template_files.c webd/template_parse.c */
/* Templates. What is expected was worked out by hand from the rules of mustache(5) and its specification. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../webd/render.h"

static char folder[64];
static unsigned made;

static void write_file(const char *name, const char *text)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s.mustache", folder, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(0, fclose(file));
}

static int render(struct templates *templates, const char *name, const char *json, struct buffer *out)
{
	cJSON *data = cJSON_Parse(json);
	int r;

	assert_non_null(data);
	r = template_render(templates, name, data, out);
	cJSON_Delete(data);
	return r;
}

static void expect(const char *expected, const char *text, const char *json)
{
	struct buffer out = BUFFER_EMPTY;
	struct templates *templates;
	char name[32];

	snprintf(name, sizeof(name), "case%u", made++);
	write_file(name, text);
	assert_int_equal(0, templates_open(folder, &templates));
	assert_int_equal(0, render(templates, name, json, &out));
	assert_string_equal(expected, buffer_text(&out));
	buffer_done(&out);
	templates_close(templates);
}

static void expect_mistake(const char *message, const char *text)
{
	struct buffer out = BUFFER_EMPTY;
	struct templates *templates;

	write_file("wrong", text);
	assert_int_equal(0, templates_open(folder, &templates));
	assert_int_equal(-EINVAL, render(templates, "wrong", "{}", &out));
	assert_string_equal(message, templates_error(templates));
	buffer_done(&out);
	templates_close(templates);
}

static void a_variable_is_escaped_unless_asked_otherwise(void **state)
{
	(void)state;
	expect("&lt;b&gt; &amp; &quot;&#39;", "{{x}}", "{\"x\":\"<b> & \\\"'\"}");
	expect("<b> <b>", "{{{x}}} {{& x }}", "{\"x\":\"<b>\"}");
	expect("||", "|{{none}}|", "{\"other\":1}");
	expect("||", "|{{x}}|", "{\"x\":null}");
}

static void numbers_are_printed_short_and_exact(void **state)
{
	(void)state;
	expect("85 1.21 -0.5 1795489977123", "{{a}} {{b}} {{c}} {{d}}", "{\"a\":85,\"b\":1.21,\"c\":-0.5,\"d\":1795489977123}");
	expect("1700000000000 0", "{{a}} {{b}}", "{\"a\":1700000000000,\"b\":-0}");
}

static void dotted_names_look_outwards_only_for_the_first_word(void **state)
{
	(void)state;
	expect("Phil", "{{a.b.name}}", "{\"a\":{\"b\":{\"name\":\"Phil\"}}}");
	expect("", "{{#a}}{{b.c}}{{/a}}", "{\"a\":{\"b\":{}},\"b\":{\"c\":\"wrong\"}}");
	expect("", "{{a.b}}", "{\"a.b\":\"wrong\"}");
	expect("outer", "{{#a}}{{c}}{{/a}}", "{\"a\":{\"b\":1},\"c\":\"outer\"}");
}

static void sections_repeat_test_and_step_in(void **state)
{
	(void)state;
	expect("(1)(2)(3)", "{{#l}}({{.}}){{/l}}", "{\"l\":[1,2,3]}");
	expect("yes", "{{#x}}yes{{/x}}", "{\"x\":true}");
	expect("", "{{#x}}no{{/x}}{{#none}}no{{/none}}{{#e}}no{{/e}}{{#n}}no{{/n}}", "{\"x\":false,\"e\":[],\"n\":null}");
	expect("0", "{{#x}}{{.}}{{/x}}", "{\"x\":0}");
	expect("Joe", "{{#p}}{{name}}{{/p}}", "{\"p\":{\"name\":\"Joe\"}}");
	expect("(12)(3)", "{{#.}}({{#.}}{{.}}{{/.}}){{/.}}", "[[1,2],[3]]");
}

static void inverted_sections_show_what_is_not(void **state)
{
	(void)state;
	expect("none", "{{^l}}none{{/l}}", "{\"l\":[]}");
	expect("none", "{{^a.b.c}}none{{/a.b.c}}", "{\"a\":{}}");
	expect("", "{{^x}}wrong{{/x}}", "{\"x\":\"\"}");
}

static void a_tag_alone_takes_its_line_with_it(void **state)
{
	(void)state;
	expect("a\nb\n", "a\n  {{#x}}  \nb\n\t{{/x}}\n", "{\"x\":true}");
	expect("a\r\nb", "a\r\n{{! note }}\r\nb", "{}");
	expect("a\n", "a\n  {{! at the end }}", "{}");
	expect("a\n x y\n", "a\n {{#x}}x{{/x}} y\n", "{\"x\":true}");
	expect("a\n  1\n", "a\n  {{x}}\n", "{\"x\":1}");
	expect("a\nb\n", "a\n{{!\n several\n lines\n}}\nb\n", "{}");
}

static void comments_vanish(void **state)
{
	(void)state;
	expect("1234567890", "12345{{! {{x} }}67890", "{}");
	expect("  12 \n", "  12 {{! stays }}\n", "{}");
}

static void delimiters_change_for_the_file_they_are_in(void **state)
{
	(void)state;
	write_file("braces", "({{x}})");
	expect("1 {{x}} (1) 1", "{{=<% %>=}}<% x %> {{x}} <%>braces%> <%={{ }}=%>{{x}}", "{\"x\":1}");
	expect("a\nb", "a\n{{= | | =}}\nb", "{}");
}

static void partials_bring_their_lines_in_line(void **state)
{
	(void)state;
	write_file("lines", "|\n{{{x}}}\n|\n");
	expect("\\\n |\n <\n->\n |\n/\n", "\\\n {{>lines}}\n/\n", "{\"x\":\"<\\n->\"}");
	expect("  |\n\n|\n\n", "  {{>lines}}{{x}}\n", "{}"); /* not alone: no indentation */
}

static void partials_see_the_data_and_may_hold_themselves(void **state)
{
	(void)state;
	write_file("tree", "{{name}}<{{#nodes}}{{>tree}}{{/nodes}}>");
	expect("X<Y<>>", "{{>tree}}", "{\"name\":\"X\",\"nodes\":[{\"name\":\"Y\",\"nodes\":[]}]}");
	expect("||", "|{{>nowhere}}|", "{}");
	expect("||", "|{{>../../etc/passwd}}|", "{}");
}

static void a_partial_without_end_is_stopped(void **state)
{
	struct buffer out = BUFFER_EMPTY;
	struct templates *templates;

	(void)state;
	write_file("endless", "x{{>endless}}");
	assert_int_equal(0, templates_open(folder, &templates));
	assert_int_equal(-ELOOP, render(templates, "endless", "{}", &out));
	assert_non_null(strstr(templates_error(templates), "64"));
	buffer_done(&out);
	templates_close(templates);
}

static void mistakes_name_file_and_line(void **state)
{
	(void)state;
	expect_mistake("wrong.mustache:2: section 'a.b' is never closed", "x\n{{#a.b}}\n");
	expect_mistake("wrong.mustache:3: section 'a' of line 1 is closed as 'b'", "{{#a}}\n\n{{/b}}");
	expect_mistake("wrong.mustache:1: section 'b' is closed but never opened", "{{/b}}");
	expect_mistake("wrong.mustache:2: the tag is never closed, \"}}\" is missing", "\n{{x");
}

static void another_file_by_the_same_name_is_used(void **state)
{
	struct buffer out = BUFFER_EMPTY;
	struct templates *templates;

	(void)state;
	write_file("page", "one");
	assert_int_equal(0, templates_open(folder, &templates));
	assert_int_equal(0, render(templates, "page", "{}", &out));
	assert_string_equal("one", buffer_text(&out));
	write_file("page", "another");
	for (int tries = 0; tries < 500 && strcmp(buffer_text(&out), "another"); tries++) {
		usleep(10000);
		buffer_clear(&out);
		assert_int_equal(0, render(templates, "page", "{}", &out));
	}
	assert_string_equal("another", buffer_text(&out));
	assert_int_equal(-ENOENT, render(templates, "absent", "{}", &out));
	buffer_done(&out);
	templates_close(templates);
}

static int make_folder(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/foyer-render-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_variable_is_escaped_unless_asked_otherwise),
		cmocka_unit_test(numbers_are_printed_short_and_exact),
		cmocka_unit_test(dotted_names_look_outwards_only_for_the_first_word),
		cmocka_unit_test(sections_repeat_test_and_step_in),
		cmocka_unit_test(inverted_sections_show_what_is_not),
		cmocka_unit_test(a_tag_alone_takes_its_line_with_it),
		cmocka_unit_test(comments_vanish),
		cmocka_unit_test(delimiters_change_for_the_file_they_are_in),
		cmocka_unit_test(partials_bring_their_lines_in_line),
		cmocka_unit_test(partials_see_the_data_and_may_hold_themselves),
		cmocka_unit_test(a_partial_without_end_is_stopped),
		cmocka_unit_test(mistakes_name_file_and_line),
		cmocka_unit_test(another_file_by_the_same_name_is_used),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
