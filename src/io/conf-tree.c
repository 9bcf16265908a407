/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Finds and reads configuration files over the three places.
 *
 * Owns the rules of precedence, masking and drop-ins, and those of which files are safe to believe. Knows
 * nothing of what the files say: that is for codec/conf and the tables of each kind. One bad file never
 * keeps another from being read. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/file.h"
#include "base/text.h"
#include "io/conf-tree.h"

#define NAME_MAX_LENGTH 64

static const char *const places[_CONF_PLACE_MAX] = {
        [CONF_PLACE_ETC] = "/etc/pullauth",
        [CONF_PLACE_RUN] = "/run/pullauth",
        [CONF_PLACE_USR] = "/usr/lib/pullauth",
};

const char *conf_place_path(ConfPlace p) {
        return p >= 0 && p < _CONF_PLACE_MAX ? places[p] : NULL;
}

/* What is looked at: the disk below a root, and what shall be taken for true instead. */
typedef struct View {
        const char *root;
        const ConfOverlay *overlays;
        size_t n_overlays;
} View;

static const ConfOverlay *find_overlay(const View *v, const char *path) {
        for (size_t i = 0; i < v->n_overlays; i++)
                if (streq(v->overlays[i].path, path))
                        return v->overlays + i;
        return NULL;
}

bool conf_name_is_valid(const char *name) {
        size_t n;

        if (isempty(name) || name[0] == '.' || name[0] == '-')
                return false;
        n = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-");
        return name[n] == '\0' && n <= NAME_MAX_LENGTH;
}

static void dir_closep(DIR **d) {
        if (*d)
                (void) closedir(*d);
}

/* Names as they are found; ten thousand of them have to be added one by one. */
typedef struct Names {
        char **items;
        size_t n, n_allocated;
} Names;

static void names_done(Names *l) {
        for (size_t i = 0; i < l->n; i++)
                free(l->items[i]);
        free(l->items);
}

/* A copy of the first `size` bytes. */
static int names_add(Names *l, const char *name, size_t size) {
        if (l->n + 1 >= l->n_allocated) {
                size_t n = l->n_allocated == 0 ? 16 : 2 * l->n_allocated;
                char **grown = reallocarray(l->items, n, sizeof(*grown));

                if (!grown)
                        return -ENOMEM;
                l->items = grown;
                l->n_allocated = n;
        }
        l->items[l->n] = strndup(name, size);
        if (!l->items[l->n])
                return -ENOMEM;
        l->items[++l->n] = NULL;
        return 0;
}

/* Adds the names in `path` that end in `suffix` (cut off). A place that does not exist is empty. */
static int list_directory(const char *path, const char *suffix, Names *names) {
        _cleanup_(dir_closep) DIR *d = NULL;
        struct dirent *e;

        d = opendir(path);
        if (!d)
                return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
        while (errno = 0, (e = readdir(d))) {
                const char *end = endswith(e->d_name, suffix);
                int r;

                if (!end || end == e->d_name || e->d_name[0] == '.')
                        continue;
                r = names_add(names, e->d_name, (size_t) (end - e->d_name));
                if (r < 0)
                        return r;
        }
        return -errno;
}

static void drop_duplicates(char **sorted) {
        char **out = sorted;

        if (!sorted || !*sorted)
                return;
        for (char **in = sorted + 1; *in; in++)
                if (streq(*in, *out))
                        free(*in);
                else
                        *++out = *in;
        out[1] = NULL;
}

/* The names that overlays have in `directory`, in it alone. What they hide is still among the names of
 * the disk; whoever looks for the file does not find it. */
static int list_overlays(const View *v, const char *directory, const char *suffix, Names *names) {
        for (size_t i = 0; i < v->n_overlays; i++) {
                const char *name = startswith(v->overlays[i].path, directory), *end;
                int r;

                if (!v->overlays[i].text || !name || name[0] != '/' || strchr(++name, '/'))
                        continue;
                end = endswith(name, suffix);
                if (!end || end == name)
                        continue;
                r = names_add(names, name, (size_t) (end - name));
                if (r < 0)
                        return r;
        }
        return 0;
}

