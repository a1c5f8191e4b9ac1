/* What a process hands on: its words, and what it has inherited. */
#include "thin.h"

#include "calls.h"

#ifndef HSCHED_BUILD
#define HSCHED_BUILD "----------------"
#endif

static const char *const SPACE_FILES[SPACES] = {
	"/proc/self/ns/mnt", "/proc/self/ns/pid",  "/proc/self/ns/user",   "/proc/self/ns/net",
	"/proc/self/ns/ipc", "/proc/self/ns/uts", "/proc/self/ns/cgroup", "/proc/self/ns/time",
};

/* Return what stands behind NAME= in the environment, or NULL. */
const char *variable(const struct command *command, const char *name)
{
	for (char **one = command->env; *one != NULL; one++)
		if (starts_with(*one, name))
			return *one + strlen(name);
	return NULL;
}

/* The kernel lays all words out one behind the other; whoever moved them gets plain Python. */
static bool walk(char **words, const char **end, uint32_t *count)
{
	for (*count = 0; words[*count] != NULL; ++*count) {
		if (words[*count] != *end)
			return false;
		*end += strlen(*end) + 1;
	}
	return true;
}

static bool gather_words(struct command *command)
{
	struct request *request = &command->request;
	const char *end = command->text = command->argv[0];
	if (!walk(command->argv, &end, &request->argc) || !walk(command->env, &end, &request->envc))
		return false;
	request->size = (uint32_t)(end - command->text);
	return true;
}

/* The kernel's sigaction begins with the handler, and SIG_IGN is 1. */
static uint64_t ignored_signals(void)
{
	uint64_t ignored = 0;
	for (int number = 1; number <= 31; number++) {
		uintptr_t action[8] = {0};
		if (CALL(SYS_rt_sigaction, number, 0, action, 8) == 0 && action[0] == 1)
			ignored |= (uint64_t)1 << (number - 1);
	}
	return ignored;
}

static bool gather_spaces(struct request *request)
{
	struct statx found;
	for (int i = 0; i < SPACES; i++)
		if (CALL(SYS_statx, AT_FDCWD, SPACE_FILES[i], 0, STATX_INO, &found) == 0)
			request->spaces[i] = found.stx_ino;
	if (CALL(SYS_statx, AT_FDCWD, "/", 0, STATX_INO, &found) != 0)
		return false;
	request->root[0] = (uint64_t)found.stx_dev_major << 32 | found.stx_dev_minor;
	request->root[1] = found.stx_ino;
	return request->spaces[0] != 0; /* else there is no /proc */
}

/* Fill in the request; false where it cannot be told in full. */
bool gather(struct command *command)
{
	struct request *request = &command->request;
	memcpy(request->magic, "hthin/1", sizeof request->magic);
	memcpy(request->build, HSCHED_BUILD, sizeof request->build);
	request->umask = (uint32_t)CALL(SYS_umask, 0);
	CALL(SYS_umask, request->umask);
	request->ignored = ignored_signals();
	CALL(SYS_rt_sigprocmask, 0, 0, &request->blocked, 8);
	for (int i = 0; i < LIMITS; i++)
		CALL(SYS_prlimit64, 0, i, 0, request->limits[i]);
	return gather_words(command) && gather_spaces(request);
}
