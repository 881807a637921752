/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owns the text of a proposal and of its answers. Other nodes write these, perhaps with
 * another version of this program, so what is not exactly of a form is not taken.
 */
#include "core/addtext.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PARTS_MAX 5
#define MORE "..."

struct word {
	const char *word;
	bool may_name;			/* may be followed by =BY */
	const char *text, *named;	/* as a part of a sentence; named takes BY */
};

static const struct word words[MDC_WHY_COUNT] = {
	[MDC_WHY_UNSEEN] = { "unseen", false, "does not see it", NULL },
	[MDC_WHY_UNREAD] = { "unread", false,
			     "does not see it, and not all of its block devices answer", NULL },
	[MDC_WHY_SMALL] = { "small", true, "sees it, but too small",
			    "sees it as %s, but too small" },
	[MDC_WHY_INUSE] = { "inuse", true, "sees it, but it is in use",
			    "sees it, but %s uses it" },
	[MDC_WHY_MOUNTED] = { "mounted", true, "sees it, but it is mounted or swap",
			      "sees it as %s, but it is mounted or swap" },
	[MDC_WHY_IOERROR] = { "ioerror", true, "does not see it, and has read errors",
			      "does not see it, and cannot read %s" },
	[MDC_WHY_TWICE] = { "twice", true, "sees two disks of this identity",
			    "sees two disks of this identity, one of them %s" },
	[MDC_WHY_OTHER] = { "other", true, "sees a disk of that name, but it is not this one",
			    "sees a disk of that name as %s, but it is not this one" },
	[MDC_WHY_BUSY] = { "busy", false, "is adding a disk itself; try again when it has done",
			   NULL },
	[MDC_WHY_SILENT] = { "silent", false, "no answer", NULL },
};

static bool good_char(char c)
{
	return (unsigned char)c > ' ' && c != 0x7f && c != ':' && c != ',' && c != '=';
}

static bool good_kname(const char *text)
{
	size_t i, len = strlen(text);

	for (i = 0; i < len; i++)
		if (!good_char(text[i]))
			return false;
	return len && len < MDC_KNAME_MAX;
}

void mdc_add_kname(char out[MDC_KNAME_MAX], const char *kname)
{
	char *c;

	snprintf(out, MDC_KNAME_MAX, "%s", kname);
	for (c = out; *c; c++)
		if (!good_char(*c))
			*c = '_';
}

void mdc_reason_set(struct mdc_reason *reason, enum mdc_why why, const char *by)
{
	reason->why = why;
	mdc_add_kname(reason->by, by && words[why].may_name ? by : "");
}

bool mdc_reason_equal(const struct mdc_reason *a, const struct mdc_reason *b)
{
	return a->why == b->why && !strcmp(a->by, b->by);
}

void mdc_reason_word(const struct mdc_reason *reason, char out[MDC_ADD_WORD_MAX])
{
	snprintf(out, MDC_ADD_WORD_MAX, "%s%s%s", words[reason->why].word,
		 reason->by[0] ? "=" : "", reason->by);
}

void mdc_reason_text(const struct mdc_reason *reason, char out[MDC_ADD_REASON_MAX])
{
	const struct word *w = &words[reason->why];

	if (w->named && reason->by[0])
		snprintf(out, MDC_ADD_REASON_MAX, w->named, reason->by);
	else
		snprintf(out, MDC_ADD_REASON_MAX, "%s", w->text);
}

int mdc_reason_parse(struct mdc_reason *reason, const char *word)
{
	size_t len = strcspn(word, "=");
	unsigned int i;

	for (i = 0; i < MDC_WHY_COUNT; i++)
		if (strlen(words[i].word) == len && !strncmp(words[i].word, word, len))
			break;
	if (i == MDC_WHY_COUNT)
		return -EINVAL;
	if (word[len] && (!words[i].may_name || !good_kname(word + len + 1)))
		return -EINVAL;
	mdc_reason_set(reason, (enum mdc_why)i, word[len] ? word + len + 1 : NULL);
	return 0;
}

/* Decimal, no sign, no leading zero. Returns what stands behind it, or NULL. */
static const char *big_number(const char *text, uint64_t max, uint64_t *out)
{
	uint64_t n = 0;

	if (*text < '0' || *text > '9' || (*text == '0' && text[1] >= '0' && text[1] <= '9'))
		return NULL;
	for (; *text >= '0' && *text <= '9'; text++) {
		uint64_t digit = (uint64_t)(*text - '0');

		if (n > (max - digit) / 10)
			return NULL;
		n = n * 10 + digit;
	}
	*out = n;
	return text;
}

static const char *number(const char *text, uint32_t *out)
{
	uint64_t n;
	const char *end = big_number(text, UINT32_MAX, &n);

	if (end)
		*out = (uint32_t)n;
	return end;
}

static bool whole_number(const char *text, uint32_t *out)
{
	const char *end = number(text, out);

	return end && !*end;
}

