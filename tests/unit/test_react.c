/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * core/react: scripts of events with the clock in them, and what is to be done after each;
 * then random orders of all events, for what must always hold.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <cmocka.h>

#include "core/react.h"

enum ev { ADD, DEV, EXH, BLK, RES, VER, NAK, TICK, CAN, END };

struct step {
	enum ev ev;
	int64_t at;
	unsigned int seq;	/* ADD: raid disk */
	int arg;		/* RES, NAK: errno; VER: member; ADD: wait */
	const char *dev;
	const char *want;	/* actions: S P(dev) x C(dev) V(dev) N ! */
	enum mdc_react_phase phase;
};

static const struct mdc_uuid uuid_a = { { 1 } };

static void text_of(const struct mdc_react_actions *out, char *text, size_t size)
{
	static const char *const letter[] = { "S", "P", "x", "C", "V", "N", "!" };
	unsigned int i;
	size_t n = 0;

	text[0] = '\0';
	for (i = 0; i < out->n; i++) {
		n += (size_t)snprintf(text + n, size - n, "%s%s", letter[out->a[i].what],
				      out->a[i].device);
		assert_true(n < size);
	}
}

static void feed(struct mdc_react *r, const struct step *s, struct mdc_react_actions *out)
{
	switch (s->ev) {
	case ADD:
		mdc_react_add(r, s->at, &uuid_a, s->seq, s->arg, out);
		break;
	case DEV:
		mdc_react_device(r, s->seq, s->dev, out);
		break;
	case EXH:
		mdc_react_exhausted(r, s->seq, 7, (unsigned int)s->arg);
		break;
	case BLK:
		mdc_react_block(r, s->dev, out);
		break;
	case RES:
		mdc_react_result(r, s->at, s->seq, s->arg, out);
		break;
	case VER:
		mdc_react_verified(r, s->at, s->seq, s->arg, out);
		break;
	case NAK:
		mdc_react_nacked(r, s->seq, s->arg);
		break;
	case TICK:
		mdc_react_tick(r, s->at, out);
		break;
	case CAN:
		mdc_react_cancel(r, out);
		break;
	case END:
		break;
	}
}

#define P_S MDC_REACT_SEARCHING
#define P_F MDC_REACT_FOUND
#define P_M MDC_REACT_MISSING
#define P_X MDC_REACT_FAILED

