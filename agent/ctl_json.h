/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading JSON that may lack anything: a wrong type counts as not there. */
#ifndef MDC_CTL_JSON_H
#define MDC_CTL_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include <json-glib/json-glib.h>

/* object may be NULL in all of them. */
JsonObject *mdc_json_object(JsonObject *object, const char *key);
JsonArray *mdc_json_array(JsonObject *object, const char *key);
/* The i-th element if it is an object. */
JsonObject *mdc_json_element(JsonArray *array, unsigned int i);
unsigned int mdc_json_length(JsonArray *array);
const char *mdc_json_string(JsonObject *object, const char *key);
bool mdc_json_is(JsonObject *object, const char *key, const char *value);
bool mdc_json_true(JsonObject *object, const char *key);
/* false: not there, *out unchanged. */
bool mdc_json_int(JsonObject *object, const char *key, int64_t *out);
bool mdc_json_double(JsonObject *object, const char *key, double *out);

#endif
