/* pass.h - the passphrase that --pass points at. */
#ifndef SYMTLS_PASS_H
#define SYMTLS_PASS_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"

/* Read it from "file:F", "fd:N" (a line of each) or "env:V". False with an error of STATUS_IDENTITY. The caller wipes it. */
bool pass_read(const char *source, char *passphrase, size_t size, struct error *error);

#endif
