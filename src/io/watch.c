/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Watches a path by name, through links and through directories that come and go.
 *
 * Owns an inotify source for each directory on the way. An event about a name on the way says no more
 * than "look again": the way is walked anew, and whoever asked is told. So no event can be misread, and
 * one that is lost in a storm is made good by the next. The handler may hear of what it did itself, or of
 * nothing that matters to it: to compare what was and what is would miss what is changed and changed
 * back.
 *
 * Reads no content and holds no descriptor of the file. In homes it waits for no file system of the user's,
 * for the event loop would wait with it. */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "io/watch.h"

/* Components and links together; more than any sane path has. */
#define PLACES_MAX 40
#define SETTLE (20 * USEC_PER_MSEC)

#define EVENTS                                                                              \
        (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_CLOSE_WRITE | IN_ATTRIB | \
         IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)

/* A directory on the way, and the name in it that matters. */
typedef struct Place {
        char *directory, *name;
        dev_t device;
        ino_t inode; /* of the directory: another one may have taken its name */
        sd_event_source *source;
} Place;

struct Watch {
        sd_event *event;
        char *path;
        size_t in_home; /* so many bytes at its end; 0: none */
        Place places[PLACES_MAX];
        size_t n_places;
        sd_event_source *settle;
        bool told_limit;
        WatchHandler handler;
        void *userdata;
};

static int on_event(sd_event_source *source, const struct inotify_event *e, void *userdata);

static Place *find_place(Place *places, size_t n, const char *directory, const char *name) {
        for (size_t i = 0; i < n; i++)
                if (streq(places[i].directory, directory) && streq(places[i].name, name))
                        return places + i;
        return NULL;
}

static void places_done(Place *places, size_t n) {
        for (size_t i = 0; i < n; i++) {
                sd_event_source_disable_unref(places[i].source);
                free(places[i].directory);
                free(places[i].name);
        }
}

/* A directory that the walk reached: by its path, and in homes by a descriptor. */
typedef struct Spot {
        const char *path;
        int fd; /* -EBADF: by the path alone */
        dev_t device;
        ino_t inode;
} Spot;

#define FD_PATH_MAX (sizeof("/proc/self/fd/") + 3 * sizeof(int))

/* Keeps the source of the walk before, if the place was on it: nothing is missed between the two. */
static int add_place(Watch *w, Place *old, size_t n_old, const Spot *at, const char *name) {
        Place *p = w->places + w->n_places, *known = find_place(old, n_old, at->path, name);
        char by_fd[FD_PATH_MAX];
        int r;

        *p = (Place){
                .directory = strdup(at->path), .name = strdup(name), .device = at->device, .inode = at->inode
        };
        w->n_places++;
        if (!p->directory || !p->name)
                return -ENOMEM;
        if (known && known->device == p->device && known->inode == p->inode) {
                p->source = TAKE_PTR(known->source);
                return 0;
        }
        if (at->fd >= 0)
                (void) snprintf(by_fd, sizeof(by_fd), "/proc/self/fd/%d", at->fd);
        r = sd_event_add_inotify(w->event, &p->source, at->fd >= 0 ? by_fd : at->path, EVENTS, on_event, w);
        if ((r == -ENOSPC || r == -EMFILE) && !w->told_limit) {
                log_warning_errno(r,
                                  "Cannot watch %s, changes there are noticed late; raise the limits "
                                  "fs.inotify.max_user_watches and max_user_instances: %m",
                                  at->path);
                w->told_limit = true;
        }
        return r == -ENOMEM ? r : 0;
}

/* How far the walk is: the directory that was reached, "" for the root, and the names that are left. */
typedef struct Way {
        char at[PATH_MAX];
        char *rest;  /* malloc'ed */
        size_t done; /* of `rest` */
} Way;

static void way_done(Way *way) {
        free(way->rest);
}

/* The next name; returns false at the end, or where no file system has such a name. */
static bool next_name(Way *way, char *ret, size_t size) {
        size_t n;

        way->done += strspn(way->rest + way->done, "/");
        n = strcspn(way->rest + way->done, "/");
        if (n == 0 || n >= size)
                return false;
        memcpy(ret, way->rest + way->done, n);
        ret[n] = '\0';
        way->done += n;
        return true;
}

static int append(Way *way, const char *name) {
        size_t at = strlen(way->at), n = strlen(name);

        if (at + n + 2 > sizeof(way->at))
                return -ENAMETOOLONG;
        way->at[at] = '/';
        memcpy(way->at + at + 1, name, n + 1);
        return 0;
}

/* Puts the target of the link `name` before what is left. Returns 0, -EINVAL if it is no link, or what
 * readlink(2) said. */
static int follow_link(Way *way, const char *name) {
        _cleanup_free_ char *link = NULL, *joined = NULL;
        char target[PATH_MAX];
        ssize_t n;
        int r;

        r = text_format(&link, "%s/%s", way->at, name);
        if (r < 0)
                return r;
        n = readlink(link, target, sizeof(target) - 1);
        if (n < 0)
                return -errno;
        target[n] = '\0';
        r = text_format(&joined, "%s/%s", target, way->rest + way->done);
        if (r < 0)
                return r;
        free(way->rest);
        way->rest = TAKE_PTR(joined);
        way->done = 0;
        if (target[0] == '/')
                way->at[0] = '\0';
        return 0;
}

