/* text.h - strings from outside made fit for a terminal, and the texts of addresses, pins and durations. */
#ifndef SYMTLS_TEXT_H
#define SYMTLS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Write `length` bytes into `text` (always terminated) as valid UTF-8 that moves no cursor: control characters,
 * those that change the direction of writing, the backslash, and whatever is no UTF-8 appear as \xNN, byte by byte. What does
 * not fit is cut off with "..." in its place. */
void text_escape(char *text, size_t size, const void *bytes, size_t length);

/* "500ms", "10s", "2m", "1h", "1.5s"; a bare number is seconds. Milliseconds into *ms. False when it is none of these, or
 * more than 24 days. */
bool text_duration(const char *text, int *ms);

/* A whole number of the largest unit that divides it. Returns `text`. */
#define TEXT_DURATION_SIZE 16
const char *text_from_duration(char text[TEXT_DURATION_SIZE], int ms);

/* A pin is the SHA-256 of a SubjectPublicKeyInfo, "pin-sha256:" and base64 (as in RFC 7469 section 2.4). */
#define TEXT_PIN_SIZE 56 /* with the terminating zero */
#define TEXT_PIN_HASH 32
void text_from_pin(char text[TEXT_PIN_SIZE], const uint8_t hash[TEXT_PIN_HASH]);

/* Read a pin in that form or in curl's (sha256//BASE64), and write it in the first. False: it is none. */
bool text_pin(const char *pin, char text[TEXT_PIN_SIZE]);

#endif
