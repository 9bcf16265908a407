/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Looks at this host: which tools there are, whose files they read, and what stands in these.
 *
 * The one place of "pullauthctl which" and "targets" with I/O; it reads and changes nothing. Content of
 * files is kept erasable and leaves as names alone. */

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "ctl/tool-settings.h"
#include "ctl/tool.h"
#include "model/auth-file.h"

static const char *const program_directories[] = {
        "usr/local/bin", "usr/local/sbin", "usr/bin", "usr/sbin", "bin", "sbin", "usr/libexec",
};

static bool is_there(const char *root, const char *directory, const char *name) {
        _cleanup_free_ char *path = NULL;
        struct stat st;

        return text_format(&path, "%s/%s/%s", root, directory, name) >= 0 && stat(path, &st) == 0;
}

static bool is_installed(const Consumer *c, const char *root) {
        _cleanup_strv_ char **programs = NULL;

        if (c->directory && is_there(root, c->directory, ""))
                return true;
        if (strv_split_words(c->programs, &programs) < 0)
                return false;
        STRV_FOREACH(i, programs)
                for (size_t k = 0; k < ELEMENTSOF(program_directories); k++)
                        if (is_there(root, program_directories[k], *i))
                                return true;
        return false;
}

/* The users that tools run as. Strings are static, of the environment, or kept here. */
typedef struct Users {
        ConsumerContext unit, caller;
        char *home, *runtime_dir;
        /* Of the caller: names of a containers.conf, and of a registries.conf. */
        const char *engine_only, *engine_last, *registries;
        bool is_us; /* the caller's shell is that of this process */
} Users;

static void users_done(Users *u) {
        free(u->home);
        free(u->runtime_dir);
}

/* A session of somebody, whom we know by the database of users alone. */
static int take_user(Users *u, const struct passwd *user) {
        int r;

        r = text_format(&u->home, "%s", user->pw_dir);
        if (r >= 0)
                r = text_format(&u->runtime_dir, "/run/user/%u", (unsigned) user->pw_uid);
        u->caller = (ConsumerContext){ .uid = user->pw_uid, .home = u->home, .runtime_dir = u->runtime_dir };
        u->is_us = user->pw_uid == geteuid();
        return r;
}

static int take_environment(Users *u) {
        const char *home = getenv("HOME");
        const struct passwd *user;
        int r;

        if (isempty(home)) {
                user = getpwuid(geteuid());
                home = user ? user->pw_dir : "";
        }
        r = text_format(&u->home, "%s", home);
        u->caller = (ConsumerContext){
                .uid = geteuid(),
                .home = u->home,
                .runtime_dir = getenv("XDG_RUNTIME_DIR"),
                .config_home = getenv("XDG_CONFIG_HOME"),
                .docker_config = getenv("DOCKER_CONFIG"),
                .auth_file = getenv("REGISTRY_AUTH_FILE"),
        };
        u->engine_only = getenv("CONTAINERS_CONF");
        u->engine_last = getenv("CONTAINERS_CONF_OVERRIDE");
        u->registries = getenv("CONTAINERS_REGISTRIES_CONF");
        u->is_us = true;
        return r;
}

static int users_find(const char *name, Users *ret) {
        const struct passwd *user;

        *ret = (Users){ .unit = { .home = "/root" } };
        if (!name)
                return take_environment(ret);
        user = getpwnam(name);
        return user ? take_user(ret, user) : -ESRCH;
}

/* What reading failed with, as the tool sees it that runs as somebody else perhaps. */
static SourceState state_of(int error, bool is_us) {
        if (error == -ENOENT)
                return SOURCE_ABSENT;
        if ((error == -EACCES || error == -EPERM) && !is_us)
                return SOURCE_UNKNOWN;
        /* A tool may make something of a pipe, or of what is too large for us. */
        return error == -EMEDIUMTYPE || error == -EFBIG ? SOURCE_UNKNOWN : SOURCE_BROKEN;
}

int tool_file_problem(const ToolFile *f, char **ret) {
        if (f->error == -EBADMSG)
                return text_format(ret, "%s:%zu:%zu: %s", f->path, f->at.line, f->at.column, f->at.what);
        if (f->error == -EMEDIUMTYPE)
                return text_format(ret, "%s: no regular file, which is not read here", f->path);
        if (f->error == -EFBIG)
                return text_format(ret, "%s: larger than %d MiB, which is not read here", f->path,
                                   AUTH_FILE_MAX / (1024 * 1024));
        if (f->state == SOURCE_UNKNOWN)
                return text_format(ret, "%s: you may not read it", f->path);
        return text_format(ret, "%s: %s", f->path, strerrordesc_np(-f->error) ?: "unknown error");
}

static int read_file(ToolFile *f, bool legacy, bool is_us) {
        struct iovec bytes;
        int r;

        r = file_read(AT_FDCWD, f->path, AUTH_FILE_MAX, FILE_READ_FOLLOW | FILE_READ_ALLOW_NUL, &f->content,
                      NULL);
        if (r == -ENOMEM)
                return r;
        if (r >= 0) {
                bytes = secret_peek(f->content);
                r = consumer_file_new(bytes.iov_base, bytes.iov_len, legacy, &f->file, &f->at);
                if (r == -ENOMEM)
                        return r;
        }
        f->error = r;
        f->state = r >= 0 ? SOURCE_READ : state_of(r, is_us);
        return 0;
}

