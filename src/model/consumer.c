/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The table of tools, and from a row of it to the paths of one user.
 *
 * Owns what is known of other people's programs (containers-auth.json(5), bootc(8), crio.conf(5), the
 * kubelet's and Docker's documentation, and their sources where these are silent). Opens no file and reads
 * no environment. */

#include "base/text.h"
#include "model/consumer.h"

static const Consumer consumers[] = {
        { .name = "podman-unit",
          .description = "podman, buildah and skopeo as root in units",
          .programs = "podman buildah skopeo",
          .target = "podman",
          .engine = true,
          .mirrors = true,
          .match = MATCH_PATH,
          .order = ORDER_EACH,
          .places = { { BASE_RUNTIME, "containers/auth.json", false },
                      { BASE_CONFIG, "containers/auth.json", false },
                      { BASE_DOCKER, "config.json", false },
                      { BASE_HOME, ".dockercfg", true } } },
        { .name = "podman-shell",
          .description = "podman, buildah and skopeo in this shell",
          .programs = "podman buildah skopeo",
          .target = "podman",
          .of_caller = true,
          .variable = true,
          .engine = true,
          .mirrors = true,
          .match = MATCH_PATH,
          .order = ORDER_EACH,
          .places = { { BASE_RUNTIME, "containers/auth.json", false },
                      { BASE_CONFIG, "containers/auth.json", false },
                      { BASE_DOCKER, "config.json", false },
                      { BASE_HOME, ".dockercfg", true } } },
        { .name = "bootc",
          .description = "bootc and rpm-ostree",
          .programs = "bootc rpm-ostree",
          .target = "bootc",
          .mirrors = true,
          .match = MATCH_PATH,
          .order = ORDER_FIRST,
          .places = { { BASE_ROOT, "run/ostree/auth.json", false },
                      { BASE_ROOT, "etc/ostree/auth.json", false },
                      { BASE_ROOT, "usr/lib/ostree/auth.json", false } } },
        { .name = "crio",
          .description = "CRI-O",
          .programs = "crio",
          .directory = "etc/crio",
          .target = "crio",
          .mirrors = true,
          .setting = "crio.image.global_auth_file",
          .settings_file = "etc/crio/crio.conf",
          .settings_directory = "etc/crio/crio.conf.d",
          .match = MATCH_PATH,
          .order = ORDER_EACH,
          .places = { { BASE_RUNTIME, "containers/auth.json", false },
                      { BASE_CONFIG, "containers/auth.json", false },
                      { BASE_DOCKER, "config.json", false },
                      { BASE_HOME, ".dockercfg", true } } },
        { .name = "microshift",
          .description = "MicroShift's CRI-O",
          .programs = "microshift",
          .target = "microshift",
          .mirrors = true,
          .match = MATCH_PATH,
          .order = ORDER_FIRST,
          .places = { { BASE_ROOT, "etc/crio/openshift-pull-secret", false } } },
        { .name = "kubelet",
          .description = "kubelet, for the whole node",
          .programs = "kubelet",
          .target = "kubelet",
          .match = MATCH_GLOB,
          .order = ORDER_FIRST_VALID,
          .places = { { BASE_ROOT, "var/lib/kubelet/config.json", false },
                      { BASE_ROOT, "config.json", false },
                      { BASE_HOME, ".docker/config.json", false },
                      { BASE_ROOT, ".docker/config.json", false } } },
        { .name = "image-builder",
          .description = "the worker of image-builder",
          .programs = "osbuild-worker",
          .directory = "etc/osbuild-worker",
          .target = "image-builder",
          .setting = "containers.auth_file_path",
          .settings_file = "etc/osbuild-worker/osbuild-worker.toml",
          .match = MATCH_PATH,
          .order = ORDER_FIRST },
        { .name = "docker",
          .description = "docker in this shell",
          .programs = "docker",
          .target = "docker",
          .of_caller = true,
          .match = MATCH_HOST,
          .order = ORDER_FIRST,
          .places = { { BASE_DOCKER, "config.json", false } } },
};

