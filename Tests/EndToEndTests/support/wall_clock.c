// A wall clock that a test sets: loaded before a program, it answers in the C library's place what time of day it is.
// WALL_CLOCK_FILE names a file of eight bytes, the seconds since 1970 in this machine's byte order; it is mapped once and read
// by one load at every look at the clock, so that no thread ever sees another time than the one that stands there. (libfaketime
// reads a text file into memory that its threads share, and shows the machine's own time to one look in some thousands.)
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const _Atomic long long *hands;
static int (*machine_clock_gettime)(clockid_t, struct timespec *);

static void stop(const char *what) {
    perror(what);
    _exit(70);
}

__attribute__((constructor)) static void open_clock(void) {
    if (hands) return;
    machine_clock_gettime = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    const char *name = getenv("WALL_CLOCK_FILE");
    int file = open(name ? name : "", O_RDONLY | O_CLOEXEC);
    if (file < 0) stop("WALL_CLOCK_FILE");
    void *mapped = mmap(NULL, sizeof *hands, PROT_READ, MAP_SHARED, file, 0);
    if (mapped == MAP_FAILED) stop("mmap of WALL_CLOCK_FILE");
    close(file);
    hands = mapped;
}

// Another library's constructor may look at the clock before ours has run.
static time_t now(void) {
    if (!hands) open_clock();
    return (time_t)atomic_load(hands);
}

int clock_gettime(clockid_t id, struct timespec *result) {
    time_t seconds = now();
    if (id != CLOCK_REALTIME && id != CLOCK_REALTIME_COARSE) return machine_clock_gettime(id, result);
    *result = (struct timespec){.tv_sec = seconds};
    return 0;
}

int gettimeofday(struct timeval *restrict result, void *restrict zone) {
    (void)zone;
    *result = (struct timeval){.tv_sec = now()};
    return 0;
}

time_t time(time_t *result) {
    time_t seconds = now();
    if (result) *result = seconds;
    return seconds;
}