static const struct {
	const char *name;
	struct step steps[12];
} scripts[] = {
	{ "found", { { ADD, 0, 2, 2000, NULL, "S!", P_S },
		     { DEV, 10, 1, 0, "vdd", "Cvdd", P_S },
		     { RES, 20, 1, 0, NULL, "x!", P_F },
		     { TICK, 5000, 0, 0, NULL, "", P_F }, { .ev = END } } },
	{ "missing", { { ADD, 0, 2, 2000, NULL, "S!", P_S },
		       { EXH, 50, 1, 0, NULL, "", P_S },
		       { TICK, 1999, 0, 0, NULL, "", P_S },
		       { TICK, 2000, 0, 0, NULL, "xN!", P_M },
		       { TICK, 2001, 0, 0, NULL, "", P_M },
		       { NAK, 2002, 1, 0, NULL, "", P_M }, { .ev = END } } },
	{ "late disk", { { ADD, 0, 2, 4000, NULL, "S!", P_S },
			 { EXH, 50, 1, 0, NULL, "", P_S },
			 { BLK, 3000, 0, 0, "vdd", "Pvdd", P_S },
			 { DEV, 3010, 1, 0, "vdd", "Cvdd", P_S },
			 { RES, 3020, 1, 0, NULL, "x!", P_F }, { .ev = END } } },
	{ "waits are clamped", { { ADD, 0, 2, 60000, NULL, "S!", P_S },
				 { TICK, 3999, 0, 0, NULL, "", P_S },
				 { TICK, 4000, 0, 0, NULL, "xN!", P_M },
				 { ADD, 5000, 2, 0, NULL, "S!", P_S },
				 { TICK, 5499, 0, 0, NULL, "", P_S },
				 { TICK, 5500, 0, 0, NULL, "xN!", P_M }, { .ev = END } } },
	{ "udev was quicker", { { ADD, 0, 2, 2000, NULL, "S!", P_S },
				{ DEV, 10, 1, 0, "vdd", "Cvdd", P_S },
				{ RES, 20, 1, EBUSY, NULL, "Vvdd", P_S },
				{ BLK, 25, 0, 0, "vdd", "", P_S },
				{ VER, 30, 1, 1, NULL, "xN!", P_F }, { .ev = END } } },
	{ "one path is busy, the other is good",
	  { { ADD, 0, 2, 2000, NULL, "S!", P_S },
	    { DEV, 10, 1, 0, "sda", "Csda", P_S },
	    { RES, 20, 1, EBUSY, NULL, "Vsda", P_S },
	    { VER, 30, 1, 0, NULL, "S", P_S },
	    { DEV, 40, 1, 0, "sda", "", P_S },
	    { DEV, 50, 1, 0, "dm-0", "Cdm-0", P_S },
	    { RES, 60, 1, 0, NULL, "x!", P_F }, { .ev = END } } },
	{ "refused for good", { { ADD, 0, 2, 2000, NULL, "S!", P_S },
				{ DEV, 10, 1, 0, "sda", "Csda", P_S },
				{ RES, 20, 1, EIO, NULL, "S", P_S },
				{ TICK, 2000, 0, 0, NULL, "xN!", P_X }, { .ev = END } } },
	{ "no place for the call is nothing against the device",
	  { { ADD, 0, 2, 2000, NULL, "S!", P_S },
	    { DEV, 10, 1, 0, "sda", "Csda", P_S },
	    { RES, 11, 1, EAGAIN, NULL, "S", P_S },
	    { DEV, 40, 1, 0, "sda", "Csda", P_S },
	    { RES, 50, 1, 0, NULL, "x!", P_F }, { .ev = END } } },
	{ "a device comes back after a refusal",
	  { { ADD, 0, 2, 2000, NULL, "S!", P_S },
	    { DEV, 10, 1, 0, "sda", "Csda", P_S },
	    { RES, 20, 1, ENXIO, NULL, "S", P_S },
	    { BLK, 500, 0, 0, "sda", "Psda", P_S },
	    { DEV, 510, 1, 0, "sda", "Csda", P_S },
	    { RES, 520, 1, 0, NULL, "x!", P_F }, { .ev = END } } },
	{ "the confirmation hangs, then comes through",
	  { { ADD, 0, 2, 2000, NULL, "S!", P_S },
	    { DEV, 10, 1, 0, "sda", "Csda", P_S },
	    { TICK, 2000, 0, 0, NULL, "xN", P_S },
	    { RES, 2500, 1, 0, NULL, "!", P_F }, { .ev = END } } },
	{ "the confirmation hangs, the refusal was first",
	  { { ADD, 0, 2, 2000, NULL, "S!", P_S },
	    { DEV, 10, 1, 0, "sda", "Csda", P_S },
	    { TICK, 2000, 0, 0, NULL, "xN", P_S },
	    { NAK, 2100, 1, 0, NULL, "", P_S },
	    { RES, 2500, 1, EINVAL, NULL, "Vsda", P_S },
	    { VER, 2600, 1, 0, NULL, "!", P_X }, { .ev = END } } },
	{ "result after the deadline answers at once",
	  { { ADD, 0, 2, 2000, NULL, "S!", P_S },
	    { DEV, 10, 1, 0, "sda", "Csda", P_S },
	    { RES, 2100, 1, EIO, NULL, "xN!", P_X }, { .ev = END } } },
	{ "a second add replaces the first",
	  { { ADD, 0, 2, 2000, NULL, "S!", P_S },
	    { ADD, 100, 3, 2000, NULL, "xS!", P_S },
	    { DEV, 110, 1, 0, "old", "", P_S },
	    { DEV, 120, 2, 0, "new", "Cnew", P_S },
	    { RES, 130, 2, 0, NULL, "x!", P_F }, { .ev = END } } },
	{ "a second add waits for the first one's confirmation",
	  { { ADD, 0, 2, 2000, NULL, "S!", P_S },
	    { DEV, 10, 1, 0, "old", "Cold", P_S },
	    { ADD, 100, 3, 2000, NULL, "xS!", P_S },
	    { DEV, 120, 2, 0, "new", "", P_S },
	    { RES, 130, 1, EINVAL, NULL, "Cnew", P_S },
	    { RES, 140, 2, 0, NULL, "x!", P_F }, { .ev = END } } },
	{ "and is refused in time if that does not come back",
	  { { ADD, 0, 2, 2000, NULL, "S!", P_S },
	    { DEV, 10, 1, 0, "old", "Cold", P_S },
	    { ADD, 100, 3, 2000, NULL, "xS!", P_S },
	    { DEV, 120, 2, 0, "new", "", P_S },
	    { TICK, 2100, 0, 0, NULL, "xN!", P_X },
	    { RES, 2200, 1, 0, NULL, "", P_X }, { .ev = END } } },
	{ "stopped meanwhile", { { ADD, 0, 2, 2000, NULL, "S!", P_S },
				 { CAN, 10, 0, 0, NULL, "x!", P_X },
				 { TICK, 2000, 0, 0, NULL, "", P_X },
				 { CAN, 2000, 0, 0, NULL, "", P_X }, { .ev = END } } },
	{ "nothing asked", { { BLK, 0, 0, 0, "sda", "", MDC_REACT_NONE },
			     { DEV, 0, 0, 0, "sda", "", MDC_REACT_NONE },
			     { RES, 0, 0, 0, NULL, "", MDC_REACT_NONE },
			     { VER, 0, 0, 1, NULL, "", MDC_REACT_NONE },
			     { TICK, 9, 0, 0, NULL, "", MDC_REACT_NONE }, { .ev = END } } },
};

