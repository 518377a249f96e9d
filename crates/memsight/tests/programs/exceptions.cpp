// Throws through frames that allocate: `exceptions run|skip`.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

static volatile std::size_t much = SIZE_MAX / 4;

static int deep(int depth) {
    std::unique_ptr<char[]> held(new char[100]);
    held[0] = static_cast<char>(depth);
    if (depth == 0) throw 7;
    return deep(depth - 1) + held[0];
}

int main(int, char **argv) {
    int caught = 0, refused = 0;
    try { throw 1; } catch (int) {}
    for (int i = 0; std::strcmp(argv[1], "skip") != 0 && i < 1000; i++) {
        try { deep(9); } catch (int) { caught++; }
        try { delete[] new char[much]; } catch (const std::bad_alloc &) { refused++; }
    }
    return caught != refused;
}
