/* links: webd/camera_mjpeg.c */
/* What cameras answer, and what anything else might. Heads as Debian's motion, ESP32-CAM and two makes of IP cameras send them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../webd/camera_mjpeg.h"

/* Begins and ends as a JPEG does, and holds what could be taken for line ends, dashes and a NUL. */
#define ONE "\xff\xd8\xff\xe0 one \r\n\r\n-- \0 - \xff\xd9"
#define TWO "\xff\xd8\xff\xe0 two --bound\n\xff\xd9"
#define LEN(text) (sizeof(text) - 1)

struct pictures {
	struct mjpeg mjpeg;
	struct buffer all; /* all pictures, one after the other */
	unsigned count;
};

static void on_picture(void *context, const void *bytes, size_t len)
{
	struct pictures *pictures = context;

	pictures->count++;
	buffer_add(&pictures->all, bytes, len);
}

static void begin(struct pictures *pictures)
{
	*pictures = (struct pictures){ .all = BUFFER_EMPTY };
	mjpeg_init(&pictures->mjpeg, on_picture, pictures);
}

static void end(struct pictures *pictures)
{
	mjpeg_done(&pictures->mjpeg);
	buffer_done(&pictures->all);
}

/* A copy of its own size, so that a byte read beyond it is noticed. */
static int take(struct pictures *pictures, const char *bytes, size_t len)
{
	char *copy = malloc(len ? len : 1);
	int r;

	assert_non_null(copy);
	memcpy(copy, bytes, len);
	r = mjpeg_take(&pictures->mjpeg, copy, len);
	free(copy);
	return r;
}

/* In one piece, byte by byte, and cut in two at every byte: always the same pictures. */
static void assert_gives(const char *answer, size_t len, unsigned count, const char *all, size_t all_len)
{
	struct pictures pictures;

	for (size_t cut = 0; cut <= len; cut++) {
		begin(&pictures);
		assert_int_equal(0, take(&pictures, answer, cut));
		assert_int_equal(0, take(&pictures, answer + cut, len - cut));
		assert_int_equal(count, pictures.count);
		assert_int_equal(all_len, pictures.all.len);
		assert_memory_equal(all, buffer_text(&pictures.all), all_len);
		end(&pictures);
	}
	begin(&pictures);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(0, take(&pictures, answer + i, 1));
	assert_int_equal(count, pictures.count);
	assert_memory_equal(all, buffer_text(&pictures.all), all_len);
	end(&pictures);
}
#define GIVES(answer, count, all) assert_gives(answer, LEN(answer), count, all, LEN(all))

static void assert_fails(const char *answer, size_t len, const char *why)
{
	struct pictures pictures;
	int r;

	begin(&pictures);
	r = take(&pictures, answer, len);
	assert_int_equal(-EPROTO, r);
	if (!strstr(pictures.mjpeg.error, why))
		fail_msg("\"%s\" does not tell \"%s\"", pictures.mjpeg.error, why);
	end(&pictures);
}
#define FAILS(answer, why) assert_fails(answer, LEN(answer), why)

/* motion 4.5: the length is padded with blanks to nine digits, and HTTP is 1.0. */
static void a_stream_of_motion(void **state)
{
	(void)state;
	GIVES("HTTP/1.0 200 OK\r\nServer: Motion/4.5.1\r\nConnection: close\r\nMax-Age: 0\r\n"
	      "Content-Type: multipart/x-mixed-replace; boundary=BoundaryString\r\n\r\n"
	      "--BoundaryString\r\nContent-type: image/jpeg\r\nContent-Length:        22\r\n\r\n" ONE
	      "\r\n--BoundaryString\r\nContent-type: image/jpeg\r\nContent-Length:        19\r\n\r\n" TWO "\r\n",
	      2, ONE TWO);
}

