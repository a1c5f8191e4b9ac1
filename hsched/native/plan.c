/* The plan: NUL-terminated fields "key=value", the first of them "plan=1". */
#include "shim.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int read_whole(int fd, char *bytes, size_t *size)
{
	size_t room = *size;
	for (*size = 0; *size < room;) {
		ssize_t got = pread(fd, bytes + *size, room - *size, (off_t)*size);
		if (got < 0)
			return errno;
		if (got == 0)
			break;
		*size += (size_t)got;
	}
	return 0;
}

/* "NUMBER:SOFT:HARD", with -1 for infinity. */
static void take_limit(struct plan *plan, char *value)
{
	struct limit *limit = &plan->limits[plan->limitc++];
	limit->number = (int)strtol(value, &value, 10);
	value += *value == ':';
	limit->value.rlim_cur = (rlim_t)strtoll(value, &value, 10);
	value += *value == ':';
	limit->value.rlim_max = (rlim_t)strtoll(value, &value, 10);
}

/* A key that a newer broker has invented is passed over. */
static void take(struct plan *plan, const char *key, char *value)
{
	if (strcmp(key, "id") == 0)
		plan->id = value;
	else if (strcmp(key, "env") == 0)
		plan->env[plan->envc++] = value;
	else if (strcmp(key, "slot") == 0)
		plan->slots[plan->slotc++] = value;
	else if (strcmp(key, "arg") == 0)
		plan->argv[plan->argc++] = value;
	else if (strcmp(key, "limit") == 0)
		take_limit(plan, value);
	else if (strcmp(key, "shell") == 0)
		plan->shell = value;
	else if (strcmp(key, "cwd") == 0)
		plan->cwd = value;
	else if (strcmp(key, "in") == 0)
		plan->in = value;
	else if (strcmp(key, "out") == 0)
		plan->out = value;
	else if (strcmp(key, "err") == 0)
		plan->err = value;
	else if (strcmp(key, "umask") == 0)
		plan->umask = strtol(value, NULL, 8);
	else if (strcmp(key, "grace") == 0)
		plan->grace = strtol(value, NULL, 10);
	else if (strcmp(key, "append") == 0)
		plan->append = strcmp(value, "1") == 0;
	else if (strcmp(key, "mkdirs") == 0)
		plan->mkdirs = strcmp(value, "1") == 0;
	else if (strcmp(key, "leave") == 0)
		plan->leave = strcmp(value, "1") == 0;
	else if (strcmp(key, "oom") == 0)
		plan->oom = value;
	else if (strcmp(key, "affinity") == 0)
		plan->affinity = value;
	else if (strcmp(key, "cgroup") == 0)
		plan->cgroup = value;
	else if (strcmp(key, "holds") == 0)
		plan->holds = value;
	else if (strcmp(key, "record") == 0)
		plan->record = value;
	else if (strcmp(key, "promised") == 0)
		plan->on_disk = strcmp(value, "1") == 0;
}

static bool has_variable(const struct plan *plan, const char *variable)
{
	size_t length = strcspn(variable, "=") + 1;
	for (size_t i = 0; i < plan->envc; i++)
		if (strncmp(plan->env[i], variable, length) == 0)
			return true;
	return false;
}

/* Let the job know its slots, but for what the user has set. */
static void name_slots(struct plan *plan)
{
	for (size_t i = 0; i < plan->slotc; i++)
		if (!has_variable(plan, plan->slots[i]))
			plan->env[plan->envc++] = plan->slots[i];
}

static size_t count_fields(const char *bytes, size_t size)
{
	size_t fields = 0;
	for (size_t i = 0; i < size; i++)
		fields += bytes[i] == '\0';
	return fields;
}

/* Make sense of plan->bytes, which end in no more than these; return 0 or an errno. */
static int parse(struct plan *plan, size_t size)
{
	if (size == 0 || plan->bytes[size - 1] != '\0' || strcmp(plan->bytes, "plan=1") != 0)
		return EINVAL;
	size_t fields = count_fields(plan->bytes, size);
	plan->argv = calloc(fields + 1, sizeof *plan->argv);
	plan->env = calloc(fields + 1, sizeof *plan->env);
	plan->slots = calloc(fields + 1, sizeof *plan->slots);
	plan->limits = calloc(fields + 1, sizeof *plan->limits);
	if (plan->argv == NULL || plan->env == NULL || plan->slots == NULL ||
	    plan->limits == NULL)
		return ENOMEM;
	for (char *field = plan->bytes, *next; field < plan->bytes + size; field = next) {
		next = field + strlen(field) + 1;
		char *equals = strchr(field, '=');
		if (equals == NULL)
			continue;
		*equals = '\0';
		take(plan, field, equals + 1);
	}
	name_slots(plan);
	plan->on_disk |= plan->record == NULL;
	return plan->argc == 0 && plan->shell == NULL ? EINVAL : 0;
}

/* Begin a plan with room for so many bytes; false if there is none. */
static bool begin(struct plan *plan, size_t size)
{
	*plan = (struct plan){.id = "", .umask = -1, .grace = 5000};
	plan->bytes = malloc(size + 1);
	return plan->bytes != NULL;
}

/* Fill `plan` from the file `fd`; return 0 or an errno. */
int plan_read(int fd, struct plan *plan)
{
	struct stat file = {0};
	bool known = fstat(fd, &file) == 0;
	if (!begin(plan, (size_t)file.st_size) || !known)
		return known ? ENOMEM : errno;
	size_t size = (size_t)file.st_size;
	int error = read_whole(fd, plan->bytes, &size);
	return error != 0 ? error : parse(plan, size);
}

/* Fill `plan` from bytes, which are copied; return 0 or an errno. */
int plan_take(struct plan *plan, const char *bytes, size_t size)
{
	if (!begin(plan, size))
		return ENOMEM;
	memcpy(plan->bytes, bytes, size);
	return parse(plan, size);
}

/* Fill `next` from bytes and the slots of `plan`; return 0 or an errno. */
int plan_succeed(struct plan *next, const char *bytes, size_t size, const struct plan *plan)
{
	size_t whole = size;
	for (size_t i = 0; i < plan->slotc; i++)
		whole += strlen("slot=") + strlen(plan->slots[i]) + 1;
	if (!begin(next, whole))
		return ENOMEM;
	memcpy(next->bytes, bytes, size);
	char *end = next->bytes + size;
	for (size_t i = 0; i < plan->slotc; i++)
		end = stpcpy(stpcpy(end, "slot="), plan->slots[i]) + 1;
	return parse(next, whole);
}

void plan_free(struct plan *plan)
{
	free(plan->bytes);
	free(plan->argv);
	free(plan->env);
	free(plan->slots);
	free(plan->limits);
}
