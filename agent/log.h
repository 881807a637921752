/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Log lines of all the programs. libc only. The sinks: syslog (facility HA_logfacility,
 * else daemon), the file in HA_logfile or PCMK_logfile where Pacemaker names one, stderr,
 * and one function (mdclusterd's ring, a test's capture). State is this one struct, set up
 * in main: the log is the one thing every function may use without being handed it.
 */
#ifndef MDC_LOG_H
#define MDC_LOG_H

#include <stdarg.h>
#include <stdbool.h>

enum mdc_level { MDC_ERR, MDC_WARN, MDC_NOTICE, MDC_INFO, MDC_DEBUG };

typedef void (*mdc_log_fn)(enum mdc_level level, const char *text, void *data);

/* tag: "mdcluster(raid)", "mdclusterd"; copied. Reads the HA_* and PCMK_* variables. */
void mdc_log_open(const char *tag, bool to_stderr, enum mdc_level max);
void mdc_log_sink(mdc_log_fn fn, void *data);
void mdc_log(enum mdc_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void mdc_vlog(enum mdc_level level, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
const char *mdc_level_name(enum mdc_level level);

#define mdc_err(...) mdc_log(MDC_ERR, __VA_ARGS__)
#define mdc_warn(...) mdc_log(MDC_WARN, __VA_ARGS__)
#define mdc_notice(...) mdc_log(MDC_NOTICE, __VA_ARGS__)
#define mdc_info(...) mdc_log(MDC_INFO, __VA_ARGS__)
#define mdc_debug(...) mdc_log(MDC_DEBUG, __VA_ARGS__)

#endif
