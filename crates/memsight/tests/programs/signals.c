// Signals: `signals timer|own run|skip`. Prints what it allocated.
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile long in_handler, outside, handled;
static sigjmp_buf back;

static void on_timer(int signal) {
    for (int i = 0; i < 10; i++) {
        void *p = realloc(malloc(24), 48);
        in_handler += 2;
        free(p);
    }
}

static void on_signal(int signal) {
    handled++;
    if (signal == SIGSEGV || signal == SIGUSR2) siglongjmp(back, 1);
}

static int timer(void) {
    struct timespec now;
    signal(SIGALRM, on_timer);
    setitimer(ITIMER_REAL, &(struct itimerval){{0, 1000}, {0, 1000}}, NULL);
    clock_gettime(CLOCK_MONOTONIC, &now);
    time_t until = now.tv_sec + 4;
    while (now.tv_sec < until) {
        for (int i = 0; i < 1000; i++) {
            void *p = malloc(16 + i % 100);
            p = realloc(p, 200);
            outside += 2;
            free(p);
        }
        clock_gettime(CLOCK_MONOTONIC, &now);
    }
    setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);
    char text[100];
    int len = snprintf(text, sizeof text, "%ld %ld\n", outside, in_handler);
    return write(1, text, len) != len;
}

static int own(int really) {
    static char alternative[1 << 16];
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};
    sigaltstack(&(stack_t){.ss_sp = alternative, .ss_size = sizeof alternative}, NULL);
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGUSR2, &action, NULL);
    sigaction(SIGSEGV, &action, NULL);
    for (volatile int i = 0; i < 1000; i++) {
        void *volatile p = really ? malloc(100) : NULL;
        raise(SIGUSR1);
        if (sigsetjmp(back, 1) == 0) *(volatile int *)(intptr_t)(i & 8) = 1;
        if (sigsetjmp(back, 1) == 0) raise(SIGUSR2);
        free(p);
    }
    return handled != 3000;
}

int main(int argc, char **argv) {
    return strcmp(argv[1], "timer") == 0 ? timer() : own(strcmp(argv[2], "skip") != 0);
}