static void a_stream_in_chunks_of_any_size(void **state)
{
	(void)state;
	GIVES("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: multipart/x-mixed-replace;boundary=123\r\n\r\n"
	      "1\r\n-\r\n20\r\n-123\r\nContent-Type: image/jpeg\r\n\r\n"
	      "14;name=value\r\nContent-Length: 22\r\n\r\n"
	      "0002\r\n\r\n\r\n"
	      "9\r\n\xff\xd8\xff\xe0 one \r\nD\r\n\r\n\r\n-- \0 - \xff\xd9\r\n"
	      "7\r\n\r\n--123\r\n",
	      1, ONE);
}

static void pictures_without_a_length_end_at_the_boundary(void **state)
{
	(void)state;
	GIVES("HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n"
	      "--frame\r\nContent-Type: image/jpeg\r\n\r\n" ONE "\r\n--frame\r\nContent-Type: image/jpeg\r\n\r\n" TWO
	      "\r\n--frame\r\n",
	      2, ONE TWO);
	GIVES("HTTP/1.1 200 OK\nContent-Type: multipart/x-mixed-replace; boundary=frame\n\n"
	      "--frame\nContent-Type: image/jpeg\n\n" ONE "\n--frame\n",
	      1, ONE);
}

/* RFC 2046, 5.1.1 has the two dashes before the boundary's name, and quotes round it; some write the dashes into the name as well. */
static void boundaries_with_dashes_and_quotes(void **state)
{
	(void)state;
	GIVES("HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=--myboundary\r\n\r\n"
	      "--myboundary\r\nContent-Type: image/jpeg\r\nContent-Length: 22\r\n\r\n" ONE "\r\n",
	      1, ONE);
	GIVES("HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=--myboundary\r\n\r\n"
	      "----myboundary\r\nContent-Type: image/jpeg\r\n\r\n" ONE "\r\n----myboundary\r\n",
	      1, ONE);
	GIVES("HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=\"a b\"; charset=x\r\n\r\n"
	      "--a b\r\nContent-Type: image/jpeg\r\n\r\n" ONE "\r\n--a b\r\n",
	      1, ONE);
	GIVES("HTTP/1.1 200 OK\r\nCONTENT-TYPE: Multipart/Mixed; Boundary=\"x\"\r\n\r\n"
	      "\r\n\r\n--x\r\ncontent-length:22\r\n\r\n" ONE,
	      1, ONE);
}

static void parts_that_are_no_pictures_are_passed_over(void **state)
{
	(void)state;
	GIVES("HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=x\r\n\r\n"
	      "--x\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello\r\n"
	      "--x\r\nContent-Type: image/jpeg\r\nContent-Length: 0\r\n\r\n\r\n"
	      "--x\r\nContent-Length: 19\r\n\r\n" TWO "\r\n",
	      1, TWO);
}

static void a_single_picture_by_its_length(void **state)
{
	(void)state;
	GIVES("HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: 22\r\n\r\n" ONE, 1, ONE);
	GIVES("HTTP/1.1 200 OK\r\nContent-Type: image/jpeg; charset=binary\r\nContent-Length: 22\r\n\r\n" ONE "rest", 1, ONE);
}

static void a_single_picture_until_the_connection_ends(void **state)
{
	static const char answer[] = "HTTP/1.0 200 OK\r\nContent-Type: image/jpeg\r\n\r\n" ONE;
	struct pictures pictures;

	(void)state;
	begin(&pictures);
	assert_int_equal(0, take(&pictures, answer, LEN(answer)));
	assert_int_equal(0, pictures.count);
	assert_int_equal(1, mjpeg_end(&pictures.mjpeg));
	assert_int_equal(1, pictures.count);
	assert_memory_equal(ONE, buffer_text(&pictures.all), LEN(ONE));
	end(&pictures);
}

