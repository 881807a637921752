// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fault points: one is armed at a time, through a parameter of the module. See fault.h.
 */
#define pr_fmt(fmt) "md-cluster: " fmt
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/panic.h>
#include <linux/spinlock.h>
#include "fault.h"

#define NAME_SIZE 32
#define DELAY_MS 1000

enum action { ACTION_NONE, ACTION_CRASH, ACTION_DELAY, ACTION_DROP };

static DEFINE_SPINLOCK(armed_lock);
static struct {
	char name[NAME_SIZE];
	enum action action;
	unsigned int ms;
} armed;	/* under armed_lock */

static int parse_action(const char *word, enum action *action)
{
	static const char * const words[] = {
		[ACTION_CRASH] = "crash",
		[ACTION_DELAY] = "delay",
		[ACTION_DROP] = "drop",
	};
	int i;

	for (i = ACTION_CRASH; i <= ACTION_DROP; i++) {
		if (!strcmp(word, words[i])) {
			*action = i;
			return 0;
		}
	}
	return -EINVAL;
}

static int set_fault(const char *text, const struct kernel_param *param)
{
	enum action action = ACTION_NONE;
	unsigned int ms = DELAY_MS;
	char name[NAME_SIZE] = "";
	char word[8] = "";
	int count;

	count = sscanf(text, "%31s %7s %u", name, word, &ms);
	if (count >= 2 && parse_action(word, &action))
		return -EINVAL;
	/* An empty line, which sscanf() counts as a word: nothing is armed any more. */
	if (count == 1 && *name)
		return -EINVAL;
	spin_lock(&armed_lock);
	strscpy(armed.name, name, sizeof(armed.name));
	armed.action = action;
	armed.ms = ms;
	spin_unlock(&armed_lock);
	return 0;
}

/* Empty once it has acted. */
static int get_fault(char *text, const struct kernel_param *param)
{
	int length;

	spin_lock(&armed_lock);
	length = sysfs_emit(text, "%s\n", armed.action == ACTION_NONE ? "" : armed.name);
	spin_unlock(&armed_lock);
	return length;
}

static const struct kernel_param_ops fault_ops = {
	.set = set_fault,
	.get = get_fault,
};

module_param_cb(fault, &fault_ops, NULL, 0600);
MODULE_PARM_DESC(fault, "for tests: NAME crash|delay|drop [MS], acts once");

bool mdc_fault(const char *name)
{
	enum action action = ACTION_NONE;
	unsigned int ms;

	spin_lock(&armed_lock);
	if (armed.action != ACTION_NONE && !strcmp(armed.name, name)) {
		action = armed.action;
		armed.action = ACTION_NONE;
	}
	ms = armed.ms;
	spin_unlock(&armed_lock);
	if (action == ACTION_NONE)
		return false;
	pr_notice("fault point %s\n", name);
	if (action == ACTION_CRASH)
		panic("md-cluster: fault point %s", name);
	if (action == ACTION_DELAY)
		msleep(ms);
	return action == ACTION_DROP;
}
