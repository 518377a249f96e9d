// Starts other programs in awkward ways: `starts CASE`. Ends with 0 if all went as it does unrecorded.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;
#define must(condition) do { if (!(condition)) _exit(100 + __LINE__ % 100); } while (0)

static int ended_with(pid_t child) {
    int status = -1;
    must(child > 0 && waitpid(child, &status, 0) == child);
    return status;
}

static void *from_a_small_stack(void *unused) {
    char *arguments[] = {"true", NULL};
    pid_t child;
    must(posix_spawn(&child, "/bin/true", NULL, NULL, arguments, environ) == 0);
    must(ended_with(child) == 0);
    child = fork();
    if (child == 0) execv("/bin/true", arguments);
    must(ended_with(child) == 0);
    return NULL;
}

static void small_stack(void) {
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    must(pthread_attr_setstacksize(&attributes, 32 << 10) == 0);
    must(pthread_create(&thread, &attributes, from_a_small_stack, NULL) == 0);
    pthread_join(thread, NULL);
}

static void *call_system(void *command) {
    must(system(command) == 0);
    return NULL;
}

static void is_as_it_was(char **before, int count) {
    must(getenv("HERE") && !strcmp(getenv("HERE"), "yes"));
    must(!getenv("LD_PRELOAD") && !getenv("MEMSIGHT_RUN") && !getenv("MEMSIGHT_CAPTURE"));
    int now = 0;
    for (char **variable = environ; *variable; variable++, now++) must(strchr(*variable, '='));
    must(now == count && (!before || environ == before));
}

static void overlapping(void) {
    pthread_t first, second;
    setenv("HERE", "yes", 1);
    char **before = environ;
    int count = 0;
    while (environ[count]) count++;
    pthread_create(&first, NULL, call_system, "test $HERE && sleep 0.2");
    usleep(100000);
    pthread_create(&second, NULL, call_system, "test $HERE && sleep 0.3");
    pthread_join(first, NULL);
    FILE *pipe = popen("test $HERE", "r");
    must(pipe && pclose(pipe) == 0);
    pthread_join(second, NULL);
    is_as_it_was(before, count);
    // Changed meanwhile, by a copy of what is there at that moment.
    pthread_create(&first, NULL, call_system, "test $HERE && sleep 0.2");
    usleep(100000);
    must(setenv("MORE", "1", 1) == 0);
    pthread_join(first, NULL);
    is_as_it_was(NULL, count + 1);
}

static volatile int forks;

static void on_timer(int signal) {
    int number = errno;
    pid_t child = fork();
    if (child == 0) _exit(0);
    must(ended_with(child) == 0);
    forks++;
    errno = number;
}

static void fork_in_handler(void) {
    signal(SIGALRM, on_timer);
    setitimer(ITIMER_REAL, &(struct itimerval){{0, 2000}, {0, 2000}}, NULL);
    while (forks < 300) {
        void *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        must(map != MAP_FAILED && munmap(map, 4096) == 0);
    }
    setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);
}

static void map_in_handler(int signal) {
    int number = errno;
    void *map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    must(map != MAP_FAILED && munmap(map, 8192) == 0);
    errno = number;
}

static void *allocate_for_ever(void *unused) {
    static _Atomic(void *) shared[64];
    for (unsigned i = 0;; i++) free(__atomic_exchange_n((void **)&shared[i % 64], malloc(i * 7919 % 2000), __ATOMIC_ACQ_REL));
}

// `fork` waits for the allocator, whose thread is in a handler that maps memory.
static void map_while_forking(void) {
    pthread_t thread;
    for (int i = 0; i < 6; i++) pthread_create(&thread, NULL, allocate_for_ever, NULL);
    sigaction(SIGALRM, &(struct sigaction){.sa_handler = map_in_handler, .sa_flags = SA_RESTART}, NULL);
    setitimer(ITIMER_REAL, &(struct itimerval){{0, 300}, {0, 300}}, NULL);
    for (int i = 0; i < 300; i++) {
        pid_t child = fork();
        if (child == 0) _Exit(0);
        int status = -1;
        while (waitpid(child, &status, 0) < 0) must(errno == EINTR);
        must(status == 0);
    }
    setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);
}

static void (*sized)(void *, size_t);

static void *free_for_ever(void *unused) {
    for (;;) sized(malloc(10), 10);
}

static void fork_while_others_free(void) {
    pthread_t thread;
    sized = dlsym(RTLD_DEFAULT, "free_sized");
    for (int i = 0; sized && i < 3; i++) pthread_create(&thread, NULL, free_for_ever, NULL);
    for (int i = 0; sized && i < 200; i++) {
        pid_t child = fork();
        for (int k = 0; child == 0 && k < 10; k++) sized(malloc(10), 10);
        if (child == 0) _exit(0);
        must(ended_with(child) == 0);
    }
}

static pthread_barrier_t all;

static void *grow(void *unused) {
    pthread_barrier_wait(&all);
    for (int i = 0; i < 3000; i++) free(malloc(10));
    return NULL;
}

// Children that end while another of their threads has them recorded.
static void end_while_it_begins(void) {
    for (int number = 0; number < 100; number++) {
        pid_t child = fork();
        if (child == 0) {
            pthread_t thread;
            pthread_barrier_init(&all, NULL, 4);
            for (int i = 0; i < 3; i++) pthread_create(&thread, NULL, grow, NULL);
            pthread_barrier_wait(&all);
            for (int i = 0; i < number * 20; i++) free(malloc(10));
            _exit(0);
        }
        must(ended_with(child) == 0);
    }
}

// Waits for all children of a program that adopts those of its children.
static void adopts(char **argv) {
    if (strcmp(argv[2], "again")) {
        must(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0);
        execl("/proc/self/exe", argv[0], "adopts", "again", NULL);
    }
    int still = 0;
    must(prctl(PR_GET_CHILD_SUBREAPER, &still, 0, 0, 0) == 0 && still == 1);
    if (fork() == 0) _exit(0);
    while (wait(NULL) > 0) {}
    must(errno == ECHILD);
}

int main(int argc, char **argv) {
    must(argc == 3);
    if (!strcmp(argv[1], "small_stack")) small_stack();
    if (!strcmp(argv[1], "overlapping")) overlapping();
    if (!strcmp(argv[1], "fork_in_handler")) fork_in_handler();
    if (!strcmp(argv[1], "fork_while_others_free")) fork_while_others_free();
    if (!strcmp(argv[1], "end_while_it_begins")) end_while_it_begins();
    if (!strcmp(argv[1], "map_while_forking")) map_while_forking();
    if (!strcmp(argv[1], "adopts")) adopts(argv);
    exit(0);
}