/* Users without privileges have one target, for podman and its relatives. */
static int find_target(const Consumer *c, const Users *users, char **ret) {
        const struct passwd *user;

        if (!c->of_caller || users->caller.uid == 0)
                return free_and_strdup(ret, c->target);
        user = c->variable ? getpwuid(users->caller.uid) : NULL;
        return user ? text_format(ret, "user:%s", user->pw_name) : 0;
}

static void tool_done(Tool *t) {
        free(t->target);
        registries_done(&t->registries);
        for (size_t i = 0; i < t->n_files; i++) {
                consumer_file_free(t->files[i].file);
                secret_free(t->files[i].content);
                free(t->files[i].path);
        }
}

static int find_paths(const Consumer *c, const Users *users, bool is_us, const char *root, char ***notes,
                      ConsumerPaths *ret) {
        ConsumerContext context = c->of_caller ? users->caller : users->unit;
        _cleanup_free_ char *named = NULL, *engine_file = NULL;
        int r = 0;

        if (c->setting)
                r = tool_setting(root, c->settings_file, c->settings_directory, c->setting, notes, &named);
        if (r >= 0 && c->engine)
                r = tool_engine_file(&(EngineFiles){ .root = root,
                                                     .home = context.home,
                                                     .is_us = is_us,
                                                     .config_home = context.config_home,
                                                     .only = c->of_caller ? users->engine_only : NULL,
                                                     .last = c->of_caller ? users->engine_last : NULL },
                                     notes, &engine_file);
        context.set_file = named;
        context.engine_file = engine_file;
        return r < 0 ? r : consumer_paths(c, &context, ret);
}

static int find_registries(Tool *t, const Users *users, bool is_us, const char *root, char ***notes) {
        bool of_caller = t->consumer->of_caller;
        int r;

        if (!t->consumer->mirrors)
                return 0;
        r = tool_registries(
                &(RegistriesFiles){
                        .root = root,
                        .home = of_caller ? users->caller.home : users->unit.home,
                        .is_us = is_us,
                        .instead = of_caller && t->consumer->engine ? users->registries : NULL,
                },
                notes, &t->registries);
        t->helpers = t->registries.helpers;
        return r;
}

static int tool_find(Tool *t, const Users *users, const char *root, char ***notes) {
        bool is_us = t->consumer->of_caller ? users->is_us : geteuid() == 0;
        ConsumerPaths paths;
        int r;

        r = find_registries(t, users, is_us, root, notes);
        if (r >= 0)
                r = find_paths(t->consumer, users, is_us, root, notes, &paths);
        if (r < 0)
                return r;
        t->named_by = paths.named_by;
        r = find_target(t->consumer, users, &t->target);
        for (size_t i = 0; i < paths.n_items && r >= 0; i++) {
                ToolFile *f = t->files + t->n_files++;

                r = text_format(&f->path, "%s%s", root, paths.items[i].path);
                if (r >= 0)
                        r = read_file(f, paths.items[i].legacy, is_us);
                /* A user's own settings may name it; from here on it is for people. */
                if (r >= 0)
                        r = tool_path_clean(&f->path);
        }
        consumer_paths_done(&paths);
        return r;
}

static bool is_wanted(const Tool *t, const ToolWish *wish) {
        if (!wish->names || !wish->names[0])
                return wish->all || t->installed;
        STRV_FOREACH(i, wish->names)
                if (consumer_is_called(t->consumer, *i))
                        return true;
        return false;
}

int tools_find(const ToolWish *wish, Tools *ret) {
        const Consumer *consumers;
        Users users;
        struct stat st;
        Tools l = {};
        size_t n;
        int r;

        if (!isempty(wish->root) && stat(wish->root, &st) < 0)
                return -errno;
        if (!isempty(wish->root) && !S_ISDIR(st.st_mode))
                return -ENOTDIR;
        r = users_find(wish->user, &users);
        consumers = consumer_all(&n);
        if (r >= 0) {
                l.items = calloc(n, sizeof(*l.items));
                r = l.items ? 0 : -ENOMEM;
        }
        for (size_t i = 0; i < n && r >= 0; i++) {
                Tool *t = l.items + l.n_items;

                *t = (Tool){ .consumer = consumers + i,
                             .installed = is_installed(consumers + i, wish->root) };
                if (!is_wanted(t, wish))
                        continue;
                l.n_items++;
                r = tool_find(t, &users, wish->root, &l.notes);
        }
        users_done(&users);
        if (r < 0) {
                tools_done(&l);
                return r;
        }
        *ret = l;
        return 0;
}

void tools_done(Tools *l) {
        for (size_t i = 0; i < l->n_items; i++)
                tool_done(l->items + i);
        free(l->items);
        strv_free(l->notes);
        *l = (Tools){};
}

int tool_answer(const Tool *t, const char *repository, ConsumerAnswer *ret) {
        ConsumerSource sources[CONSUMER_PLACES_MAX] = {};

        for (size_t i = 0; i < t->n_files; i++)
                sources[i] = (ConsumerSource){ t->files[i].state, t->files[i].file };
        return consumer_answer(t->consumer, t->helpers, sources, t->n_files, repository, ret);
}