/* All names over the three places; `subdir` is "jobs" or "jobs/edge.job.d". */
static int list_places(const View *v, const char *subdir, const char *suffix, char ***ret) {
        _cleanup_(names_done) Names names = {};

        for (size_t i = 0; i < ELEMENTSOF(places); i++) {
                _cleanup_free_ char *path = NULL;
                int r;

                r = text_format(&path, "%s%s/%s", v->root, places[i], subdir);
                if (r >= 0)
                        r = list_directory(path, suffix, &names);
                if (r >= 0)
                        r = list_overlays(v, path, suffix, &names);
                if (r < 0)
                        return r;
        }
        strv_sort(names.items);
        drop_duplicates(names.items);
        *ret = names.items;
        names = (Names){};
        return 0;
}

/* The path of the highest place that has the file. Returns 1, 0 if none has it, -ENOMEM. */
static int find_file(const View *v, const char *subdir, const char *file, char **ret, struct stat *ret_st) {
        for (size_t i = 0; i < ELEMENTSOF(places); i++) {
                _cleanup_free_ char *path = NULL;
                const ConfOverlay *o;
                int r;

                r = text_format(&path, "%s%s/%s%s%s", v->root, places[i], subdir, isempty(subdir) ? "" : "/",
                                file);
                if (r < 0)
                        return r;
                o = find_overlay(v, path);
                if (o && o->text) {
                        *ret_st = (struct stat){ .st_mode = S_IFREG };
                        *ret = TAKE_PTR(path);
                        return 1;
                }
                if (o || lstat(path, ret_st) < 0)
                        continue;
                /* A dangling link is still the file of this place; reading it will say so. */
                (void) stat(path, ret_st);
                *ret = TAKE_PTR(path);
                return 1;
        }
        return 0;
}

static bool is_mask(const struct stat *st) {
        return S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, 3);
}

static int complain_about_reading(Conf *conf, const char *path, int error) {
        switch (-error) {
        case ENOMEM:
                return error;
        case EPERM:
                return conf_add_message(conf, CONF_ERROR, path, 0,
                                        "The file must belong to root and must not be writable by group or "
                                        "others, use chown root and chmod go-w");
        case EFBIG:
                return conf_add_message(conf, CONF_ERROR, path, 0, "The file is larger than %d KiB",
                                        CONF_FILE_MAX / 1024);
        case EBADMSG:
                return conf_add_message(conf, CONF_ERROR, path, 0,
                                        "The file holds NUL bytes, it is no text");
        case EISDIR:
        case EMEDIUMTYPE:
                return conf_add_message(conf, CONF_ERROR, path, 0, "This is no regular file");
        default:
                return conf_add_message(conf, CONF_ERROR, path, 0, "The file cannot be read: %s",
                                        strerrordesc_np(-error) ?: "unknown error");
        }
}

static int read_file(const View *v, Conf *conf, const char *path) {
        const ConfOverlay *o = find_overlay(v, path);
        _cleanup_secret_ Secret *content = NULL;
        struct iovec bytes;
        int r;

        r = strv_append(&conf->files, path);
        if (r < 0)
                return r;
        if (o && o->text)
                return conf_parse(conf, path, o->text, strlen(o->text));
        r = file_read(AT_FDCWD, path, CONF_FILE_MAX, FILE_READ_FOLLOW | FILE_READ_OWNED, &content, NULL);
        if (r < 0)
                return complain_about_reading(conf, path, r);
        bytes = secret_peek(content);
        return conf_parse(conf, path, bytes.iov_base, bytes.iov_len);
}

