/* The kernel's own numbers and structures, which its headers give to everybody.
 *
 * Where the C library has other ones under the same names (sigset_t, struct stat), it is
 * the kernel's that are wanted, because it is the kernel that is called.
 */
#ifndef HSCHED_CALLS_H
#define HSCHED_CALLS_H

#include <linux/fcntl.h>
#include <linux/stat.h>
#include <stddef.h>

#ifdef HSCHED_LIBC
#include <string.h>
#else
void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memset(void *to, int byte, size_t size);
int memcmp(const void *left, const void *right, size_t size);
size_t strlen(const char *text);
#endif

#include <sys/syscall.h>

long kernel_call(long number, long a, long b, long c, long d, long e);

/* A call with up to five arguments; a negative result is a negative errno. */
#define CALL_FIVE(number, a, b, c, d, e, ...) \
	kernel_call(number, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e))
#define CALL(...) CALL_FIVE(__VA_ARGS__, 0, 0, 0, 0, 0, 0)

#endif
