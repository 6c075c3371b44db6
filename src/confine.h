/* confine.h - give up every right that there is to give up: for a process that reads bytes from anybody. */
#ifndef SYMTLS_CONFINE_H
#define SYMTLS_CONFINE_H

#include <stdbool.h>

/* From here on this process (one thread as yet) is nobody if it was root; gains no rights and writes no files; and as far as
 * the kernel has Landlock it opens no file but /dev/urandom, starts no program, looks into no other process, signals none, and
 * makes no TCP connection. What is open stays open. False: something of that was refused, and it has to end. */
bool confine(void);

/* The version of Landlock that the kernel has: files from 1 on, signals from 6 on; less than 1: none. */
int confine_landlock(void);

#endif
