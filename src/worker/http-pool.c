/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Http objects by what they trust and which proxy they use; connections are never shared beyond that.
 *
 * Owns the objects, lends them out and counts who has them. One that nobody uses is kept for a moment, since
 * the requests of a batch come in waves, and then goes with its connections. Knows a configuration by its
 * hash, so that certificates are not kept twice. */

#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/text.h"
#include "worker/http-pool.h"

/* How long nobody needs a configuration before it goes. */
#define KEEP (1 * USEC_PER_SEC)

typedef struct Entry Entry;
struct Entry {
        Entry *next;
        uint8_t key[HASH_SIZE];
        Http *http;
        unsigned n_users;
        usec_t until; /* CLOCK_BOOTTIME; it may go then, unless it has users */
};

struct HttpPool {
        sd_event *event;
        Entry *entries;
        sd_event_source *sweep;
};

static void entry_free(Entry *e) {
        http_free(e->http);
        free(e);
}

/* Lets go of what nobody needed for long enough. Returns when to do so again, or 0. */
static usec_t sweep(HttpPool *p) {
        usec_t now = now_boot(), next = 0;

        for (Entry **e = &p->entries; *e;) {
                Entry *found = *e;

                if (found->n_users > 0 || found->until > now) {
                        if (found->n_users == 0 && (next == 0 || found->until < next))
                                next = found->until;
                        e = &found->next;
                        continue;
                }
                *e = found->next;
                entry_free(found);
        }
        return next;
}

static int on_sweep(sd_event_source *source, uint64_t usec, void *userdata) {
        usec_t next = sweep(userdata);

        if (next == 0)
                return 0;
        (void) sd_event_source_set_time(source, next);
        return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static void sweep_later(HttpPool *p) {
        int enabled;

        if (sd_event_source_get_enabled(p->sweep, &enabled) >= 0 && enabled != SD_EVENT_OFF)
                return;
        (void) sd_event_source_set_time_relative(p->sweep, KEEP);
        (void) sd_event_source_set_enabled(p->sweep, SD_EVENT_ONESHOT);
}

int http_pool_new(sd_event *event, HttpPool **ret) {
        _cleanup_(http_pool_freep) HttpPool *p = NULL;
        int r;

        p = calloc(1, sizeof(*p));
        if (!p)
                return -ENOMEM;
        p->event = sd_event_ref(event);
        r = sd_event_add_time_relative(event, &p->sweep, CLOCK_BOOTTIME, KEEP, KEEP / 8, on_sweep, p);
        if (r >= 0)
                r = sd_event_source_set_enabled(p->sweep, SD_EVENT_OFF);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(p);
        return 0;
}

HttpPool *http_pool_free(HttpPool *p) {
        if (!p)
                return NULL;
        while (p->entries) {
                Entry *e = p->entries;

                p->entries = e->next;
                entry_free(e);
        }
        sd_event_source_disable_unref(p->sweep);
        sd_event_unref(p->event);
        free(p);
        return NULL;
}

/* Host's store and given certificates differ by one part more, so that neither can look like the other. */
static void key_of(const HttpTrust *trust, uint8_t ret[static HASH_SIZE]) {
        struct iovec certificate = secret_peek(trust->certificate), key = secret_peek(trust->key);
        const HashPart parts[] = {
                { &trust->way, sizeof(trust->way) },
                { strempty(trust->socket), strlen(strempty(trust->socket)) },
                { strempty(trust->proxy), strlen(strempty(trust->proxy)) },
                { certificate.iov_base, certificate.iov_len },
                { key.iov_base, key.iov_len },
                { trust->ca, trust->ca_size },
        };

        hash_parts(parts, ELEMENTSOF(parts) - (trust->ca ? 0 : 1), ret);
}

static Entry *find(HttpPool *p, const uint8_t key[static HASH_SIZE]) {
        Entry *e = p->entries;

        while (e && memcmp(e->key, key, HASH_SIZE) != 0)
                e = e->next;
        return e;
}

static int add(HttpPool *p, const HttpTrust *trust, const uint8_t key[static HASH_SIZE], Entry **ret) {
        Entry *e;
        int r;

        e = calloc(1, sizeof(*e));
        if (!e)
                return -ENOMEM;
        r = http_new(p->event, trust, &e->http);
        if (r < 0) {
                free(e);
                return r;
        }
        (void) memcpy(e->key, key, HASH_SIZE);
        e->next = p->entries;
        p->entries = e;
        *ret = e;
        return 0;
}

int http_pool_take(HttpPool *p, const HttpTrust *trust, Http **ret) {
        uint8_t key[HASH_SIZE];
        Entry *e;
        int r;

        /* After a suspend the timer may come later than who asks. */
        (void) sweep(p);
        key_of(trust, key);
        e = find(p, key);
        if (!e) {
                r = add(p, trust, key, &e);
                if (r < 0)
                        return r;
        }
        e->n_users++;
        *ret = e->http;
        return 0;
}

Http *http_pool_give_back(HttpPool *p, Http *h) {
        for (Entry *e = p->entries; h && e; e = e->next) {
                if (e->http != h)
                        continue;
                e->until = now_boot() + KEEP;
                if (--e->n_users == 0)
                        sweep_later(p);
                break;
        }
        return NULL;
}

bool http_pool_is_empty(const HttpPool *p) {
        return !p->entries;
}
