/* SPDX-License-Identifier: GPL-2.0-or-later */
/* core/state.c: what the kernel shows and the word for it. */
#include "unit.h"

#include <string.h>

#include "core/state.h"

static void test_table(void **state)
{
	static const struct {
		const char *array_state, *sync_action;
		unsigned int raid_disks, degraded;
		const char *word;
		bool running;
	} table[] = {
		{ "clean", "idle", 2, 0, "clean", true },
		{ "active", "idle", 2, 0, "clean", true },
		{ "active-idle", "idle", 2, 0, "clean", true },
		{ "write-pending", "idle", 2, 0, "clean", true },
		{ "read-auto", "idle", 2, 0, "clean", true },
		{ "read-auto", "idle", 2, 1, "degraded", true },
		{ "clean", "check", 2, 0, "clean", true },
		{ "clean", "repair", 2, 0, "clean", true },
		{ "clean", "frozen", 2, 0, "clean", true },
		{ "clean", "", 2, 0, "clean", true },
		{ "clean", "idle", 2, 1, "degraded", true },
		{ "clean", "check", 3, 1, "degraded", true },
		{ "active", "resync", 2, 0, "resync", true },
		{ "active", "resync", 3, 1, "resync", true },
		{ "active", "recover", 2, 1, "recover", true },
		{ "active", "reshape", 3, 0, "reshape", true },
		{ "clean", "idle", 2, 2, "broken", true },
		{ "broken", "idle", 2, 1, "broken", true },
		{ "readonly", "idle", 2, 0, "broken", true },
		{ "suspended", "idle", 2, 0, "broken", true },
		{ "inactive", "idle", 2, 0, "broken", false },
		{ "clear", "idle", 0, 0, "broken", false },
		{ "", "", 0, 0, "broken", false },
		{ "something-new", "idle", 2, 0, "clean", true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		struct mdc_array a = { .raid_disks = table[i].raid_disks,
				       .degraded = table[i].degraded };

		strcpy(a.array_state, table[i].array_state);
		strcpy(a.sync_action, table[i].sync_action);
		assert_string_equal(mdc_state_name(mdc_state_of(&a)), table[i].word);
		assert_int_equal(mdc_array_running(&a), table[i].running);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_table) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
