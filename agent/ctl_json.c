/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Forgiving access to the daemon's JSON: json-glib logs a critical message for a missing
 * member or a wrong type, and a status command must show what there is.
 */
#include "ctl_json.h"

#include <string.h>

static JsonNode *member(JsonObject *object, const char *key)
{
	return object ? json_object_get_member(object, key) : NULL;
}

JsonObject *mdc_json_object(JsonObject *object, const char *key)
{
	JsonNode *node = member(object, key);

	return node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

JsonArray *mdc_json_array(JsonObject *object, const char *key)
{
	JsonNode *node = member(object, key);

	return node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
}

unsigned int mdc_json_length(JsonArray *array)
{
	return array ? json_array_get_length(array) : 0;
}

JsonObject *mdc_json_element(JsonArray *array, unsigned int i)
{
	JsonNode *node = i < mdc_json_length(array) ? json_array_get_element(array, i) : NULL;

	return node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

static JsonNode *value(JsonObject *object, const char *key)
{
	JsonNode *node = member(object, key);

	return node && JSON_NODE_HOLDS_VALUE(node) ? node : NULL;
}

const char *mdc_json_string(JsonObject *object, const char *key)
{
	JsonNode *node = value(object, key);

	return node && json_node_get_value_type(node) == G_TYPE_STRING ?
	       json_node_get_string(node) : NULL;
}

bool mdc_json_is(JsonObject *object, const char *key, const char *want)
{
	const char *text = mdc_json_string(object, key);

	return text && strcmp(text, want) == 0;
}

bool mdc_json_true(JsonObject *object, const char *key)
{
	JsonNode *node = value(object, key);

	return node && json_node_get_value_type(node) == G_TYPE_BOOLEAN &&
	       json_node_get_boolean(node);
}

bool mdc_json_int(JsonObject *object, const char *key, int64_t *out)
{
	JsonNode *node = value(object, key);

	if (!node || json_node_get_value_type(node) != G_TYPE_INT64)
		return false;
	*out = json_node_get_int(node);
	return true;
}

bool mdc_json_double(JsonObject *object, const char *key, double *out)
{
	JsonNode *node = value(object, key);
	GType type = node ? json_node_get_value_type(node) : G_TYPE_NONE;

	if (type == G_TYPE_INT64)
		*out = (double)json_node_get_int(node);
	else if (type == G_TYPE_DOUBLE)
		*out = json_node_get_double(node);
	else
		return false;
	return true;
}
