// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Does what a module must not, once, when it is loaded: to show that the debug kernel sees it and
 * that the test bed hears of it. `fault` says which.
 */
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

static char *fault = "";
module_param(fault, charp, 0);
MODULE_PARM_DESC(fault, "freed, atomic, order, leak or list");

static DEFINE_SPINLOCK(spin);
static DEFINE_MUTEX(first);
static DEFINE_MUTEX(second);

/* Reads what it has freed. */
static void read_freed(void)
{
	int *number = kzalloc(sizeof(*number), GFP_KERNEL), *freed = number;

	if (!number)
		return;
	/* The compiler would notice. */
	OPTIMIZER_HIDE_VAR(freed);
	kfree(number);
	READ_ONCE(*freed);
}

static void sleep_atomic(void)
{
	spin_lock(&spin);
	kfree(kmalloc(100, GFP_KERNEL));
	spin_unlock(&spin);
}

static void take_in_both_orders(void)
{
	mutex_lock(&first);
	mutex_lock(&second);
	mutex_unlock(&second);
	mutex_unlock(&first);
	mutex_lock(&second);
	mutex_lock(&first);
	mutex_unlock(&first);
	mutex_unlock(&second);
}

static void leak(void)
{
	int i;

	/* Several: a pointer to the last may stay in a register or on a stack. */
	for (i = 0; i < 10; i++) {
		void *lost = kmalloc(100, GFP_KERNEL);

		if (lost)
			memset(lost, i, 100);
	}
}

/* Deletes an element twice. The kernel stops for that one. */
static void spoil_list(void)
{
	LIST_HEAD(list);
	struct list_head element;

	list_add(&element, &list);
	list_del(&element);
	list_del(&element);
}

static int __init faulty_init(void)
{
	if (!strcmp(fault, "freed"))
		read_freed();
	else if (!strcmp(fault, "atomic"))
		sleep_atomic();
	else if (!strcmp(fault, "order"))
		take_in_both_orders();
	else if (!strcmp(fault, "leak"))
		leak();
	else if (!strcmp(fault, "list"))
		spoil_list();
	else
		return -EINVAL;
	return 0;
}

static void __exit faulty_exit(void)
{
}

module_init(faulty_init);
module_exit(faulty_exit);
MODULE_DESCRIPTION("Faults for the debug kernel to find");
MODULE_LICENSE("GPL");
