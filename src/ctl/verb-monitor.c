/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* "pullauthctl monitor": how jobs stand, as long as somebody looks.
 *
 * On a terminal a picture that is drawn again when something happens and each second for the lives that run
 * out; elsewhere a line for each piece of news, as text or as JSON. Goes on over restarts of the daemon and
 * ends when it is told to, or when nobody reads it any more. */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "client/follow.h"
#include "ctl/screen.h"
#include "ctl/select.h"
#include "ctl/verb.h"

#define NEWS_MAX 64

typedef struct Monitoring {
        Ctl *ctl;
        char *const *names;
        Follow *follow;
        Screen screen;
        bool drawing; /* a screen, not lines */
        bool absent;  /* the daemon is away */
        char **news;
        sd_event_source *tick;
} Monitoring;

static void monitoring_done(Monitoring *m) {
        screen_close(&m->screen);
        sd_event_source_unref(m->tick);
        follow_free(m->follow);
        strv_free(m->news);
}

static void finish(Monitoring *m) {
        (void) sd_event_exit(m->ctl->event, 0);
}

static void fail(Monitoring *m, int error) {
        screen_close(&m->screen);
        ctl_report_local(m->ctl, error);
        finish(m);
}

static bool is_wanted(const Monitoring *m, const JobSnapshot *j) {
        return select_matches(j, m->names, m->ctl->options.registry);
}

static void draw(Monitoring *m) {
        _cleanup_free_ const JobSnapshot **jobs = NULL;
        const Snapshot *all = follow_snapshot(m->follow);
        _cleanup_free_ char *text = NULL;
        Snapshot shown = {};
        const Monitor picture = {
                .snapshot = &shown,
                .news = m->news,
                .note = m->absent ? "pullauthd is not running, waiting for it" : NULL,
                .rows = m->screen.rows,
        };
        int r;

        if (!all)
                return;
        jobs = calloc(all->n_jobs + 1, sizeof(*jobs));
        if (!jobs) {
                fail(m, -ENOMEM);
                return;
        }
        for (size_t i = 0; i < all->n_jobs; i++)
                if (is_wanted(m, all->jobs[i]))
                        jobs[shown.n_jobs++] = all->jobs[i];
        shown.jobs = (JobSnapshot **) jobs;
        r = render_monitor(&picture, &m->ctl->style, now_real(), &text);
        if (r < 0)
                fail(m, r);
        else
                screen_draw(&m->screen, text);
}

/* What many signals have changed is drawn once, behind them. */
static void want_picture(Monitoring *m) {
        if (m->drawing && m->tick)
                (void) sd_event_source_set_time_relative(m->tick, 0);
}

