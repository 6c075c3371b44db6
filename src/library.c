/* library.c - a library that is loaded when it is asked for. */
#include "library.h"

#include <dlfcn.h>
#include <string.h>

const char *library_load(const char *name, const struct library_function *functions, size_t count)
{
    void *handle = dlopen(name, RTLD_NOW);

    if (!handle)
        return dlerror();
    for (size_t i = 0; i < count; i++) {
        void *symbol = dlsym(handle, functions[i].name);

        if (!symbol)
            return dlerror();
        memcpy(functions[i].pointer, &symbol, sizeof symbol); /* POSIX: a function's address fits */
    }
    return NULL;
}
