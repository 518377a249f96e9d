// Allocates where a process or a thread ends: `endings CASE run|skip`.
#define _GNU_SOURCE
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int really;
static pthread_key_t key;
void *volatile kept;

static void allocate(size_t bytes, int keep) {
    if (!really) return;
    kept = malloc(bytes);
    if (!keep) free(kept);
}

static void at_exit_1(void) { allocate(1000, 1); }
static void at_exit_2(void) { allocate(300, 0); }
__attribute__((destructor)) static void destructor(void) { allocate(20, 0); }

// Puts itself off as often as the C library lets it.
static void key_ends(void *round) {
    allocate(111, 0);
    if ((long)round < 4) pthread_setspecific(key, (void *)((long)round + 1));
}

static void *thread(void *block) {
    pthread_setspecific(key, (void *)1);
    allocate(1000, 0);
    if (really) free(block);
    return NULL;
}

static void *exits(void *unused) {
    allocate(55, 1);
    exit(0);
}

int main(int argc, char **argv) {
    const char *what = argv[1];
    really = argc == 3 && strcmp(argv[2], "skip") != 0;
    if (strcmp(what, "return") == 0) {
        atexit(at_exit_1), atexit(at_exit_2);
        return 0;
    }
    if (strcmp(what, "_exit") == 0) {
        atexit(at_exit_1);
        allocate(40, 1);
        _exit(0);
    }
    if (strcmp(what, "quick_exit") == 0) {
        at_quick_exit(at_exit_1), at_quick_exit(at_exit_2), atexit(at_exit_1);
        allocate(40, 1);
        quick_exit(0);
    }
    if (strcmp(what, "system_call") == 0) {
        allocate(40, 1);
        syscall(SYS_exit_group, 0);
    }
    if (strcmp(what, "abort") == 0) {
        allocate(40, 1);
        abort();
    }
    if (strcmp(what, "other_thread") == 0) {
        pthread_t id;
        pthread_create(&id, NULL, exits, NULL);
        for (;;) pause();
    }
    if (strcmp(what, "main_thread_first") == 0) {
        pthread_t id;
        pthread_key_create(&key, key_ends);
        pthread_create(&id, NULL, thread, really ? malloc(10) : NULL);
        pthread_exit(NULL);
    }
    if (strcmp(what, "key") == 0) {
        pthread_key_create(&key, key_ends);
        for (int i = 0; i < 5; i++) {
            pthread_t id;
            pthread_create(&id, NULL, thread, really ? malloc(10) : NULL);
            pthread_join(id, NULL);
        }
        return 0;
    }
    return 99;
}
