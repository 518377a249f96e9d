/* What stable Rust cannot say: room on the stack of a size that is not known
   before, and variadic functions. The members of the exec family that take their
   arguments one by one make an array of them and go on in Rust. */
#include <stdarg.h>
#include <stddef.h>

int memsight_exec_array(const char *path, const char *const *args, const char *const *environment, int search);

void memsight_with_room(size_t words, void (*use)(void *room, void *context), void *context)
{
    void *room[words];
    use(room, context);
}

#define COLLECT(first)                                                         \
    va_list list;                                                              \
    size_t count = 1;                                                          \
    va_start(list, first);                                                     \
    while (va_arg(list, const char *) != NULL)                                 \
        count++;                                                               \
    va_end(list);                                                              \
    const char *args[count + 1];                                               \
    va_start(list, first);                                                     \
    args[0] = first;                                                           \
    for (size_t i = 1; i <= count; i++)                                        \
        args[i] = va_arg(list, const char *);

int memsight_execl(const char *path, const char *arg, ...)
{
    COLLECT(arg)
    va_end(list);
    return memsight_exec_array(path, args, NULL, 0);
}

int memsight_execlp(const char *file, const char *arg, ...)
{
    COLLECT(arg)
    va_end(list);
    return memsight_exec_array(file, args, NULL, 1);
}

int memsight_execle(const char *path, const char *arg, ...)
{
    COLLECT(arg)
    const char *const *environment = va_arg(list, const char *const *);
    va_end(list);
    return memsight_exec_array(path, args, environment, 0);
}
