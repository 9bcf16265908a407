/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a process can do by itself against its memory being read: it owns nothing and can be called again
 * at any time. It refuses to rely on the unit file saying the same (LimitCORE=), for tests and
 * administrators start the programs by hand. Locking pages is left out: secrets live for an hour, swap is
 * the administrator's choice, and RLIMIT_MEMLOCK would become one more thing that can fail. */

#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/process-guard.h"

int process_guard(void) {
        const struct rlimit none = {};

        /* Not dumpable makes /proc/PID belong to root for others. The checks behind /proc/self/fd are
         * made against the process itself, which always passes them (proc_pid_fd(5)). */
        if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
                return -errno;
        /* For programs we might start: the flag above ends with execve(2), the limit does not. */
        if (setrlimit(RLIMIT_CORE, &none) < 0)
                return -errno;
        return 0;
}
