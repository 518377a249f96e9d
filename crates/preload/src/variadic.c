/* The members of the exec family that take their arguments one by one. Stable
   Rust cannot define variadic functions; these make an array and go on there. */
#include <stdarg.h>
#include <stddef.h>

int memsight_exec_array(const char *path, const char *const *args, const char *const *environment, int search);

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
