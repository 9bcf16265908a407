/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The table of methods: what each is called, takes, needs and answers.
 *
 * The signature is the order in which the arguments are put into a message, so that a method more is a row
 * more. Sends nothing. */

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "client/method.h"
#include "client/name.h"

#define PATIENCE (25 * USEC_PER_SEC)
/* Waits for the network itself: a token of the host, or a whole attempt. */
#define PATIENCE_NETWORK (2 * USEC_PER_MINUTE)

/* Less than kubelet waits for a plugin. */
#define PATIENCE_PULL (50 * USEC_PER_SEC)

#define REFRESH "org.pullauth1.refresh"
#define MANAGE "org.pullauth1.manage-jobs"
#define READ "org.pullauth1.read-credential"

static const struct {
        const char *member;
        const char *takes;  /* signature */
        const char *action; /* polkit */
        usec_t patience;
        int (*read)(Answer *a, sd_bus_message *m); /* NULL: what it answers does not matter */
} methods[_CLIENT_METHOD_MAX] = {
        [METHOD_CHANGE_JOB] = { "ChangeJob", "sa{sv}t", MANAGE, PATIENCE, NULL },
        [METHOD_CREATE_JOB] = { "CreateJob", "sa{sv}t", MANAGE, PATIENCE, NULL },
        [METHOD_DISABLE_JOB] = { "DisableJob", "st", MANAGE, PATIENCE, NULL },
        [METHOD_ENABLE_JOB] = { "EnableJob", "st", MANAGE, PATIENCE, NULL },
        [METHOD_EXCHANGE_TOKEN] = { "ExchangeToken", "ssh", READ, PATIENCE_PULL,
                                    answer_read_image_credential },
        [METHOD_EXPLAIN_IDENTITY] = { "ExplainIdentity", "s", REFRESH, PATIENCE_NETWORK,
                                      answer_read_claims },
        [METHOD_GET_CREDENTIAL] = { "GetCredential", "s", READ, PATIENCE, answer_read_credential },
        [METHOD_GET_CREDENTIAL_FOR_IMAGE] = { "GetCredentialForImage", "s", READ, PATIENCE,
                                              answer_read_image_credential },
        [METHOD_GET_CREDENTIAL_FOR_REGISTRY] = { "GetCredentialForRegistry", "s", READ, PATIENCE,
                                                 answer_read_image_credential },
        [METHOD_GET_METRICS] = { "GetMetrics", "", NULL, PATIENCE, answer_read_text },
        [METHOD_LIST_REGISTRIES] = { "ListRegistries", "", NULL, PATIENCE, answer_read_registries },
        [METHOD_REFRESH_ALL] = { "RefreshAll", "", REFRESH, PATIENCE, answer_read_attempts },
        [METHOD_REFRESH_JOB] = { "RefreshJob", "s", REFRESH, PATIENCE, answer_read_attempts },
        [METHOD_REFRESH_REGISTRY] = { "RefreshRegistry", "s", REFRESH, PATIENCE, answer_read_attempts },
        [METHOD_RELOAD] = { "Reload", "", "org.pullauth1.reload", PATIENCE, answer_read_messages },
        [METHOD_REMOVE_JOB] = { "RemoveJob", "s", MANAGE, PATIENCE, NULL },
        [METHOD_RENDER_TARGET] = { "RenderTarget", "s", READ, PATIENCE, answer_read_text },
        [METHOD_RESET_FAILED] = { "ResetFailed", "", REFRESH, PATIENCE, NULL },
        [METHOD_RESET_FAILED_JOB] = { "ResetFailedJob", "s", REFRESH, PATIENCE, NULL },
        [METHOD_TEST_JOB] = { "TestJob", "s", REFRESH, PATIENCE_NETWORK, answer_read_test },
        [METHOD_WAIT_JOBS] = { "WaitJobs", "ast", NULL, PATIENCE, answer_read_awaited },
};

void job_settings_done(JobSettings *l) {
        for (size_t i = 0; i < l->n_items; i++) {
                free(l->items[i].string);
                strv_free(l->items[i].strings);
        }
        free(l->items);
        *l = (JobSettings){};
}

const char *client_method_action(ClientMethod method) {
        return methods[method].action;
}

usec_t client_method_patience(ClientMethod method, const ClientArguments *arguments) {
        usec_t waits = method == METHOD_WAIT_JOBS && arguments ? arguments->number : 0;

        return usec_add(methods[method].patience, waits);
}

static int append_setting(sd_bus_message *m, const JobSetting *s) {
        switch (s->kind) {
        case PROPERTY_STRING:
        case PROPERTY_LINES:
                return sd_bus_message_append(m, "{sv}", s->key, "s", strempty(s->string));
        case PROPERTY_BOOL:
                return sd_bus_message_append(m, "{sv}", s->key, "b", (int) s->number);
        case PROPERTY_SPAN:
                return sd_bus_message_append(m, "{sv}", s->key, "t", s->number);
        case PROPERTY_STRINGS: {
                int r = sd_bus_message_open_container(m, 'e', "sv");

                if (r >= 0)
                        r = sd_bus_message_append_basic(m, 's', s->key);
                if (r >= 0)
                        r = sd_bus_message_open_container(m, 'v', "as");
                if (r >= 0)
                        r = sd_bus_message_append_strv(m, s->strings);
                if (r >= 0)
                        r = sd_bus_message_close_container(m);
                return r < 0 ? r : sd_bus_message_close_container(m);
        }
        case PROPERTY_U32:
        case PROPERTY_U64:
        case PROPERTY_I64:
        case PROPERTY_TIME:
        case PROPERTY_ROWS:
        case _PROPERTY_KIND_MAX:
        case _PROPERTY_KIND_INVALID:
                break;
        }
        return -EINVAL;
}

static int append_settings(sd_bus_message *m, const JobSettings *l) {
        int r;

        r = sd_bus_message_open_container(m, 'a', "{sv}");
        for (size_t i = 0; l && i < l->n_items && r >= 0; i++)
                r = append_setting(m, l->items + i);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

int client_method_message(ClientMethod method, sd_bus *bus, const ClientArguments *arguments,
                          sd_bus_message **ret) {
        static const ClientArguments none = {};
        const ClientArguments *a = arguments ?: &none;
        const char *takes = methods[method].takes, *string = a->name;
        sd_bus_message *m = NULL;
        int r;

        r = sd_bus_message_new_method_call(bus, &m, CLIENT_DESTINATION, CLIENT_ROOT_PATH,
                                           CLIENT_MANAGER_INTERFACE, methods[method].member);
        while (r >= 0 && *takes) {
                if (*takes == 's') {
                        r = sd_bus_message_append_basic(m, 's', strempty(string));
                        string = a->robot;
                } else if (*takes == 'h')
                        r = sd_bus_message_append_basic(m, 'h', &a->fd);
                else if (*takes == 't')
                        r = sd_bus_message_append_basic(m, 't', &a->number);
                else if (startswith(takes, "as"))
                        r = sd_bus_message_append_strv(m, (char **) a->names);
                else
                        r = append_settings(m, a->settings);
                takes += *takes != 'a' ? 1 : startswith(takes, "as") ? 2 : strlen("a{sv}");
        }
        if (r < 0) {
                sd_bus_message_unref(m);
                return r;
        }
        *ret = m;
        return 0;
}

int client_method_read(ClientMethod method, Answer *answer, sd_bus_message *m) {
        return methods[method].read ? methods[method].read(answer, m) : 0;
}
