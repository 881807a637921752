/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The values of mdcluster-ID-add that belong to a proposal. */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/addtext.h"

static const char *const good[] = {
	"proposed:2:0a1b2c3d4e5f60718293a4b5c6d7e8f9:7",
	"proposed:0:0a1b2c3d4e5f60718293a4b5c6d7e8f9:0",
	"proposed:4294967294:0a1b2c3d4e5f60718293a4b5c6d7e8f9:4294967295",
	"found:vdd:2:0a1b2c3d:1.7",
	"found:cciss!c0d1p2:2:0a1b2c3d:4294967295.4294967295",
	"missing:unseen:2:0a1b2c3d:1.7",
	"missing:unread:2:0a1b2c3d:1.7",
	"missing:small=vdd:2:0a1b2c3d:1.7",
	"missing:small:2:0a1b2c3d:1.7",
	"missing:inuse=dm-3:2:0a1b2c3d:1.7",
	"missing:mounted=vdd:2:0a1b2c3d:1.7",
	"missing:ioerror=vdd:2:0a1b2c3d:1.7",
	"missing:twice=vde:2:0a1b2c3d:1.7",
	"missing:busy:2:0a1b2c3d:1.0",
	"added:2:0a1b2c3d",
	"refused:2:0a1b2c3d",
	"refused:2:0a1b2c3d:n2=unseen,n3=silent",
	"refused:2:0a1b2c3d:fd00::2=inuse=dm-3,n3=silent,...",
	"refused:2:0a1b2c3d:...",
	"announced:10:524288:0a1b2c3d4e5f60718293a4b5c6d7e8f9:d4:7",
	"announced:0:1:0a1b2c3d4e5f60718293a4b5c6d7e8f9:-:0",
	"announced:3600:9223372036854775807:0a1b2c3d4e5f60718293a4b5c6d7e8f9:"
	"naa.6001405000000000000000-0123456789abc:4294967295",
	"found:vdd:-:0a1b2c3d:1.7",
	"missing:other=vdd:-:0a1b2c3d:1.7",
	"refused:-:0a1b2c3d:n2=unseen",
	"looking:2:0a1b2c3d:1.7", "looking:-:0a1b2c3d:1.7",
};

static void test_good(void **state)
{
	char again[MDC_ATTR_VALUE_MAX];
	struct mdc_addtext text;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		assert_int_equal(mdc_addtext_parse(&text, good[i]), 0);
		assert_int_equal(mdc_addtext_format(&text, again), 0);
		assert_string_equal(again, good[i]);
	}
	assert_int_equal(mdc_addtext_parse(&text, good[3]), 0);
	assert_int_equal(text.kind, MDC_ADD_FOUND);
	assert_string_equal(text.device, "vdd");
	assert_int_equal(text.raid_disk, 2);
	assert_int_equal(text.node, 1);
	assert_int_equal(text.number, 7);
	assert_int_equal(mdc_addtext_parse(&text, good[9]), 0);
	assert_int_equal(text.reason.why, MDC_WHY_INUSE);
	assert_string_equal(text.reason.by, "dm-3");
}