static void a_single_picture_in_chunks(void **state)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nTransfer-Encoding: chunked\r\n\r\n"
				     "9\r\n\xff\xd8\xff\xe0 one \r\nD\r\n\r\n\r\n-- \0 - \xff\xd9\r\n0\r\n\r\n";
	struct pictures pictures;

	(void)state;
	for (size_t cut = 0; cut <= LEN(answer); cut++) {
		begin(&pictures);
		assert_int_equal(0, take(&pictures, answer, cut));
		assert_int_equal(0, take(&pictures, answer + cut, LEN(answer) - cut));
		assert_int_equal(1, mjpeg_end(&pictures.mjpeg));
		assert_int_equal(1, pictures.count);
		assert_memory_equal(ONE, buffer_text(&pictures.all), LEN(ONE));
		end(&pictures);
	}
}

static void an_answer_cut_short_ends_badly(void **state)
{
	static const char head[] = "HTTP/1.1 200 OK\r\nContent-",
			  stream[] = "HTTP/1.1 200 OK\r\nContent-Type: multipart/x; "
				     "boundary=x\r\n\r\n--x\r\n\r\n\xff\xd8",
			  single[] = "HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: 22\r\n\r\n\xff\xd8";
	struct pictures pictures;

	(void)state;
	begin(&pictures);
	assert_int_equal(0, take(&pictures, head, LEN(head)));
	assert_int_equal(0, mjpeg_end(&pictures.mjpeg));
	end(&pictures);
	begin(&pictures);
	assert_int_equal(0, take(&pictures, stream, LEN(stream)));
	assert_int_equal(0, mjpeg_end(&pictures.mjpeg));
	assert_int_equal(0, pictures.count);
	end(&pictures);
	begin(&pictures);
	assert_int_equal(0, take(&pictures, single, LEN(single)));
	assert_int_equal(0, mjpeg_end(&pictures.mjpeg)); /* it had promised more */
	assert_int_equal(0, pictures.count);
	end(&pictures);
}

static void other_answers_say_what_is_wrong(void **state)
{
	(void)state;
	FAILS("HTTP/1.1 404 Not Found\r\n\r\n", "404");
	FAILS("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\n\r\n", "password");
	FAILS("HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n", "302");
	FAILS("SSH-2.0-OpenSSH_9.2\r\n\r\n", "no HTTP");
	FAILS("HTTP/1.1 two hundred\r\n\r\n", "no HTTP");
	FAILS("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>", "neither");
	FAILS("HTTP/1.1 200 OK\r\n\r\n", "neither");
	FAILS("HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace\r\n\r\n", "boundary");
	FAILS("HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=\r\n\r\n", "boundary");
	FAILS("HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=\"\"\r\n\r\n", "boundary");
	FAILS("HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=--\r\n\r\n", "boundary");
	FAILS("HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary="
	      "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n\r\n",
	      "boundary");
}

static void lengths_beyond_reason_are_refused(void **state)
{
	(void)state;
	FAILS("HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: 4194305\r\n\r\n", "too large");
	FAILS("HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: 99999999999999999999999\r\n\r\n", "too large");
	FAILS("HTTP/1.1 200 OK\r\nContent-Type: multipart/x; boundary=x\r\n\r\n--x\r\nContent-Length: 4194305\r\n\r\n",
	      "too large");
	FAILS("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: multipart/x; boundary=x\r\n\r\n123456789\r\n",
	      "too large");
	FAILS("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: multipart/x; boundary=x\r\n\r\nzz\r\n", "size");
	FAILS("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: multipart/x; boundary=x\r\n\r\n0\r\n\r\n", "ended");
}

/* A length that is none counts as no length: the boundary ends the picture. */
static void a_length_that_is_none_counts_as_none(void **state)
{
	(void)state;
	GIVES("HTTP/1.1 200 OK\r\nContent-Type: multipart/x; boundary=x\r\n\r\n--x\r\nContent-Length: -5\r\n\r\n" ONE "\r\n--x\r\n",
	      1, ONE);
	GIVES("HTTP/1.1 200 OK\r\nContent-Type: multipart/x; boundary=x\r\n\r\n--x\r\nContent-Length: many\r\n\r\n" ONE
	      "\r\n--x\r\n",
	      1, ONE);
}

