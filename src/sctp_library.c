/* sctp_library.c - libusrsctp, loaded by whoever wants SCTP in UDP. */
#include "sctp_library.h"

#include <dlfcn.h>
#include <string.h>

#define LIBRARY "libusrsctp.so.2"

struct sctp_library usrsctp;

bool sctp_library_load(struct error *error)
{
    static const struct {
        const char *name;
        void *function;
    } functions[] = {
#define FUNCTION(name) {"usrsctp_" #name, &usrsctp.name},
        SCTP_LIBRARY_FUNCTIONS(FUNCTION)
#undef FUNCTION
    };
    void *handle = dlopen(LIBRARY, RTLD_NOW);

    for (size_t i = 0; handle && i < sizeof functions / sizeof *functions; i++) {
        void *symbol = dlsym(handle, functions[i].name);

        if (!symbol)
            handle = NULL;
        memcpy(functions[i].function, &symbol, sizeof symbol); /* POSIX: a function's address fits */
    }
    if (!handle)
        error_set(error, STATUS_LOCAL, "SCTP in UDP needs the library " LIBRARY " (Debian: libusrsctp2): %s", dlerror());
    return handle != NULL;
}
