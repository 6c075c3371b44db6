/* sctp_library.c - libusrsctp, loaded by whoever wants SCTP in UDP. */
#include "sctp_library.h"
#include "library.h"

#define LIBRARY "libusrsctp.so.2"

struct sctp_library usrsctp;

bool sctp_library_load(struct error *error)
{
    static const struct library_function functions[] = {
#define FUNCTION(name) {"usrsctp_" #name, &usrsctp.name},
        SCTP_LIBRARY_FUNCTIONS(FUNCTION)
#undef FUNCTION
    };
    const char *reason = library_load(LIBRARY, functions, sizeof functions / sizeof *functions);

    if (reason)
        error_set(error, STATUS_LOCAL, "SCTP in UDP needs the library " LIBRARY " (Debian: libusrsctp2): %s", reason);
    return !reason;
}
