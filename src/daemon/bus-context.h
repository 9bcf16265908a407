/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the objects on the bus have in common, and what their tables get as userdata. */

#include "daemon/manager.h"
#include "daemon/pod-exchange.h"
#include "daemon/unit-reload.h"
#include "io/authorize.h"
#include "io/waiting.h"

#define BUS_NAME "org.pullauth1"
#define BUS_PATH "/org/pullauth1"
#define BUS_JOB_PREFIX "/org/pullauth1/job"

typedef struct BusObserver {
        void (*named)(void *userdata);              /* the name is ours, callers can come */
        void (*reload)(bool begin, void *userdata); /* around a reload that a caller asked for */
        void *userdata;
} BusObserver;

typedef struct BusContext {
        Manager *manager;
        PodExchanges *pods;
        UnitReloads *reloads;
        Callers *callers; /* this and what follows is of the present connection */
        Waiting *waiting;
        Authorizer *authorizer;
        BusObserver observer;
} BusContext;