static int on_tick(sd_event_source *source, uint64_t usec, void *userdata) {
        Monitoring *m = userdata;

        draw(m);
        (void) sd_event_source_set_time_relative(source, USEC_PER_SEC);
        return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

/* Consumes the line. */
static void tell(Monitoring *m, int r, char *line) {
        if (r < 0) {
                fail(m, r);
                return;
        }
        if (m->drawing) {
                r = strv_consume(&m->news, line);
                if (r < 0)
                        fail(m, r);
                if (strv_length(m->news) > NEWS_MAX) {
                        free(m->news[0]);
                        memmove(m->news, m->news + 1,
                                strv_length(m->news + 1) * sizeof(char *) + sizeof(char *));
                }
                want_picture(m);
                return;
        }
        fputs(line, stdout);
        if (!endswith(line, "\n"))
                fputc('\n', stdout);
        free(line);
        if (!ctl_flush(m->ctl))
                finish(m);
}

static bool is_json(const Monitoring *m) {
        return m->ctl->options.json != JSON_OFF;
}

static void tell_json(Monitoring *m, const JsonNews *news) {
        char *line = NULL;
        int r;

        r = render_json_news(news, now_real(), &line);
        tell(m, r, line);
}

/* People want to know of a change of state; programs of everything. */
static void on_job(const JobSnapshot *j, const JobSnapshot *before, void *userdata) {
        Monitoring *m = userdata;
        char *line = NULL;
        int r;

        want_picture(m);
        if (!is_wanted(m, j))
                return;
        if (is_json(m)) {
                tell_json(m, &(JsonNews){ .event = before ? "changed" : "job", .job = j, .whole = true });
                return;
        }
        if (before ? streq(before->state, j->state) && before->enabled == j->enabled : m->drawing)
                return;
        r = render_job_line(j, &m->ctl->style, now_real(), &line);
        tell(m, r, line);
}

static void on_removed(const JobSnapshot *last, void *userdata) {
        Monitoring *m = userdata;
        char *line = NULL;
        int r;

        want_picture(m);
        if (!is_wanted(m, last))
                return;
        if (is_json(m)) {
                tell_json(m, &(JsonNews){ .event = "removed", .job = last });
                return;
        }
        r = render_note_line(last->name, "removed", &m->ctl->style, now_real(), &line);
        tell(m, r, line);
}

static void on_event(const JobEvent *event, const JobSnapshot *j, void *userdata) {
        Monitoring *m = userdata;
        char *line = NULL;
        int r;

        if (!is_wanted(m, j))
                return;
        if (is_json(m)) {
                tell_json(m, &(JsonNews){ .event = event->name, .signal = event, .job = j });
                return;
        }
        r = render_event_line(event, j->name, &m->ctl->style, now_real(), &line);
        tell(m, r, line);
}

static void tell_of_daemon(Monitoring *m, bool absent) {
        char *line = NULL;
        int r;

        m->absent = absent;
        if (is_json(m)) {
                tell_json(m, &(JsonNews){ .event = absent ? "daemon-vanished" : "daemon-appeared" });
                return;
        }
        r = render_note_line("pullauthd", absent ? "ended, waiting for it" : "is there again",
                             &m->ctl->style, now_real(), &line);
        tell(m, r, line);
}

static void on_vanished(void *userdata) {
        tell_of_daemon(userdata, /* absent= */ true);
}

static void on_appeared(void *userdata) {
        tell_of_daemon(userdata, /* absent= */ false);
}

static void on_failed(const BusProblem *problem, void *userdata) {
        Monitoring *m = userdata;

        if (m->absent)
                return;
        screen_close(&m->screen);
        ctl_report(m->ctl, problem);
        finish(m);
}

static void on_disconnected(void *userdata) {
        fail(userdata, -ECONNRESET);
}

static int on_end(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata) {
        finish(userdata);
        return 0;
}

static int on_resize(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata) {
        Monitoring *m = userdata;

        screen_measure(&m->screen);
        m->ctl->style.columns = m->screen.columns;
        want_picture(m);
        return 0;
}

/* ^Z: the terminal belongs to the shell until somebody goes on with us. */
static int on_stop(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata) {
        Monitoring *m = userdata;

        screen_close(&m->screen);
        (void) raise(SIGSTOP);
        screen_open(&m->screen);
        want_picture(m);
        return 0;
}

static int on_key(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        Monitoring *m = userdata;
        char key;
        ssize_t n = read(fd, &key, 1);

        if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
                return sd_event_source_set_enabled(source, SD_EVENT_OFF);
        if (n > 0 && (key == 'q' || key == 'Q'))
                finish(m);
        return 0;
}

static int listen_to_terminal(Monitoring *m) {
        sd_event *e = m->ctl->event;
        int r;

        screen_open(&m->screen);
        m->ctl->style.columns = m->screen.columns;
        r = sd_event_add_signal(e, NULL, SIGWINCH, on_resize, m);
        if (r >= 0)
                r = sd_event_add_signal(e, NULL, SIGTSTP, on_stop, m);
        if (r >= 0 && m->screen.keys)
                r = sd_event_add_io(e, NULL, STDIN_FILENO, EPOLLIN, on_key, m);
        if (r >= 0)
                r = sd_event_add_time_relative(e, &m->tick, CLOCK_BOOTTIME, 0, /* accuracy= */ 1, on_tick,
                                               m);
        return r;
}

static int listen(Monitoring *m) {
        const FollowObserver observer = {
                .job = on_job,
                .removed = on_removed,
                .event = on_event,
                .vanished = on_vanished,
                .appeared = on_appeared,
                .failed = on_failed,
                .disconnected = on_disconnected,
                .userdata = m,
        };
        sigset_t mine;
        int r;

        sigemptyset(&mine);
        sigaddset(&mine, SIGINT);
        sigaddset(&mine, SIGTERM);
        sigaddset(&mine, SIGWINCH);
        sigaddset(&mine, SIGTSTP);
        if (sigprocmask(SIG_BLOCK, &mine, NULL) < 0)
                return -errno;
        r = sd_event_add_signal(m->ctl->event, NULL, SIGINT, on_end, m);
        if (r >= 0)
                r = sd_event_add_signal(m->ctl->event, NULL, SIGTERM, on_end, m);
        if (r >= 0)
                r = follow_new(m->ctl->client, &observer, &m->follow);
        return r;
}

/* Names that mean nothing are told of before anything is drawn. */
static bool names_mean_something(Ctl *ctl, char *const *names) {
        _cleanup_free_ const JobSnapshot **jobs = NULL;
        _cleanup_(snapshot_freep) Snapshot *s = NULL;
        size_t n = 0;

        if (!names[0] && !ctl->options.registry)
                return true;
        return ctl_get_all(ctl, &s) >= 0 && select_jobs(ctl, s, names, &jobs, &n) >= 0 && n > 0;
}

void verb_monitor(Ctl *ctl, char *const *arguments) {
        _cleanup_(monitoring_done) Monitoring m = { .ctl = ctl, .names = arguments };
        int r;

        if (ctl_connect(ctl) < 0 || !names_mean_something(ctl, arguments))
                return;
        m.drawing = ctl->options.json == JSON_OFF && screen_is_possible();
        r = listen(&m);
        while (r >= 0 && !follow_is_complete(m.follow) && ctl->status == STATUS_OK)
                r = sd_event_run(ctl->event, UINT64_MAX);
        if (r >= 0 && m.drawing && ctl->status == STATUS_OK)
                r = listen_to_terminal(&m);
        if (r >= 0 && sd_event_get_state(ctl->event) != SD_EVENT_FINISHED)
                r = sd_event_loop(ctl->event);
        if (r < 0)
                fail(&m, r);
}