static void test_bad(void **state)
{
	static const char *const bad[] = {
		"", ":", "found", "found:", "proposed", "other:1:0a1b2c3d",
		/* the answers to the kernel's own question are other forms */
		"found:vdd:2:0a1b2c3d", "missing:2:0a1b2c3d", "failed:2:0a1b2c3d",
		"searching:2:0a1b2c3d", "dropped:2:0a1b2c3d",
		"proposed:2:0a1b2c3d4e5f60718293a4b5c6d7e8f:7",
		"proposed:2:0a1b2c3d4e5f60718293a4b5c6d7e8f90:7",
		"proposed:2:0A1B2C3D4E5F60718293A4B5C6D7E8F9:7",
		"proposed:02:0a1b2c3d4e5f60718293a4b5c6d7e8f9:7",
		"proposed:-2:0a1b2c3d4e5f60718293a4b5c6d7e8f9:7",
		"proposed:2:0a1b2c3d4e5f60718293a4b5c6d7e8f9:",
		"proposed:2:0a1b2c3d4e5f60718293a4b5c6d7e8f9:4294967296",
		"proposed:2:0a1b2c3d4e5f60718293a4b5c6d7e8f9:7:",
		"proposed:2:0a1b2c3d4e5f60718293a4b5c6d7e8f9:7 ",
		"found::2:0a1b2c3d:1.7", "found:v,d:2:0a1b2c3d:1.7", "found:v=d:2:0a1b2c3d:1.7",
		"found:vdd:2:0a1b2c3:1.7", "found:vdd:2:0a1b2c3dd:1.7",
		"found:vdd:2:0a1b2c3d:17", "found:vdd:2:0a1b2c3d:0.7", "found:vdd:2:0a1b2c3d:1.",
		"found:vdd:2:0a1b2c3d:1.7.1", "found:vdd:2:0a1b2c3d:.7",
		"looking:2:0a1b2c3d", "looking:vdd:2:0a1b2c3d:1.7", "looking:2:0a1b2c3:1.7",
		"looking:2:0a1b2c3d:0.7", "looking:2:0a1b2c3d:1.7:",
		"missing::2:0a1b2c3d:1.7", "missing:odd:2:0a1b2c3d:1.7",
		"missing:silent:2:0a1b2c3d:1.7", "missing:unseen=vdd:2:0a1b2c3d:1.7",
		"missing:inuse=:2:0a1b2c3d:1.7", "missing:un:2:0a1b2c3d:1.7",
		"added:2:0a1b2c3d:", "added:2:0a1b2c3d:n2=unseen", "added:2", "added:x:0a1b2c3d",
		"refused:2:0a1b2c3d:", "refused:2:0a1b2c3d:n2", "refused:2:0a1b2c3d:n2=odd",
		"refused:2:0a1b2c3d:n2=unseen,", "refused:2:0a1b2c3d:,n2=unseen",
		"refused:2:0a1b2c3d:=unseen", "refused:2:0a1b2c3d:n2=unseen,...,n3=silent",
		"refused:2:0a1b2c3d:n 2=unseen",
		"proposed:-:0a1b2c3d4e5f60718293a4b5c6d7e8f9:7",
		"proposed:4294967295:0a1b2c3d4e5f60718293a4b5c6d7e8f9:7",
		"found:vdd:4294967295:0a1b2c3d:1.7", "found:vdd:--:0a1b2c3d:1.7",
		"announced", "announced:",
		"announced:10:524288:0a1b2c3d4e5f60718293a4b5c6d7e8f9:d4",
		"announced:3601:524288:0a1b2c3d4e5f60718293a4b5c6d7e8f9:d4:7",
		"announced:10:0:0a1b2c3d4e5f60718293a4b5c6d7e8f9:d4:7",
		"announced:10:9223372036854775808:0a1b2c3d4e5f60718293a4b5c6d7e8f9:d4:7",
		"announced:10:99999999999999999999:0a1b2c3d4e5f60718293a4b5c6d7e8f9:d4:7",
		"announced:10:5x:0a1b2c3d4e5f60718293a4b5c6d7e8f9:d4:7",
		"announced:10:5:0a1b2c3d4e5f60718293a4b5c6d7e8f9::7",
		"announced:10:5:0a1b2c3d4e5f60718293a4b5c6d7e8f9:a b:7",
		"announced:10:5:0a1b2c3d4e5f60718293a4b5c6d7e8f9:-d4:7",
		"announced:10:5:0a1b2c3d4e5f60718293a4b5c6d7e8f9:d4:7:",
		"announced:10:5:0a1b2c3d:d4:7",
	};
	struct mdc_addtext text;
	char longer[MDC_ATTR_VALUE_MAX + 64];

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		if (mdc_addtext_parse(&text, bad[i]) != -EINVAL)
			fail_msg("taken: %s", bad[i]);
	snprintf(longer, sizeof(longer), "refused:2:0a1b2c3d:%0*d=unseen", 110, 1);
	assert_int_equal(mdc_addtext_parse(&text, longer), -EINVAL);
}

