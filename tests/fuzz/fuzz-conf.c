/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Configuration text: whatever comes in, assignments are trimmed and printable, each line gives at most
 * one of them or one message, and what was read reads the same when it is written again. Then the tables of
 * all kinds of files: what they accept is within their bounds, and what they say is clean. */

#include "fuzz.h"

#include "base/text.h"
#include "codec/conf.h"
#include "model/daemon-config.h"
#include "model/identity-config.h"
#include "model/job-config.h"
#include "model/name.h"
#include "model/target-config.h"
#include "model/unit-peer.h"

static int set(const ConfAssignment *a, void *userdata, char **reterr) {
        size_t *n = userdata;

        ++*n;
        if (a->value[0] != 'b')
                return 0;
        *reterr = strdup(a->value);
        return *reterr ? 1 : -ENOMEM;
}

static const ConfKey keys[] = {
        { "Job", "Registry", set },
        { "Job", "Robot", set },
        { "Job", "Scopes", set },
        { "Identity", "Source", set },
};

static void check_texts(const Conf *c, size_t n_lines) {
        for (size_t i = 0; i < c->n_assignments; i++) {
                const ConfAssignment *a = c->assignments + i;
                const char *const texts[] = { a->section, a->key, a->value };

                for (size_t k = 0; k < ELEMENTSOF(texts); k++)
                        fuzz_assert_clean(texts[k]);
                fuzz_assert(a->section[0] != '\0' && a->key[0] != '\0' && !strchr(a->key, '='));
                fuzz_assert(a->value[0] == '\0' || (!strchr(WHITESPACE, a->value[0]) &&
                                                    !strchr(WHITESPACE, a->value[strlen(a->value) - 1])));
                fuzz_assert(a->line >= 1 && a->line <= n_lines);
                fuzz_assert(i == 0 || a->line > a[-1].line);
        }
        for (size_t i = 0; i < c->n_messages; i++) {
                fuzz_assert_clean(c->messages[i].text);
                fuzz_assert(c->messages[i].line <= n_lines && streq(c->messages[i].file, "file"));
        }
}

/* In the plainest form; the blank keeps a backslash at the end from continuing. */
static char *print(const Conf *c) {
        char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        fuzz_assert(f);
        for (size_t i = 0; i < c->n_assignments; i++)
                fprintf(f, "[%s]\n%s=%s \n", c->assignments[i].section, c->assignments[i].key,
                        c->assignments[i].value);
        fuzz_assert(fclose(f) == 0);
        return text;
}

static void check_again(const Conf *c) {
        _cleanup_free_ char *text = print(c);
        _cleanup_conf_ Conf *again = NULL;

        fuzz_assert(conf_new(&again) == 0 && conf_parse(again, "file", text, strlen(text)) == 0);
        fuzz_assert(again->n_messages == 0 && again->n_assignments == c->n_assignments);
        for (size_t i = 0; i < c->n_assignments; i++) {
                fuzz_assert(streq(again->assignments[i].section, c->assignments[i].section));
                fuzz_assert(streq(again->assignments[i].key, c->assignments[i].key));
                fuzz_assert(streq(again->assignments[i].value, c->assignments[i].value));
        }
}

static void parse_again(const uint8_t *data, size_t size, Conf **ret) {
        fuzz_assert(conf_new(ret) == 0 && conf_parse(*ret, "file", (const char *) data, size) == 0);
}

static void check_names(char *const *names) {
        STRV_FOREACH(n, names)
                fuzz_assert(target_name_is_valid(*n));
}

static void check_proxy(const char *proxy) {
        fuzz_assert(!proxy || startswith(proxy, "http://") || startswith(proxy, "https://"));
}

static void check_messages(const Conf *c) {
        for (size_t i = 0; i < c->n_messages; i++)
                fuzz_assert_clean(c->messages[i].text);
}

static void check_job(const uint8_t *data, size_t size, const JobDefaults *defaults) {
        _cleanup_(job_config_freep) JobConfig *job = NULL;
        _cleanup_conf_ Conf *c = NULL;

        parse_again(data, size, &c);
        fuzz_assert(job_config_new("name", c, defaults, &job) == 0);
        check_messages(c);
        check_names(job->targets);
        check_proxy(job->proxy);
        fuzz_assert(job->targets && job->targets[0] && object_name_is_valid(job->identity));
        fuzz_assert(conf_has_error(c) || (job->registry && job->robot && job->scopes && job->scopes[0]));
        STRV_FOREACH(unit, job->units)
                fuzz_assert(unit_pattern_is_valid(*unit));
        fuzz_assert(job->minimum_remaining <= 7 * USEC_PER_DAY);
}

static void check_identity(const uint8_t *data, size_t size) {
        _cleanup_(identity_config_freep) IdentityConfig *identity = NULL;
        _cleanup_conf_ Conf *c = NULL;

        parse_again(data, size, &c);
        fuzz_assert(identity_config_new("name", c, &identity) == 0);
        check_messages(c);
        fuzz_assert(conf_has_error(c) || identity->source >= 0);
}

static void check_target(const uint8_t *data, size_t size, const char *name) {
        _cleanup_(target_config_freep) TargetConfig *target = NULL;
        _cleanup_conf_ Conf *c = NULL;

        parse_again(data, size, &c);
        fuzz_assert(target_config_new(name, c, &target) == 0);
        check_messages(c);
        fuzz_assert(conf_has_error(c) || (target->paths && target->paths[0]));
        fuzz_assert((target->mode & ~(mode_t) 0644) == 0 && target->keys >= 0);
        STRV_FOREACH(path, target->paths)
                fuzz_assert((*path)[0] == '/');
}

static void check_tables(const uint8_t *data, size_t size) {
        _cleanup_(daemon_config_freep) DaemonConfig *daemon = NULL;
        _cleanup_conf_ Conf *c = NULL;

        parse_again(data, size, &c);
        fuzz_assert(daemon_config_new(c, &daemon) == 0);
        check_messages(c);
        fuzz_assert(daemon->log_level >= 0 && daemon->log_level <= 7);
        fuzz_assert(daemon->ready_timeout <= 10 * USEC_PER_MINUTE);
        check_names(daemon->job_defaults.targets);
        check_proxy(daemon->job_defaults.proxy);
        check_job(data, size, NULL);
        check_job(data, size, &daemon->job_defaults);
        check_identity(data, size);
        check_target(data, size, "name");
        check_target(data, size, "system");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_conf_ Conf *c = NULL;
        size_t n_lines = 1, n_set = 0;

        if (size > CONF_FILE_MAX)
                return 0;
        for (size_t i = 0; i < size; i++)
                n_lines += data[i] == '\n';
        fuzz_assert(conf_new(&c) == 0 && conf_parse(c, "file", (const char *) data, size) == 0);
        fuzz_assert(c->n_messages <= 65 && c->n_messages + c->n_assignments <= n_lines + 1);
        check_texts(c, n_lines);
        check_again(c);
        fuzz_assert(conf_apply(c, keys, ELEMENTSOF(keys), &n_set) == 0);
        fuzz_assert(n_set <= c->n_assignments);
        check_texts(c, n_lines);
        check_tables(data, size);
        return 0;
}