static const char *path_of(const Way *way) {
        return way->at[0] ? way->at : "/";
}

/* One step down. Returns 1 to go on, 0 where nothing is left to watch, -ENOMEM. */
static int step(Watch *w, Place *old, size_t n_old, Way *way) {
        Spot at = { .path = path_of(way), .fd = -EBADF };
        char name[NAME_MAX + 1];
        struct stat st;
        int r;

        if (!next_name(way, name, sizeof(name)))
                return 0;
        if (stat(at.path, &st) == 0) {
                at.device = st.st_dev;
                at.inode = st.st_ino;
        }
        r = add_place(w, old, n_old, &at, name);
        if (r < 0)
                return r;
        r = follow_link(way, name);
        if (r == -EINVAL)
                r = append(way, name);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        return 1;
}

static bool is_at_home(const Watch *w, const Way *way) {
        const char *rest = way->rest + way->done;

        return w->in_home > 0 && strlen(rest + strspn(rest, "/")) <= w->in_home;
}

/* What is known of it without asking. */
static int look(Spot *s) {
        struct statx st;

        if (s->fd < 0)
                return -EBADF;
        if (statx(s->fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_INO, &st) < 0)
                return -errno;
        s->device = makedev(st.stx_dev_major, st.stx_dev_minor);
        s->inode = st.stx_ino;
        return 0;
}

/* All steps that are left. Returns 0 or -ENOMEM. */
static int descend(Watch *w, Place *old, size_t n_old, Way *way) {
        _cleanup_close_ int fd = open(path_of(way), O_PATH | O_DIRECTORY | O_CLOEXEC);
        Spot home = { .fd = fd }, at;
        char name[NAME_MAX + 1];

        if (look(&home) < 0)
                return 0;
        at = home;
        while (w->n_places < PLACES_MAX && at.device == home.device && next_name(way, name, sizeof(name))) {
                int next, r;

                at.path = path_of(way);
                r = add_place(w, old, n_old, &at, name);
                if (r < 0)
                        return r;
                next = openat(fd, name, O_PATH | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC);
                closep(&fd);
                at.fd = fd = next;
                if (look(&at) < 0 || append(way, name) < 0)
                        break;
        }
        return 0;
}

/* Watches each directory from the root down to the file, as far as there are any. */
static int walk(Watch *w) {
        _cleanup_(way_done) Way way = { .rest = strdup(w->path) };
        size_t n_old = w->n_places;
        Place old[PLACES_MAX];
        int r = 1;

        if (!way.rest)
                return -ENOMEM;
        memcpy(old, w->places, sizeof(old));
        w->n_places = 0;
        while (r > 0 && w->n_places < PLACES_MAX)
                r = is_at_home(w, &way) ? descend(w, old, n_old, &way) : step(w, old, n_old, &way);
        places_done(old, n_old);
        return r < 0 ? r : 0;
}

static int on_settled(sd_event_source *source, uint64_t usec, void *userdata) {
        Watch *w = userdata;

        /* Without memory there are fewer places that tell; those that are left lead here again. */
        (void) walk(w);
        w->handler(w->userdata);
        return 0;
}

static int on_event(sd_event_source *source, const struct inotify_event *e, void *userdata) {
        Watch *w = userdata;
        bool ours = e->mask & (IN_Q_OVERFLOW | IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF);
        int enabled;

        for (size_t i = 0; i < w->n_places && !ours && e->len > 0; i++)
                ours = w->places[i].source == source && streq(w->places[i].name, e->name);
        if (!ours || (sd_event_source_get_enabled(w->settle, &enabled) >= 0 && enabled != SD_EVENT_OFF))
                return 0;
        (void) sd_event_source_set_time_relative(w->settle, SETTLE);
        (void) sd_event_source_set_enabled(w->settle, SD_EVENT_ONESHOT);
        return 0;
}

int watch_new(sd_event *event, const char *path, WatchHandler handler, void *userdata, Watch **ret) {
        return watch_new_in_home(event, path, 0, handler, userdata, ret);
}

int watch_new_in_home(sd_event *event, const char *path, size_t in_home, WatchHandler handler,
                      void *userdata, Watch **ret) {
        _cleanup_(watch_freep) Watch *w = NULL;
        int r;

        w = calloc(1, sizeof(*w));
        if (!w)
                return -ENOMEM;
        w->event = sd_event_ref(event);
        w->in_home = in_home;
        w->handler = handler;
        w->userdata = userdata;
        r = free_and_strdup(&w->path, path);
        if (r >= 0)
                r = sd_event_add_time_relative(event, &w->settle, CLOCK_MONOTONIC, SETTLE, SETTLE,
                                               on_settled, w);
        if (r >= 0)
                r = sd_event_source_set_enabled(w->settle, SD_EVENT_OFF);
        if (r >= 0)
                r = walk(w);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(w);
        return 0;
}

Watch *watch_free(Watch *w) {
        if (!w)
                return NULL;
        places_done(w->places, w->n_places);
        sd_event_source_disable_unref(w->settle);
        sd_event_unref(w->event);
        free(w->path);
        free(w);
        return NULL;
}