/* The longest of each form has room. */
static void test_longest(void **state)
{
	struct mdc_addtext text = { .raid_disk = UINT32_MAX - 1, .node = UINT32_MAX,
				    .number = UINT32_MAX };
	char out[MDC_ATTR_VALUE_MAX];
	struct mdc_addtext again;

	(void)state;
	memset(text.device, 'd', sizeof(text.device) - 1);
	for (int why = 0; why < MDC_WHY_SILENT; why++) {
		text.kind = MDC_ADD_MISSING;
		mdc_reason_set(&text.reason, (enum mdc_why)why, text.device);
		assert_int_equal(mdc_addtext_format(&text, out), 0);
		assert_int_equal(mdc_addtext_parse(&again, out), 0);
		assert_true(mdc_reason_equal(&again.reason, &text.reason));
	}
	text.kind = MDC_ADD_FOUND;
	assert_int_equal(mdc_addtext_format(&text, out), 0);
	/* What the forms cannot carry is replaced. */
	strcpy(text.device, "a:b,c=d e");
	assert_int_equal(mdc_addtext_format(&text, out), 0);
	assert_int_equal(mdc_addtext_parse(&again, out), 0);
	assert_string_equal(again.device, "a_b_c_d_e");
	text.kind = MDC_ADD_ANNOUNCED;
	text.wait_s = MDC_ADD_WAIT_MAX;
	text.sectors = INT64_MAX;
	memset(text.disk, 'd', sizeof(text.disk) - 1);
	assert_int_equal(mdc_addtext_format(&text, out), 0);
	assert_int_equal(mdc_addtext_parse(&again, out), 0);
	assert_string_equal(again.disk, text.disk);
	assert_true(again.sectors == INT64_MAX && again.wait_s == MDC_ADD_WAIT_MAX);
}

static void test_reasons(void **state)
{
	char text[MDC_ADD_REASON_MAX], word[MDC_ADD_WORD_MAX], before[MDC_ADD_REASON_MAX] = "";
	struct mdc_reason reason, again;
	char kname[MDC_KNAME_MAX];

	(void)state;
	memset(kname, 'k', sizeof(kname) - 1);
	kname[sizeof(kname) - 1] = '\0';
	for (int why = 0; why < MDC_WHY_COUNT; why++) {
		mdc_reason_set(&reason, (enum mdc_why)why, kname);
		mdc_reason_text(&reason, text);
		mdc_reason_word(&reason, word);
		assert_int_equal(mdc_reason_parse(&again, word), 0);
		assert_true(mdc_reason_equal(&reason, &again));
		assert_true(strlen(text) > 5);
		assert_string_not_equal(text, before);
		strcpy(before, text);
		if (reason.by[0])
			assert_non_null(strstr(text, kname));
	}
	assert_int_equal(mdc_reason_parse(&reason, ""), -EINVAL);
	assert_int_equal(mdc_reason_parse(&reason, "=vdd"), -EINVAL);
}

static void test_list(void **state)
{
	char out[16] = "";

	(void)state;
	assert_true(mdc_list_add(out, sizeof(out), ",", "n1=a", false));
	assert_true(mdc_list_add(out, sizeof(out), ",", "n2=b", false));
	assert_string_equal(out, "n1=a,n2=b");
	/* The third one has room only where nothing has to be said of others behind it. */
	assert_false(mdc_list_add(out, sizeof(out), ",", "n3=c", false));
	assert_string_equal(out, "n1=a,n2=b,...");
	strcpy(out, "n1=a,n2=b");
	assert_true(mdc_list_add(out, sizeof(out), ",", "n3=c", true));
	assert_string_equal(out, "n1=a,n2=b,n3=c");
	out[0] = '\0';
	assert_false(mdc_list_add(out, sizeof(out), ",", "a-long-name=silent", true));
	assert_string_equal(out, "...");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good), cmocka_unit_test(test_bad),
		cmocka_unit_test(test_longest), cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