static void test_scripts(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
		const struct step *s = scripts[i].steps;
		struct mdc_react r;

		mdc_react_init(&r);
		for (; s->ev != END; s++) {
			struct mdc_react_actions out = { 0 };
			char got[256];

			feed(&r, s, &out);
			text_of(&out, got, sizeof(got));
			if (strcmp(got, s->want) || r.phase != s->phase)
				fail_msg("%s, step %td: '%s' phase %d, not '%s' phase %d",
					 scripts[i].name, s - scripts[i].steps, got, r.phase,
					 s->want, s->phase);
		}
	}
}

/*
 * Any order of events: each add that is not replaced or cancelled gets a CONFIRM that
 * succeeded or a NACK by its deadline, one NACK at most, and there is never a CONFIRM
 * while another is under way.
 */
static void run_random(unsigned int seed)
{
	static const char *const devs[] = { "sda", "sdb", "sdc" };
	static const int errs[] = { 0, EBUSY, EINVAL, EIO };
	unsigned int inflight = 0, nacks = 0, add_seq = 0;
	struct mdc_react r;
	bool good = false;
	int64_t now = 0;
	int i;

	srand(seed);
	mdc_react_init(&r);
	for (i = 0; i < 200; i++) {
		struct mdc_react_actions out = { 0 };
		struct step s = { .ev = (enum ev)(rand() % END), .dev = devs[rand() % 3] };
		unsigned int j;

		now += rand() % 300;
		s.at = now;
		s.seq = rand() % 4 ? r.seq : r.seq - 1;
		if (s.ev == ADD) {
			if (rand() % 4)
				continue;
			nacks = 0;
			good = false;
			s.arg = 2000;
			add_seq = r.seq + 1;
		}
		if (s.ev == CAN && rand() % 8)
			continue;
		if (s.ev == CAN)
			add_seq = 0;	/* what comes of a cancelled one is not looked at */
		if (s.ev == RES) {
			if (!inflight)
				continue;
			s.seq = inflight;
			s.arg = errs[rand() % 4];
			inflight = 0;
			good |= !s.arg && s.seq == add_seq;
		}
		if (s.ev == VER)
			s.arg = rand() % 2;
		feed(&r, &s, &out);
		for (j = 0; j < out.n; j++) {
			if (out.a[j].what == MDC_DO_NACK)
				nacks++;
			if (out.a[j].what == MDC_DO_CONFIRM) {
				if (inflight)
					fail_msg("seed %u: two confirmations at once", seed);
				inflight = out.a[j].seq;
			}
		}
		if (nacks > 1 || (nacks && good && r.phase != MDC_REACT_FOUND))
			fail_msg("seed %u, event %d: %u refusals, phase %d", seed, i, nacks,
				 r.phase);
		if (r.phase == MDC_REACT_MISSING && !nacks)
			fail_msg("seed %u, event %d: no answer", seed, i);
	}
	{
		struct mdc_react_actions out = { 0 };

		mdc_react_tick(&r, now + 5000, &out);
		assert_int_equal(mdc_react_deadline(&r), -1);
	}
}

