/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The strings of a TOML document, each with the full name of its key: for settings of other programs of
 * which one or two matter. Pure. */

#include "base/macro.h"

typedef struct TomlError {
        size_t line;      /* from 1 */
        const char *what; /* static */
} TomlError;

typedef enum TomlKind {
        TOML_STRING,    /* a key's value */
        TOML_ARRAY,     /* an array begins that is a key's value; `value` is "" */
        TOML_ELEMENT,   /* a string in such an array, under the array's name */
        TOML_ATTRIBUTE, /* "{append = true}" in such an array: "engine.env.append", "true" */
} TomlKind;

/* A string on one line. `table` counts the headers before it ("[a]", "[[a.b]]"), so that what stands below
 * one header can be told from what stands below the next of the same name. */
typedef struct TomlString {
        TomlKind kind;
        const char *name; /* "crio.image.global_auth_file" */
        const char *value;
        size_t table;
        size_t line;
} TomlString;

typedef int (*toml_string_t)(const TomlString *string, void *userdata);

/* Calls the handler for each, in order, and ends when it returns less than 0, which is returned. Values of
 * other kinds, arrays in arrays, tables in one line, and strings of several lines are passed over. Returns
 * 0; -EBADMSG with *reterr: not TOML as far as it was looked at; -ENOMEM. */
int toml_strings(const char *text, size_t size, toml_string_t handler, void *userdata, TomlError *reterr);
