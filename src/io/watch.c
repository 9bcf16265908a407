/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Watches a path by name, through links and through directories that come and go.
 *
 * Owns an inotify source for each directory on the way. An event about a name on the way says no more
 * than "look again": the way is walked anew, and whoever asked is told. So no event can be misread, and
 * one that is lost in a storm is made good by the next. The handler may hear of what it did itself, or of
 * nothing that matters to it: to compare what was and what is would miss what is changed and changed
 * back.
 *
 * Reads no content and holds no descriptor of the file. */

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
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
        sd_event_source *source;
} Place;

struct Watch {
        sd_event *event;
        char *path;
        Place places[PLACES_MAX];
        size_t n_places;
        sd_event_source *settle;
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

/* Keeps the source of the walk before, if the place was on it: nothing is missed between the two. */
static int add_place(Watch *w, Place *old, size_t n_old, const char *directory, const char *name) {
        Place *p = w->places + w->n_places, *known = find_place(old, n_old, directory, name);
        int r;

        *p = (Place){ .directory = strdup(directory), .name = strdup(name) };
        w->n_places++;
        if (!p->directory || !p->name)
                return -ENOMEM;
        if (known) {
                p->source = TAKE_PTR(known->source);
                return 0;
        }
        r = sd_event_add_inotify(w->event, &p->source, directory, EVENTS, on_event, w);
        return r == -ENOMEM ? r : 0;
}

/* Puts the link's target before what was left of the way. Returns 0, or a negative errno at the end of
 * it. */
static int follow_link(const char *directory, const char *name, char *rest, size_t rest_size,
                       bool *ret_absolute) {
        char target[PATH_MAX], link[PATH_MAX];
        _cleanup_free_ char *joined = NULL;
        ssize_t n;
        int r;

        if (snprintf(link, sizeof(link), "%s/%s", directory, name) >= (int) sizeof(link))
                return -ENAMETOOLONG;
        n = readlink(link, target, sizeof(target) - 1);
        if (n < 0)
                return -errno;
        target[n] = '\0';
        r = text_format(&joined, "%s/%s", target, rest);
        if (r < 0)
                return r;
        if (strlen(joined) >= rest_size)
                return -ENAMETOOLONG;
        memcpy(rest, joined, strlen(joined) + 1);
        *ret_absolute = target[0] == '/';
        return 0;
}

/* One step down; `at` is the directory that was reached. Returns 1 to go on, 0 at the end, or a negative
 * errno. */
static int step(Watch *w, Place *old, size_t n_old, char *at, size_t at_size, char *rest, size_t rest_size) {
        char name[NAME_MAX + 1];
        size_t n;
        bool absolute = false;
        int r;

        n = strspn(rest, "/");
        memmove(rest, rest + n, strlen(rest) - n + 1);
        n = strcspn(rest, "/");
        if (n == 0 || n > NAME_MAX)
                return 0;
        memcpy(name, rest, n);
        name[n] = '\0';
        memmove(rest, rest + n, strlen(rest) - n + 1);
        r = add_place(w, old, n_old, at[0] ? at : "/", name);
        if (r < 0)
                return r;
        r = follow_link(at, name, rest, rest_size, &absolute);
        if (r >= 0) {
                if (absolute)
                        at[0] = '\0';
                return 1;
        }
        if (r != -EINVAL || strlen(at) + n + 2 > at_size)
                return r == -ENOMEM ? r : 0;
        at += strlen(at);
        *at = '/';
        memcpy(at + 1, name, n + 1);
        return 1;
}

/* Watches each directory from the root down to the file, as far as there are any. */
static int walk(Watch *w) {
        char at[PATH_MAX] = "", rest[PATH_MAX];
        size_t n_old = w->n_places;
        Place old[PLACES_MAX];
        int r = 1;

        if (strlen(w->path) >= sizeof(rest))
                return -ENAMETOOLONG;
        memcpy(rest, w->path, strlen(w->path) + 1);
        memcpy(old, w->places, sizeof(old));
        w->n_places = 0;
        while (r > 0 && w->n_places < PLACES_MAX)
                r = step(w, old, n_old, at, sizeof(at), rest, sizeof(rest));
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
        _cleanup_(watch_freep) Watch *w = NULL;
        int r;

        w = calloc(1, sizeof(*w));
        if (!w)
                return -ENOMEM;
        w->event = sd_event_ref(event);
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
