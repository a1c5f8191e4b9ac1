/* What the parts of the thin client share; thin.c states the contract. */
#ifndef HSCHED_THIN_H
#define HSCHED_THIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SPACES = 8, LIMITS = 16, STREAMS = 3 };

/* The head of a request, which hsched/warm/request.py reads; then come the words of argv
 * and of the environment, each with its NUL. */
struct request {
	char magic[8];
	char build[16];
	uint32_t size, argc, envc, umask;
	uint64_t ignored, blocked; /* signals, bit N-1 for signal N */
	uint64_t spaces[SPACES]; /* inodes of the namespaces, 0 where the kernel has none */
	uint64_t root[2]; /* device and inode of the root folder */
	uint64_t limits[LIMITS][2];
};

/* What comes back: READY brings a pidfd along. */
enum kind { REFUSED, READY, STATUS, WAIT_STATUS };

struct reply {
	int32_t kind, value;
};

struct command {
	char **argv, **env;
	const char *text; /* the words of argv and environment, one behind the other */
	struct request request;
};

/* plain.c: whether only Python itself will do. */
bool plain_only(const struct command *command);

/* gather.c: what this process is. */
const char *variable(const struct command *command, const char *name);
bool gather(struct command *command);

/* link.c: the warm process. */
int link_open(const struct command *command);
bool link_send(int link, const struct command *command);
bool link_begin(int link);
bool link_receive(int link, struct reply *reply, int *descriptor);

/* No exit status: only Python itself can do it. */
enum { BE_PYTHON = -1 };

/* proxy.c: being there for a command that runs elsewhere. */
int proxy(int link, int child, const struct request *request);

/* text.c */
bool starts_with(const char *text, const char *head);
bool contains(const char *text, const char *part);
size_t append(char *to, size_t size, size_t length, const char *text);
void say(const char *text);

#endif