/* Feeds the same block again and again until it is refused; how much was kept meanwhile is bounded. */
static void assert_bounded(const char *head, const char *block, const char *why)
{
	struct pictures pictures;
	int r;

	begin(&pictures);
	r = take(&pictures, head, strlen(head));
	for (size_t fed = 0; r == 0 && fed < 3 * (size_t)MJPEG_PICTURE_MAX; fed += strlen(block))
		r = take(&pictures, block, strlen(block));
	assert_int_equal(-EPROTO, r);
	assert_non_null(strstr(pictures.mjpeg.error, why));
	assert_true(pictures.mjpeg.body.len <= MJPEG_PICTURE_MAX && pictures.mjpeg.head.len <= MJPEG_HEAD_MAX);
	end(&pictures);
}

static void what_never_ends_is_cut_off(void **state)
{
	static char block[4097];

	(void)state;
	memset(block, 'x', sizeof(block) - 1);
	assert_bounded("HTTP/1.1 200 OK\r\n", "X-Header: y\r\n", "headers");
	assert_bounded("HTTP/1.1 200 OK\r\n", block, "headers");
	assert_bounded("HTTP/1.1 200 OK\r\nContent-Type: multipart/x; boundary=q\r\n\r\n--q\r\n", "X-Header: y\r\n", "headers");
	assert_bounded("HTTP/1.1 200 OK\r\nContent-Type: multipart/x; boundary=q\r\n\r\n--q\r\n\r\n", block, "too large");
	assert_bounded("HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\n\r\n", block, "too large");
}

/* Any bytes at all: no crash, and no more memory than promised. The numbers come from a generator with a fixed seed. */
static void noise_harms_nothing(void **state)
{
	static const char *const words[] = { "HTTP/1.1 200 OK\r\n",
					     "Content-Type: multipart/x; boundary=x\r\n",
					     "\r\n",
					     "--x\r\n",
					     "Content-Length: 7\r\n",
					     "\xff\xd8",
					     "\n",
					     "Transfer-Encoding: chunked\r\n",
					     "5\r\n",
					     "0\r\n",
					     "Content-Type: image/jpeg\r\n",
					     "--",
					     "\r",
					     "abcdefg",
					     "Content-Length: 0\r\n" };
	unsigned seed = 1;

	(void)state;
	for (int run = 0; run < 3000; run++) {
		struct pictures pictures;
		int r = 0;

		begin(&pictures);
		if (run % 2)
			r = take(&pictures, "HTTP/1.1 200 OK\r\n", 17);
		for (int i = 0; r == 0 && i < 40; i++) {
			const char *word;

			seed = seed * 1664525U + 1013904223U;
			word = words[(seed >> 16) % (sizeof(words) / sizeof(words[0]))];
			r = take(&pictures, word, strlen(word));
		}
		mjpeg_end(&pictures.mjpeg);
		end(&pictures);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stream_of_motion),
		cmocka_unit_test(a_stream_in_chunks_of_any_size),
		cmocka_unit_test(pictures_without_a_length_end_at_the_boundary),
		cmocka_unit_test(boundaries_with_dashes_and_quotes),
		cmocka_unit_test(parts_that_are_no_pictures_are_passed_over),
		cmocka_unit_test(a_single_picture_by_its_length),
		cmocka_unit_test(a_single_picture_until_the_connection_ends),
		cmocka_unit_test(a_single_picture_in_chunks),
		cmocka_unit_test(an_answer_cut_short_ends_badly),
		cmocka_unit_test(other_answers_say_what_is_wrong),
		cmocka_unit_test(lengths_beyond_reason_are_refused),
		cmocka_unit_test(a_length_that_is_none_counts_as_none),
		cmocka_unit_test(what_never_ends_is_cut_off),
		cmocka_unit_test(noise_harms_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