static int read_drop_ins(const View *v, const char *kind, const char *file, Conf *conf) {
        _cleanup_strv_ char **names = NULL;
        _cleanup_free_ char *subdir = NULL;
        int r;

        r = text_format(&subdir, "%s%s%s.d", kind, isempty(kind) ? "" : "/", file);
        if (r >= 0)
                r = list_places(v, subdir, ".conf", &names);
        STRV_FOREACH(n, names) {
                _cleanup_free_ char *name = NULL, *path = NULL;
                struct stat st;

                if (r < 0)
                        return r;
                r = text_format(&name, "%s.conf", *n);
                if (r < 0)
                        return r;
                r = find_file(v, subdir, name, &path, &st);
                if (r > 0 && !is_mask(&st))
                        r = read_file(v, conf, path);
        }
        return r < 0 ? r : 0;
}

/* Names of definitions of one kind, and of those that have drop-ins, sorted both. */
typedef struct Listing {
        char **names, **drop_ins;
} Listing;

static void listing_done(Listing *l) {
        strv_free(l->names);
        strv_free(l->drop_ins);
}

static int list_kind(const View *v, const ConfKind *kind, Listing *ret) {
        _cleanup_(listing_done) Listing l = {};
        _cleanup_free_ char *suffix = NULL;
        int r;

        r = text_format(&suffix, "%s.d", kind->suffix);
        if (r >= 0)
                r = list_places(v, kind->directory, kind->suffix, &l.names);
        if (r >= 0)
                r = list_places(v, kind->directory, suffix, &l.drop_ins);
        if (r < 0)
                return r;
        *ret = l;
        l = (Listing){};
        return 0;
}

typedef enum LoadFlags {
        LOAD_DROP_INS = 1 << 0, /* there may be some */
} LoadFlags;

/* Returns 1 and fills *ret, 0 if the name is masked, -ENOMEM. */
static int load_one(const View *v, const ConfKind *kind, const char *name, LoadFlags flags, Conf **ret) {
        _cleanup_free_ char *file = NULL, *path = NULL;
        _cleanup_conf_ Conf *conf = NULL;
        struct stat st;
        int r;

        r = text_format(&file, "%s%s", name, kind->suffix);
        if (r < 0)
                return r;
        r = find_file(v, kind->directory, file, &path, &st);
        if (r <= 0 || is_mask(&st))
                return r < 0 ? r : 0;
        r = conf_new(&conf);
        if (r >= 0)
                r = read_file(v, conf, path);
        if (r >= 0 && flags & LOAD_DROP_INS)
                r = read_drop_ins(v, kind->directory, file, conf);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(conf);
        return 1;
}