static void test_random(void **state)
{
	unsigned int seed;

	(void)state;
	for (seed = 1; seed <= 5000; seed++)
		run_random(seed);
}

static void test_attr(void **state)
{
	struct mdc_react_actions out = { 0 };
	struct mdc_react r;
	char text[64];

	(void)state;
	mdc_react_init(&r);
	assert_false(mdc_react_attr(&r, text, sizeof(text)));
	mdc_react_add(&r, 0, &uuid_a, 2, 2000, &out);
	assert_true(mdc_react_attr(&r, text, sizeof(text)));
	assert_string_equal(text, "searching:2:01000000");
	mdc_react_device(&r, 1, "vdd", &out);
	mdc_react_result(&r, 1, 1, 0, &out);
	assert_true(mdc_react_attr(&r, text, sizeof(text)));
	assert_string_equal(text, "found:vdd:2:01000000");
	assert_false(mdc_react_attr(&r, text, 4));
	mdc_react_dropped(&r, false, &out);
	assert_true(mdc_react_attr(&r, text, sizeof(text)));
	assert_string_equal(text, "dropped:2:01000000");
}

/* Who needs no superblock written for that says so. */
static void test_attr_dropped_by_kernel(void **state)
{
	struct mdc_react_actions out = { 0 };
	struct mdc_react r;
	char text[64];

	(void)state;
	mdc_react_init(&r);
	mdc_react_add(&r, 0, &uuid_a, 2, 2000, &out);
	mdc_react_device(&r, 1, "vdd", &out);
	mdc_react_result(&r, 1, 1, 0, &out);
	mdc_react_dropped(&r, true, &out);
	assert_true(mdc_react_attr(&r, text, sizeof(text)));
	assert_string_equal(text, "dropped:kernel:2:01000000");
}

/* The same question by another way, until it is answered. */
static void test_asked(void **state)
{
	static const struct mdc_uuid uuid_b = { { 2 } };
	struct mdc_react_actions out = { 0 };
	struct mdc_react r;

	(void)state;
	mdc_react_init(&r);
	assert_false(mdc_react_asked(&r, &uuid_a, 2));
	mdc_react_add(&r, 0, &uuid_a, 2, 2000, &out);
	assert_true(mdc_react_asked(&r, &uuid_a, 2));
	assert_false(mdc_react_asked(&r, &uuid_a, 3));
	assert_false(mdc_react_asked(&r, &uuid_b, 2));
	memset(&out, 0, sizeof(out));
	mdc_react_device(&r, r.seq, "vdd", &out);
	assert_true(mdc_react_asked(&r, &uuid_a, 2));
	mdc_react_result(&r, 10, r.seq, 0, &out);
	assert_false(mdc_react_asked(&r, &uuid_a, 2));
	memset(&out, 0, sizeof(out));
	mdc_react_add(&r, 20, &uuid_a, 2, 2000, &out);
	mdc_react_tick(&r, 2020, &out);
	assert_false(mdc_react_asked(&r, &uuid_a, 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scripts), cmocka_unit_test(test_random),
		cmocka_unit_test(test_attr), cmocka_unit_test(test_attr_dropped_by_kernel),
		cmocka_unit_test(test_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
