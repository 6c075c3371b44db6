/* library.h - a library that is loaded when it is asked for: to link it would cost every start its loading. */
#ifndef SYMTLS_LIBRARY_H
#define SYMTLS_LIBRARY_H

#include <stddef.h>

/* A function of the library, and the pointer that is to lead to it. */
struct library_function {
    const char *name;
    void *pointer; /* to the pointer to a function */
};

/* Load the library of that name, such as "libusrsctp.so.2", for good. Returns NULL when all the functions are there; else why not,
 * in the linker's words, which hold until the next call, and nothing may be called. */
const char *library_load(const char *name, const struct library_function *functions, size_t count);

#endif
