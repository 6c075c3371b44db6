/* fuzzing.h - what the fuzz targets share. */
#ifndef SYMTLS_TEST_FUZZING_H
#define SYMTLS_TEST_FUZZING_H

#include "role.h"

/* Each target is one of these. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* assert() that NDEBUG does not silence. */
void must(int truth);

/* Any configuration: each bit pattern is one. */
struct role_config config_of(uint8_t bits);

/* A refusal has its reason, exit status and story. */
void check_refusal(const struct role_stream *stream);

#endif
