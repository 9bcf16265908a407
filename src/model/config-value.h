/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the key tables of all kinds of configuration files have in common: values of one shape.
 * Each takes an assignment, resets on an empty value, and returns 0, 1 with *reterr, or -ENOMEM, as the
 * set function of a ConfKey must. */

#include "base/clock.h"
#include "codec/conf.h"

/* Sets *reterr to a formatted sentence and returns 1, or -ENOMEM. */
int config_complain(char **reterr, const char *format, ...) _printf_(2, 3);

int config_set_token(const ConfAssignment *a, char **p, char **reterr); /* printable ASCII, no blanks */
int config_set_path(const ConfAssignment *a, char **p, char **reterr);  /* absolute, no "." or ".." in it */
int config_set_bool(const ConfAssignment *a, bool *p, bool reset_to, char **reterr);
int config_set_span(const ConfAssignment *a, usec_t *p, usec_t min, usec_t max, const char *example,
                    char **reterr);

/* Adds the words of one line to a list, each once; an empty line empties it, as systemd's lists do. */
int config_append_words(const ConfAssignment *a, char ***list, bool (*is_valid)(const char *), size_t max,
                        const char *example, char **reterr);

/* The file that messages about the whole are put down to; never NULL. */
const char *config_main_file(const Conf *conf);