const Consumer *consumer_all(size_t *ret_n) {
        *ret_n = ELEMENTSOF(consumers);
        return consumers;
}

bool consumer_is_called(const Consumer *c, const char *name) {
        _cleanup_strv_ char **programs = NULL;

        return streq(c->name, name) ||
               (strv_split_words(c->programs, &programs) >= 0 && strv_contains(programs, name));
}

static int base_path(ConsumerBase base, const ConsumerContext *x, char **ret) {
        switch (base) {
        case BASE_ROOT:
                return text_format(ret, "%s", "");
        case BASE_RUNTIME:
                return isempty(x->runtime_dir) ? text_format(ret, "/run/containers/%u", (unsigned) x->uid)
                                               : text_format(ret, "%s", x->runtime_dir);
        case BASE_CONFIG:
                return isempty(x->config_home) ? text_format(ret, "%s/.config", x->home)
                                               : text_format(ret, "%s", x->config_home);
        case BASE_DOCKER:
                return isempty(x->docker_config) ? text_format(ret, "%s/.docker", x->home)
                                                 : text_format(ret, "%s", x->docker_config);
        case BASE_HOME:
                return text_format(ret, "%s", x->home);
        case _CONSUMER_BASE_MAX:
        case _CONSUMER_BASE_INVALID:
                break;
        }
        return -EINVAL;
}

static int place_path(const ConsumerPlace *place, const ConsumerContext *x, char **ret) {
        _cleanup_free_ char *base = NULL;
        const char *path = place->path;
        int r;

        r = base_path(place->base, x, &base);
        if (r < 0)
                return r;
        /* The directory of a user in /run/containers is for this one file. */
        if (place->base == BASE_RUNTIME && isempty(x->runtime_dir))
                path = "auth.json";
        return text_format(ret, "%s/%s", base, path);
}

/* The file in the place of all others. Returns 1, 0 if nothing names one, -ENOMEM. */
static int named_path(const Consumer *c, const ConsumerContext *x, char **ret, const char **ret_by) {
        const char *path = NULL, *by = NULL;
        int r;

        if (c->setting) {
                path = x->set_file;
                by = c->setting;
        } else if (c->variable && x->auth_file) {
                /* Even if it is empty, containers.conf does not set it anew. */
                path = x->auth_file;
                by = "$REGISTRY_AUTH_FILE";
        } else if (c->engine) {
                path = x->engine_file;
                by = NAMED_BY_ENGINE;
        }
        if (!isempty(path))
                r = text_format(ret, "%s", path);
        else if (c->engine && !isempty(x->docker_config)) {
                by = NAMED_BY_DOCKER;
                r = text_format(ret, "%s/config.json", x->docker_config);
        } else
                return 0;
        if (r < 0)
                return r;
        *ret_by = by;
        return 1;
}

int consumer_paths(const Consumer *c, const ConsumerContext *context, ConsumerPaths *ret) {
        ConsumerPaths paths = {};
        int r;

        r = named_path(c, context, &paths.items[0].path, &paths.named_by);
        if (r < 0)
                return r;
        if (r > 0) {
                paths.n_items = 1;
                *ret = paths;
                return 0;
        }
        for (size_t i = 0; i < CONSUMER_PLACES_MAX && c->places[i].path && r >= 0; i++) {
                r = place_path(c->places + i, context, &paths.items[i].path);
                paths.items[i].legacy = c->places[i].legacy;
                paths.n_items += r >= 0;
        }
        if (r < 0) {
                consumer_paths_done(&paths);
                return r;
        }
        *ret = paths;
        return 0;
}

void consumer_paths_done(ConsumerPaths *p) {
        for (size_t i = 0; i < p->n_items; i++)
                free(p->items[i].path);
        *p = (ConsumerPaths){};
}
