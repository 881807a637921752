/* SPDX-License-Identifier: GPL-2.0-or-later */
/* core/request: lines as clients send them, and as they must not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <cmocka.h>

#include "core/request.h"

#define U "00010203:04050607:08090a0b:0c0d0e0f"
#define N "000102030405060708090a0b0c0d0e0f"
#define ANNOUNCE "announce uuid=" U " device=vdd sectors=524288 nonce=" N " disk="
#define TRACK "track uuid=" U " device=/dev/md/x md=md127 id=raid disk_wait=10 verdict_wait=2 " \
	      "readd=1 members="

static const struct {
	const char *line;
	int kind;		/* -1: refused */
} rows[] = {
	{ "status", MDC_REQ_STATUS },
	{ "events", MDC_REQ_EVENTS },
	{ "ping uuid=" U, MDC_REQ_PING },
	{ "untrack uuid=" U, MDC_REQ_UNTRACK },
	{ TRACK, MDC_REQ_TRACK },
	{ TRACK "/dev/vd? /dev/sdb", MDC_REQ_TRACK },
	{ ANNOUNCE "d4", MDC_REQ_ANNOUNCE },
	{ ANNOUNCE "-", MDC_REQ_ANNOUNCE },
	{ ANNOUNCE, -1 },
	{ ANNOUNCE "d4 ", -1 },
	{ ANNOUNCE "d4 x", -1 },
	{ ANNOUNCE "d:4", -1 },
	{ ANNOUNCE "-d", -1 },
	{ "announce", -1 },
	{ "announce uuid=" U, -1 },
	{ "announce device=vdd uuid=" U " sectors=1 nonce=" N " disk=-", -1 },
	{ "announce uuid=" U " device=../x sectors=1 nonce=" N " disk=-", -1 },
	{ "announce uuid=" U " device=.x sectors=1 nonce=" N " disk=-", -1 },
	{ "announce uuid=" U " device= sectors=1 nonce=" N " disk=-", -1 },
	{ "announce uuid=" U " device=a\x01 sectors=1 nonce=" N " disk=-", -1 },
	{ "announce uuid=" U " device=vdd sectors=0 nonce=" N " disk=-", -1 },
	{ "announce uuid=" U " device=vdd sectors=01 nonce=" N " disk=-", -1 },
	{ "announce uuid=" U " device=vdd sectors=1k nonce=" N " disk=-", -1 },
	{ "announce uuid=" U " device=vdd sectors=9999999999999999999 nonce=" N " disk=-", -1 },
	{ "announce uuid=" U " device=vdd sectors=1 nonce=" U " disk=-", -1 },
	{ "announce  uuid=" U " device=vdd sectors=1 nonce=" N " disk=-", -1 },
	{ "notify uuid=" U " when=post action=start nodes=n1 n2", MDC_REQ_NOTIFY },
	{ "notify uuid=" U " when=pre action=stop nodes=", MDC_REQ_NOTIFY },
	{ "notify", -1 },
	{ "notify uuid=" U, -1 },
	{ "notify uuid=" U " when=post action=start", -1 },
	{ "", -1 },
	{ " ", -1 },
	{ "status ", -1 },
	{ " status", -1 },
	{ "STATUS", -1 },
	{ "status x", -1 },
	{ "ping", -1 },
	{ "ping ", -1 },
	{ "ping uuid=", -1 },
	{ "ping  uuid=" U, -1 },
	{ "ping uuid=" U " ", -1 },
	{ "ping uuid=" U "0", -1 },
	{ "ping id=" U, -1 },
	{ "track", -1 },
	{ "track uuid=" U, -1 },
	{ TRACK "relative", -1 },
	{ "track " TRACK, -1 },
	{ "pong uuid=" U, -1 },
};

static void test_rows(void **state)
{
	struct mdc_request r;
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t len = strlen(rows[i].line);
		char *exact = malloc(len + 1);	/* of this size: for the sanitizer */
		int ret;

		assert_non_null(exact);
		memcpy(exact, rows[i].line, len);
		ret = mdc_request_parse(&r, exact, len, &why);
		free(exact);
		if ((ret ? -1 : (int)r.kind) != rows[i].kind)
			fail_msg("row %zu: '%s'", i, rows[i].line);
		if (ret)
			assert_true(strlen(why) > 10);
	}
}

static void test_bytes(void **state)
{
	char big[MDC_LINE_MAX + 1];
	struct mdc_request r;
	const char *why;

	(void)state;
	memset(big, 'a', sizeof(big));
	assert_int_equal(mdc_request_parse(&r, big, sizeof(big), &why), -EINVAL);
	assert_int_equal(mdc_request_parse(&r, big, MDC_LINE_MAX, &why), -EINVAL);
	assert_int_equal(mdc_request_parse(&r, "status\0x", 8, &why), -EINVAL);
	assert_int_equal(mdc_request_parse(&r, TRACK "/dev/a", sizeof(TRACK "/dev/a") - 1, &why), 0);
	assert_string_equal(r.track.members, "/dev/a");
	assert_true(mdc_uuid_equal(&r.uuid, &r.track.uuid));
}

static void test_announce(void **state)
{
	static const char line[] = ANNOUNCE "d4";
	char again[MDC_LINE_MAX];
	struct mdc_request r;
	const char *why;

	(void)state;
	assert_int_equal(mdc_request_parse(&r, line, strlen(line), &why), 0);
	assert_string_equal(r.announced.kname, "vdd");
	assert_true(r.announced.sectors == 524288);
	assert_int_equal(r.announced.nonce.b[15], 15);
	assert_string_equal(r.announced.disk, "d4");
	assert_int_equal(mdc_request_announce(&r.uuid, &r.announced, again, sizeof(again)), 0);
	assert_string_equal(again, line);
	assert_int_equal(mdc_request_announce(&r.uuid, &r.announced, again, strlen(line)), -ENOSPC);
	r.announced.disk[0] = '\0';
	assert_int_equal(mdc_request_announce(&r.uuid, &r.announced, again, sizeof(again)), 0);
	assert_string_equal(again, ANNOUNCE "-");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows), cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_announce),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
