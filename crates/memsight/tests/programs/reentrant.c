// An allocator that signal handlers may call, unlike glibc's: linked as a
// library, it is what the hooks find behind them. Blocks come from a ring and
// are never given back, so only a few may live at a time.
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

enum { RING = 1 << 26 };
static _Alignas(16) char ring[RING];
static atomic_size_t next;

void *malloc(size_t bytes) {
    size_t whole = (bytes + 31) & ~(size_t)15;
    if (whole > RING / 64) return NULL;
    for (;;) {
        size_t at = atomic_fetch_add(&next, whole) % RING;
        if (at + whole > RING) continue;
        *(size_t *)(ring + at) = bytes;
        return ring + at + 16;
    }
}

void free(void *block) { (void)block; }

void *calloc(size_t count, size_t each) {
    void *block = malloc(count * each);
    return block ? memset(block, 0, count * each) : NULL;
}

void *realloc(void *old, size_t bytes) {
    void *block = malloc(bytes);
    if (block && old) {
        size_t before = ((size_t *)old)[-2];
        memcpy(block, old, before < bytes ? before : bytes);
    }
    return block;
}