/* The raid disk; an announced one has none yet. */
static bool raid_disk(const char *text, uint32_t *out)
{
	if (!strcmp(text, "-")) {
		*out = MDC_ADD_NO_DISK;
		return true;
	}
	return whole_number(text, out) && *out != MDC_ADD_NO_DISK;
}

static bool uuid_head(const char *text, struct mdc_uuid *uuid)
{
	char hex[MDC_UUID_HEX];

	if (strlen(text) != MDC_ADD_HEAD)
		return false;
	memset(hex, '0', sizeof(hex) - 1);
	hex[sizeof(hex) - 1] = '\0';
	memcpy(hex, text, MDC_ADD_HEAD);
	return !mdc_uuid_hex_parse(uuid, hex);
}

/* NODE.NUMBER */
static bool whose(const char *text, struct mdc_addtext *out)
{
	const char *end = number(text, &out->node);

	return end && *end == '.' && out->node && whole_number(end + 1, &out->number);
}

/* One NODE=WHY of a list, up to end. */
static bool good_entry(const char *at, const char *end)
{
	char word[MDC_ADD_WORD_MAX];
	const char *eq = memchr(at, '=', (size_t)(end - at));
	struct mdc_reason reason;

	if (!eq || eq == at || (size_t)(end - eq - 1) >= sizeof(word))
		return false;
	memcpy(word, eq + 1, (size_t)(end - eq - 1));
	word[end - eq - 1] = '\0';
	return !mdc_reason_parse(&reason, word);
}

static bool good_list(const char *list)
{
	const char *c, *end;

	for (c = list; *c; c++)
		if ((unsigned char)*c <= ' ' || *c == 0x7f)
			return false;
	for (;; list = end + 1) {
		end = list + strcspn(list, ",");
		if (!*end && !strcmp(list, MORE))
			return true;
		if (!good_entry(list, end))
			return false;
		if (!*end)
			return true;
	}
}

/* Cuts at the colons, in place. Returns the number of parts. */
static unsigned int cut(char *value, char *part[PARTS_MAX], unsigned int max)
{
	unsigned int n = 0;
	char *colon;

	for (;;) {
		part[n++] = value;
		colon = n < max ? strchr(value, ':') : NULL;
		if (!colon)
			return n;
		*colon = '\0';
		value = colon + 1;
	}
}

static bool parse_looking(struct mdc_addtext *text, char *rest)
{
	char *part[PARTS_MAX];

	return cut(rest, part, PARTS_MAX) == 3 && raid_disk(part[0], &text->raid_disk) &&
	       uuid_head(part[1], &text->device_uuid) && whose(part[2], text);
}

static bool parse_answer(struct mdc_addtext *text, char *rest)
{
	char *part[PARTS_MAX];

	if (cut(rest, part, PARTS_MAX) != 4 || !raid_disk(part[1], &text->raid_disk) ||
	    !uuid_head(part[2], &text->device_uuid) || !whose(part[3], text))
		return false;
	if (text->kind == MDC_ADD_MISSING)
		return !mdc_reason_parse(&text->reason, part[0]) &&
		       text->reason.why != MDC_WHY_SILENT;
	if (!good_kname(part[0]))
		return false;
	snprintf(text->device, sizeof(text->device), "%s", part[0]);
	return true;
}

static bool parse_proposed(struct mdc_addtext *text, char *rest)
{
	char *part[PARTS_MAX];

	return cut(rest, part, PARTS_MAX) == 3 && whole_number(part[0], &text->raid_disk) &&
	       text->raid_disk != MDC_ADD_NO_DISK &&
	       !mdc_uuid_hex_parse(&text->device_uuid, part[1]) &&
	       whole_number(part[2], &text->number);
}

static bool parse_announced(struct mdc_addtext *text, char *rest)
{
	char *part[PARTS_MAX];
	const char *end;

	if (cut(rest, part, PARTS_MAX) != 5 || !whole_number(part[0], &text->wait_s) ||
	    text->wait_s > MDC_ADD_WAIT_MAX)
		return false;
	end = big_number(part[1], INT64_MAX, &text->sectors);
	if (!end || *end || !text->sectors || mdc_uuid_hex_parse(&text->device_uuid, part[2]) ||
	    !whole_number(part[4], &text->number))
		return false;
	text->raid_disk = MDC_ADD_NO_DISK;
	if (!strcmp(part[3], "-"))
		return true;
	if (!mdc_diskid_valid(part[3]))
		return false;
	snprintf(text->disk, sizeof(text->disk), "%s", part[3]);
	return true;
}

static bool parse_result(struct mdc_addtext *text, char *rest)
{
	char *part[PARTS_MAX];
	/* The list comes last, as a node may be named by an address with colons. */
	unsigned int n = cut(rest, part, text->kind == MDC_ADD_REFUSED ? 3 : PARTS_MAX);

	if (n < 2 || !raid_disk(part[0], &text->raid_disk) ||
	    !uuid_head(part[1], &text->device_uuid))
		return false;
	if (n == 2)
		return true;
	if (text->kind != MDC_ADD_REFUSED || !good_list(part[2]))
		return false;
	snprintf(text->list, sizeof(text->list), "%s", part[2]);
	return true;
}

