// Cases that allocate known sizes: `counts CASE run|skip`.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096
#define must(condition) do { if (!(condition)) _exit(100 + __LINE__ % 100); } while (0)

void *volatile kept;
static volatile size_t much = SIZE_MAX / 2;

static void case_malloc(void) {
    char *p = malloc(100);
    kept = malloc(0);
    free(p);
    free(NULL);
}

static void case_failed(void) {
    errno = 0;
    must(!malloc(much) && errno == ENOMEM);
    must(!calloc(much, 3));
    must(!memalign(64, much) && !aligned_alloc(64, much & ~63ul) && !valloc(much) && !pvalloc(much));
    void *p = (void *)1;
    must(posix_memalign(&p, 3, 8) == EINVAL && posix_memalign(&p, 64, much) == ENOMEM && p == (void *)1);
    must(!reallocarray(NULL, much, 4));
}

static void case_calloc(void) {
    char *p = calloc(10, 7);
    for (int i = 0; i < 70; i++) must(p[i] == 0);
    free(p);
}

static void case_realloc(void) {
    char *p = realloc(NULL, 50);
    strcpy(p, "stays");
    p = realloc(p, 500000);
    p = realloc(p, 20);
    must(strcmp(p, "stays") == 0);
    free(p);
}

static void case_realloc_zero(void) {
    void *p = malloc(33);
    must(realloc(p, 0) == NULL);
}

static void case_realloc_failed(void) {
    char *p = malloc(77);
    strcpy(p, "stays");
    errno = 0;
    must(realloc(p, much) == NULL && errno == ENOMEM);
    must(strcmp(p, "stays") == 0);
    free(p);
}

static void case_reallocarray(void) {
    void *p = reallocarray(NULL, 10, 10);
    p = reallocarray(p, 20, 10);
    errno = 0;
    must(reallocarray(p, much, 4) == NULL && errno == ENOMEM);
    free(p);
}

static void case_aligned(void) {
    void *p[5];
    size_t bytes[] = {100, 200, 256, 300, 400}, alignments[] = {64, 128, 64, PAGE, PAGE};
    p[0] = memalign(64, 100);
    must(posix_memalign(&p[1], 128, 200) == 0);
    p[2] = aligned_alloc(64, 256);
    p[3] = valloc(300);
    p[4] = pvalloc(400);
    for (int i = 0; i < 5; i++) {
        must(p[i] && (uintptr_t)p[i] % alignments[i] == 0 && malloc_usable_size(p[i]) >= bytes[i]);
        memset(p[i], 1, bytes[i]);
        free(p[i]);
    }
}

static void case_sized(void) {
    void (*sized)(void *, size_t) = dlsym(RTLD_DEFAULT, "free_sized");
    void (*aligned)(void *, size_t, size_t) = dlsym(RTLD_DEFAULT, "free_aligned_sized");
    void (*old)(void *) = dlsym(RTLD_DEFAULT, "cfree");
    must(sized && aligned && old);
    sized(malloc(500), 500);
    aligned(aligned_alloc(64, 640), 64, 640);
    old(malloc(70));
    sized(NULL, 0);
    aligned(NULL, 8, 0);
}

static void case_inside_libc(void) { free(strdup("hello")); }

static void case_huge(void) {
    char *p = malloc(5ul << 30), *q = calloc(1ul << 20, 6ul << 10);
    must(p && q);
    p[0] = 1;
    p = realloc(p, 7ul << 30);
    must(p && p[0] == 1);
    free(p);
    free(q);
}

static void case_errno(void) {
    for (int i = 0; i < 100000; i++) {
        errno = 12345;
        void *p = malloc(i);
        must(errno == 12345);
        p = realloc(p, i + 1);
        must(errno == 12345);
        free(p);
        must(errno == 12345);
    }
}

static char *map(size_t bytes, int protection, int flags, int file) {
    char *p = mmap(NULL, bytes, protection, flags, file, 0);
    must(p != MAP_FAILED);
    return p;
}

static char *pages(int count) {
    return map(count * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

static void case_map(void) {
    char *p = map(3 * PAGE + 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    must(munmap(p, 3 * PAGE + 1) == 0);
    must(mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
}

static void case_map_uncounted(void) {
    char *none = map(10 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    char *shared = map(10 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1);
    int file = open("/proc/self/exe", O_RDONLY);
    char *of_file = map(PAGE, PROT_READ, MAP_PRIVATE, file);
    must(munmap(none, 10 * PAGE) == 0 && munmap(shared, 10 * PAGE) == 0);
    must(munmap(of_file, PAGE) == 0 && close(file) == 0);
    must(munmap((void *)1, PAGE) == -1);
}

static void case_map_file_kept(void) {
    kept = map(PAGE, PROT_READ, MAP_PRIVATE, open("/proc/self/exe", O_RDONLY));
}

static void case_unmap_middle(void) { must(munmap(pages(8) + 3 * PAGE, 2 * PAGE) == 0); }

static void case_unmap_parts(void) {
    char *p = pages(8);
    must(munmap(p + 3 * PAGE, 2 * PAGE) == 0);
    must(munmap(p, 3 * PAGE) == 0);
    must(munmap(p, 8 * PAGE) == 0);
    must(munmap(p, 8 * PAGE) == 0);
}

static void case_remap(void) {
    char *p = pages(4);
    p[0] = 7;
    p = mremap(p, 4 * PAGE, 800 * PAGE, MREMAP_MAYMOVE);
    must(p != MAP_FAILED && p[0] == 7);
    p = mremap(p, 800 * PAGE, 2 * PAGE, 0);
    must(p != MAP_FAILED && p[0] == 7);
    must(munmap(p, 2 * PAGE) == 0);
}

static void case_remap_onto(void) {
    char *from = pages(4), *onto = pages(4);
    from[0] = 7;
    must(mremap(from, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, onto) == onto && onto[0] == 7);
}

static void case_remap_failed(void) {
    char *p = pages(4);
    must(munmap(p, 4 * PAGE) == 0);
    must(mremap(p, 4 * PAGE, 8 * PAGE, MREMAP_MAYMOVE) == MAP_FAILED);
    p = pages(2);
    must(mremap(p, 2 * PAGE, much & ~4095ul, MREMAP_MAYMOVE) == MAP_FAILED);
    must(munmap(p, 2 * PAGE) == 0);
}

static void case_map_over(void) {
    char *p = pages(6);
    must(mmap(p + PAGE, 2 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == p + PAGE);
}

static void case_map_over_refused(void) {
    char *p = pages(6);
    must(mmap(p, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED);
}

#define CASE(name) {#name, case_##name}
static const struct { const char *name; void (*run)(void); } cases[] = {
    CASE(malloc), CASE(failed), CASE(calloc), CASE(realloc), CASE(realloc_zero), CASE(realloc_failed),
    CASE(reallocarray), CASE(aligned), CASE(sized), CASE(inside_libc), CASE(huge), CASE(errno), CASE(map),
    CASE(map_uncounted), CASE(map_file_kept), CASE(unmap_middle), CASE(unmap_parts), CASE(remap),
    CASE(remap_onto), CASE(remap_failed), CASE(map_over), CASE(map_over_refused),
};

int main(int argc, char **argv) {
    must(argc == 3);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (strcmp(argv[1], cases[i].name) == 0) {
            if (strcmp(argv[2], "skip") != 0) cases[i].run();
            return 0;
        }
    return 99;
}
