/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What targets would look like.
 *
 * Goes the way of a publication up to the point where something would be written. Owns the sentences that
 * tell of it. No secret leaves it: those of files are taken out (model/auth-mask), templates get none. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "daemon/manager-parts.h"
#include "daemon/manager-preview.h"
#include "daemon/wanted.h"
#include "model/auth-mask.h"

/* In the place of a credential that nobody has to see for this. */
static int make_up(const char *robot, const char *secret, Secret **ret) {
        _cleanup_free_ char *text = NULL;
        int r;

        r = text_format(&text, "%s:%s", strempty(robot), secret);
        return r < 0 ? r : secret_new_string(text, ret);
}

/* What templates get in the place of a credential. The caller frees each. */
static int hide(Wanted *wanted, size_t n) {
        for (size_t i = 0; i < n; i++) {
                Secret *user_pass;
                int r;

                r = make_up(wanted[i].robot, "(hidden)", &user_pass);
                /* Those that are still the jobs' must not be freed with the others. */
                if (r < 0) {
                        while (i < n)
                                wanted[i++].user_pass = NULL;
                        return r;
                }
                wanted[i].user_pass = user_pass;
        }
        return 0;
}

static int preview_template(const Manager *m, const TargetConfig *config, Wanted *wanted, size_t n,
                            char **ret, Failure **reterr) {
        _cleanup_secret_ Secret *text = NULL;
        int r;

        r = hide(wanted, n);
        if (r >= 0)
                r = publisher_preview(m->publisher, config, wanted, n, &text, reterr);
        for (size_t i = 0; i < n; i++)
                secret_free((Secret *) wanted[i].user_pass);
        return r != 0 ? r : text_format(ret, "%s", (const char *) secret_peek(text).iov_base);
}

static int preview_file(const Manager *m, const TargetConfig *config, Wanted *wanted, size_t n, char **ret,
                        Failure **reterr) {
        _cleanup_secret_ Secret *text = NULL;
        struct iovec bytes;
        JsonError error;
        int r;

        r = publisher_preview(m->publisher, config, wanted, n, &text, reterr);
        if (r != 0)
                return r;
        bytes = secret_peek(text);
        return auth_mask(bytes.iov_base, bytes.iov_len, ret, &error);
}

int manager_preview_target(const Manager *m, const char *target, char **ret, Failure **reterr) {
        _cleanup_(target_config_freep) TargetConfig *config = NULL;
        Wanted *wanted = NULL;
        size_t n = 0;
        int r;

        r = target_set_get(m->configuration->targets, target, &config);
        if (r <= 0)
                return r < 0 ? r : -ENOENT;
        r = wanted_collect(m->jobs, m->n_jobs, config, &wanted, &n);
        if (r < 0)
                return r;
        r = config->template ? preview_template(m, config, wanted, n, ret, reterr)
                             : preview_file(m, config, wanted, n, ret, reterr);
        wanted_free(wanted, n);
        return r == TARGET_REFUSED ? 1 : r;
}

/* The first key that could not be had speaks for all. */
static Failure *take_failure(Wanted *wanted, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (wanted[i].failure)
                        return TAKE_PTR(wanted[i].failure);
        return NULL;
}

static int describe(const char *path, const Wanted *wanted, size_t n, char **ret) {
        _cleanup_free_ char *text = NULL;
        size_t size;
        FILE *f;

        f = open_memstream(&text, &size);
        if (!f)
                return -ENOMEM;
        (void) fputs(path, f);
        for (size_t i = 0; i < n; i++)
                (void) fprintf(f, "%s %s %s", i == 0 ? ":" : ",", wanted[i].stands ? "replaces" : "adds",
                               wanted[i].key);
        if (fclose(f) != 0)
                return -ENOMEM;
        *ret = TAKE_PTR(text);
        return 0;
}

int manager_preview_job(const Manager *m, const Job *j, const char *target, char **ret, Failure **reterr) {
        _cleanup_(target_config_freep) TargetConfig *config = NULL;
        _cleanup_secret_ Secret *user_pass = NULL, *text = NULL;
        Failure *failure = NULL;
        Wanted *wanted;
        size_t n;
        int r;

        r = target_set_get(m->configuration->targets, target, &config);
        if (r <= 0)
                return r < 0 ? r : -ENOENT;
        r = make_up(j->config->robot, "none", &user_pass);
        if (r < 0)
                return r;
        wanted = calloc(strv_length(j->config->scopes) + 1, sizeof(*wanted));
        if (!wanted)
                return -ENOMEM;
        n = wanted_of_job(j, config, user_pass, wanted);
        r = publisher_preview(m->publisher, config, wanted, n, &text, &failure);
        if (r == 0)
                failure = take_failure(wanted, n);
        if (r == 0 && !failure)
                r = describe(strempty(manager_target_path(m, target)), wanted, n, ret);
        wanted_free(wanted, n);
        if (failure)
                *reterr = failure;
        return failure ? 1 : r;
}
