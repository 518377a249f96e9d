// Threads: `threads crossing|short|waves|late run|skip`.
#define _GNU_SOURCE
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 8, EACH = 100000, BOXES = 1024, SHORT = 2000, WAVE = 50 };

static int really;
static _Atomic(void *) boxes[BOXES];
static pthread_barrier_t all;

// Puts each block into a box that all share, and frees what lay in it.
static void *crossing(void *number) {
    unsigned state = (unsigned)(long)number;
    pthread_barrier_wait(&all);
    for (int i = 0; really && i < EACH; i++) {
        state = state * 1103515245 + 12345;
        free(atomic_exchange(&boxes[state >> 16 & (BOXES - 1)], malloc(i % 1000)));
    }
    pthread_barrier_wait(&all);
    return NULL;
}

static void *brief(void *number) {
    if (really) {
        void *p = malloc((long)number);
        free(malloc(7));
        return p;
    }
    return NULL;
}

static void *in_wave(void *number) {
    void *block = brief(number);
    pthread_barrier_wait(&all);
    return block;
}

static pthread_key_t key;

// Runs in the last round of destructors, after the recorder's own.
static void at_the_end(void *round) {
    if ((long)round < PTHREAD_DESTRUCTOR_ITERATIONS) pthread_setspecific(key, (char *)round + 1);
    else for (int i = 0; i < 5000; i++) free(malloc(11));
}

static void *late(void *unused) {
    free(malloc(13));
    pthread_setspecific(key, (void *)1);
    pthread_barrier_wait(&all);
    return NULL;
}

int main(int argc, char **argv) {
    pthread_t ids[WAVE];
    pthread_attr_t attributes;
    void *block;
    really = strcmp(argv[2], "skip") != 0;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 1 << 17);
    if (strcmp(argv[1], "crossing") == 0) {
        pthread_barrier_init(&all, NULL, THREADS);
        for (long i = 0; i < THREADS; i++) pthread_create(&ids[i], &attributes, crossing, (void *)i);
        for (int i = 0; i < THREADS; i++) pthread_join(ids[i], NULL);
        for (int i = 0; i < BOXES; i++) free(boxes[i]);
    } else if (strcmp(argv[1], "short") == 0) {
        for (long i = 0; i < SHORT; i++) {
            pthread_create(&ids[0], &attributes, brief, (void *)i);
            pthread_join(ids[0], &block);
            free(block);
        }
    } else if (strcmp(argv[1], "late") == 0) {
        pthread_key_create(&key, at_the_end);
        pthread_barrier_init(&all, NULL, THREADS);
        for (int wave = 0; really && wave < 20; wave++) {
            for (int i = 0; i < THREADS; i++) pthread_create(&ids[i], &attributes, late, NULL);
            for (int i = 0; i < THREADS; i++) pthread_join(ids[i], NULL);
        }
        pthread_create(&ids[0], &attributes, (void *(*)(void *))at_the_end, (void *)PTHREAD_DESTRUCTOR_ITERATIONS);
        pthread_join(ids[0], NULL);
    } else {
        pthread_barrier_init(&all, NULL, WAVE);
        for (long wave = 0; wave < SHORT / WAVE; wave++) {
            for (long i = 0; i < WAVE; i++)
                if (pthread_create(&ids[i], &attributes, in_wave, (void *)(wave * WAVE + i))) return 98;
            for (int i = 0; i < WAVE; i++) {
                pthread_join(ids[i], &block);
                free(block);
            }
        }
    }
    return 0;
}