static const char *const kinds[] = {
	[MDC_ADD_PROPOSED] = "proposed",
	[MDC_ADD_ANNOUNCED] = "announced",
	[MDC_ADD_LOOKING] = "looking",
	[MDC_ADD_FOUND] = "found",
	[MDC_ADD_MISSING] = "missing",
	[MDC_ADD_ADDED] = "added",
	[MDC_ADD_REFUSED] = "refused",
};

int mdc_addtext_parse(struct mdc_addtext *text, const char *value)
{
	char copy[MDC_ATTR_VALUE_MAX];
	unsigned int i;
	bool good;
	char *rest;

	memset(text, 0, sizeof(*text));
	if (strnlen(value, sizeof(copy)) == sizeof(copy))
		return -EINVAL;
	strcpy(copy, value);
	rest = strchr(copy, ':');
	if (!rest)
		return -EINVAL;
	*rest++ = '\0';
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kinds[i], copy))
			break;
	if (i == sizeof(kinds) / sizeof(kinds[0]))
		return -EINVAL;
	text->kind = (enum mdc_add_kind)i;
	if (text->kind == MDC_ADD_PROPOSED)
		good = parse_proposed(text, rest);
	else if (text->kind == MDC_ADD_ANNOUNCED)
		good = parse_announced(text, rest);
	else if (text->kind == MDC_ADD_LOOKING)
		good = parse_looking(text, rest);
	else if (text->kind == MDC_ADD_FOUND || text->kind == MDC_ADD_MISSING)
		good = parse_answer(text, rest);
	else
		good = parse_result(text, rest);
	return good ? 0 : -EINVAL;
}

int mdc_addtext_format(const struct mdc_addtext *text, char out[MDC_ATTR_VALUE_MAX])
{
	const char *kind = kinds[text->kind];
	char hex[MDC_UUID_HEX], word[MDC_ADD_WORD_MAX], device[MDC_KNAME_MAX];
	char at[16] = "-";
	int n = -1;

	mdc_uuid_hex(&text->device_uuid, hex);
	if (text->raid_disk != MDC_ADD_NO_DISK)
		snprintf(at, sizeof(at), "%u", text->raid_disk);
	switch (text->kind) {
	case MDC_ADD_PROPOSED:
		n = snprintf(out, MDC_ATTR_VALUE_MAX, "%s:%s:%s:%u", kind, at, hex, text->number);
		break;
	case MDC_ADD_ANNOUNCED:
		n = snprintf(out, MDC_ATTR_VALUE_MAX, "%s:%u:%" PRIu64 ":%s:%s:%u", kind,
			     text->wait_s, text->sectors, hex, text->disk[0] ? text->disk : "-",
			     text->number);
		break;
	case MDC_ADD_LOOKING:
		n = snprintf(out, MDC_ATTR_VALUE_MAX, "%s:%s:%.*s:%u.%u", kind, at, MDC_ADD_HEAD,
			     hex, text->node, text->number);
		break;
	case MDC_ADD_FOUND:
	case MDC_ADD_MISSING:
		mdc_add_kname(device, text->device);
		mdc_reason_word(&text->reason, word);
		n = snprintf(out, MDC_ATTR_VALUE_MAX, "%s:%s:%s:%.*s:%u.%u", kind,
			     text->kind == MDC_ADD_FOUND ? device : word, at, MDC_ADD_HEAD, hex,
			     text->node, text->number);
		break;
	case MDC_ADD_ADDED:
	case MDC_ADD_REFUSED:
		n = snprintf(out, MDC_ATTR_VALUE_MAX, "%s:%s:%.*s%s%s", kind, at, MDC_ADD_HEAD,
			     hex, text->list[0] ? ":" : "", text->list);
		break;
	}
	return n > 0 && n < MDC_ATTR_VALUE_MAX ? 0 : -ENOSPC;
}

bool mdc_add_head_equal(const struct mdc_uuid *a, const struct mdc_uuid *b)
{
	return !memcmp(a->b, b->b, MDC_ADD_HEAD / 2);
}

bool mdc_list_add(char *out, size_t size, const char *sep, const char *item, bool last)
{
	size_t used = strlen(out), more = strlen(sep) + strlen(MORE) + 1;
	size_t need = (used ? strlen(sep) : 0) + strlen(item) + 1;

	/* What was appended before has always left room for the mark. */
	if (used + need + (last ? 0 : more - 1) <= size) {
		snprintf(out + used, size - used, "%s%s", used ? sep : "", item);
		return true;
	}
	snprintf(out + used, size - used, "%s%s", used ? sep : "", MORE);
	return false;
}