static int warn_stray_drop_ins(const View *v, const ConfKind *kind, const Listing *l, Conf *messages) {
        STRV_FOREACH(d, l->drop_ins) {
                _cleanup_free_ char *path = NULL, *file = NULL;
                struct stat st;
                int r;

                if (strv_contains(l->names, *d))
                        continue;
                r = text_format(&file, "%s%s.d", *d, kind->suffix);
                if (r >= 0)
                        r = find_file(v, kind->directory, file, &path, &st);
                if (r > 0)
                        r = conf_add_message(messages, CONF_WARNING, path, 0,
                                             "There is no file %s%s that these drop-ins would belong to, "
                                             "ignoring",
                                             *d, kind->suffix);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int warn_invalid_name(const View *v, const ConfKind *kind, const char *name, Conf *messages) {
        _cleanup_free_ char *file = NULL, *path = NULL;
        struct stat st;
        int r;

        r = text_format(&file, "%s%s", name, kind->suffix);
        if (r >= 0)
                r = find_file(v, kind->directory, file, &path, &st);
        if (r <= 0)
                return r;
        return conf_add_message(
                messages, CONF_WARNING, path, 0,
                "The name must be 1 to %d letters, digits, '_', '.', '-' and start with neither "
                "'.' nor '-', ignoring",
                NAME_MAX_LENGTH);
}

/* One is read after the other has been taken: what they say in full is many times what is kept of it. */
static int load_each(const View *v, const ConfKind *kind, size_t number, Conf *messages, conf_take_t take,
                     void *userdata) {
        _cleanup_(listing_done) Listing l = {};
        char **drop_ins;
        int r;

        r = list_kind(v, kind, &l);
        drop_ins = l.drop_ins;
        STRV_FOREACH(name, l.names) {
                Conf *conf = NULL;

                while (drop_ins && *drop_ins && strcmp(*drop_ins, *name) < 0)
                        drop_ins++;
                if (r >= 0 && !conf_name_is_valid(*name))
                        r = warn_invalid_name(v, kind, *name, messages);
                else if (r >= 0)
                        r = load_one(v, kind, *name,
                                     drop_ins && streq_ptr(*drop_ins, *name) ? LOAD_DROP_INS : 0, &conf);
                if (r >= 0 && (conf || (kind->tell_masked && conf_name_is_valid(*name))))
                        r = take(number, *name, conf, userdata);
        }
        return r < 0 ? r : warn_stray_drop_ins(v, kind, &l, messages);
}

typedef struct Trees {
        ConfTree *items;
        size_t n, n_allocated;
} Trees;

static int collect(size_t kind, const char *name, Conf *conf, void *userdata) {
        _cleanup_conf_ Conf *owned = conf;
        Trees *t = userdata;
        char *copy;

        if (t->n == t->n_allocated) {
                size_t n = t->n_allocated == 0 ? 16 : 2 * t->n_allocated;
                ConfTree *grown = reallocarray(t->items, n, sizeof(*grown));

                if (!grown)
                        return -ENOMEM;
                t->items = grown;
                t->n_allocated = n;
        }
        copy = strdup(name);
        if (!copy)
                return -ENOMEM;
        t->items[t->n++] = (ConfTree){ .name = copy, .conf = TAKE_PTR(owned) };
        return 0;
}

int conf_tree_load(const char *root, const ConfKind *kind, Conf *messages, ConfTree **ret, size_t *ret_n) {
        const View v = { .root = root };
        Trees trees = {};
        int r;

        r = load_each(&v, kind, 0, messages, collect, &trees);
        if (r < 0) {
                conf_tree_free_many(trees.items, trees.n);
                return r;
        }
        *ret = trees.items;
        *ret_n = trees.n;
        return 0;
}

ConfTree *conf_tree_free_many(ConfTree *t, size_t n) {
        for (size_t i = 0; i < n; i++) {
                free(t[i].name);
                conf_free(t[i].conf);
        }
        free(t);
        return NULL;
}

int conf_tree_load_one(const char *root, const ConfKind *kind, const char *name, const ConfOverlay *overlays,
                       size_t n_overlays, Conf **ret) {
        const View v = { .root = root, .overlays = overlays, .n_overlays = n_overlays };

        return load_one(&v, kind, name, LOAD_DROP_INS, ret);
}

int conf_tree_load_file(const char *root, const char *file, Conf **ret) {
        const View v = { .root = root };
        _cleanup_free_ char *path = NULL;
        _cleanup_conf_ Conf *conf = NULL;
        struct stat st;
        int r;

        r = conf_new(&conf);
        if (r >= 0)
                r = find_file(&v, "", file, &path, &st);
        if (r > 0 && !is_mask(&st))
                r = read_file(&v, conf, path);
        if (r >= 0)
                r = read_drop_ins(&v, "", file, conf);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(conf);
        return 0;
}

static int load_one_file(const char *root, size_t kind, const char *file, conf_take_t take, void *userdata) {
        Conf *conf;
        int r;

        r = conf_tree_load_file(root, file, &conf);
        return r < 0 ? r : take(kind, file, conf, userdata);
}

int conf_tree_load_kinds(const char *root, const ConfKind *kinds, size_t n_kinds, Conf *messages,
                         conf_take_t take, void *userdata) {
        const View v = { .root = root };
        int r = 0;

        for (size_t kind = 0; kind < n_kinds && r >= 0; kind++)
                if (kinds[kind].directory)
                        r = load_each(&v, kinds + kind, kind, messages, take, userdata);
                else
                        r = load_one_file(root, kind, kinds[kind].suffix, take, userdata);
        return r;
}
