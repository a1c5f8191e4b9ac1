/* Between fork and exec: all that can block or fail because of the job happens here. */
#include "shim.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct child {
	const struct plan *plan;
	int report;    /* the shim reads here why the command does not start */
	bool in_cwd;   /* relative paths mean what the job means by them */
	bool err_done; /* descriptor 2 is the job's, or cannot be */
};

static int write_flags(const struct plan *plan)
{
	return O_WRONLY | O_CREAT | O_NOCTTY | O_CLOEXEC | (plan->append ? O_APPEND : O_TRUNC);
}

/* Return 0 or an errno; without a path the stream stays /dev/null. */
static int open_as(int target, const char *path, int flags)
{
	if (path == NULL)
		return 0;
	int fd = open(path, flags, 0666);
	if (fd < 0 || dup2(fd, target) < 0)
		return errno;
	close(fd);
	return 0;
}

/* Make the folders that `path` needs; what cannot be made is told by the opening. */
static void make_folders(const char *path)
{
	char *folder = path != NULL && *path != '\0' ? strdup(path) : NULL;
	if (folder == NULL)
		return;
	for (char *slash = folder; (slash = strchr(slash + 1, '/')) != NULL; *slash = '/') {
		*slash = '\0';
		mkdir(folder, 0777);
	}
	free(folder);
}

/* Say it to the shim first: the job's file may be full, or a pipe that nobody reads. */
_Noreturn static void fail(const struct child *child, const char *step, int error)
{
	const struct plan *plan = child->plan;
	struct failure failure = {.error = error};
	strncpy(failure.step, step, sizeof failure.step - 1);
	if (write(child->report, &failure, sizeof failure) < 0)
		_exit(127);
	bool reachable = plan->err != NULL && (child->in_cwd || *plan->err == '/');
	if (!child->err_done && reachable)
		open_as(2, plan->err, write_flags(plan) | O_NONBLOCK);
	const char *name = plan->shell != NULL ? plan->shell : plan->argv[0];
	dprintf(2, "hsched: cannot start %.200s: %s: %s\n", name, step, strerror(error));
	_exit(127);
}

static void need(const struct child *child, const char *step, int error)
{
	if (error != 0)
		fail(child, step, error);
}

/* One file for both is opened once, or found to be one: its lines interleave. */
static int open_err(const struct plan *plan)
{
	if (plan->out == NULL || plan->err == NULL || strcmp(plan->out, plan->err) != 0) {
		int error = open_as(2, plan->err, write_flags(plan));
		if (error != 0)
			return error;
	} else if (dup2(1, 2) < 0)
		return errno;
	struct stat out, err;
	bool known = fstat(1, &out) == 0 && fstat(2, &err) == 0;
	if (known && out.st_dev == err.st_dev && out.st_ino == err.st_ino && dup2(1, 2) < 0)
		return errno;
	return 0;
}

static rlim_t least(rlim_t a, rlim_t b)
{
	return a < b ? a : b; /* RLIM_INFINITY is the largest */
}

/* What the shim has, of its nursery, and hands down: most jobs have the limits of their broker. */
static struct rlimit inherited[RLIM_NLIMITS];

void limits_know(void)
{
	for (int number = 0; number < RLIM_NLIMITS; number++)
		getrlimit(number, &inherited[number]);
}

static bool is_inherited(int number, struct rlimit wanted)
{
	return number >= 0 && number < RLIM_NLIMITS &&
	       wanted.rlim_cur == inherited[number].rlim_cur &&
	       wanted.rlim_max == inherited[number].rlim_max;
}

/* The submitter may have had a higher limit than the broker, who cannot give it back then. */
static int set_limit(int number, struct rlimit wanted)
{
	struct rlimit have;
	if (is_inherited(number, wanted))
		return 0;
	if (setrlimit(number, &wanted) == 0)
		return 0;
	if (errno != EPERM || getrlimit(number, &have) != 0)
		return errno;
	wanted.rlim_max = least(wanted.rlim_max, have.rlim_max);
	wanted.rlim_cur = least(wanted.rlim_cur, have.rlim_max);
	return setrlimit(number, &wanted) == 0 ? 0 : errno;
}

static int set_limits(const struct plan *plan)
{
	for (size_t i = 0; i < plan->limitc; i++) {
		int error = set_limit(plan->limits[i].number, plan->limits[i].value);
		if (error != 0)
			return error;
	}
	return 0;
}

/* "0-3,5": these cores, as far as they exist; what does not read so changes nothing. */
static void set_affinity(const char *cores)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	while (cores != NULL && isdigit((unsigned char)*cores)) {
		char *end;
		long first = strtol(cores, &end, 10), last = first;
		if (*end == '-')
			last = strtol(end + 1, &end, 10);
		for (long core = first; core <= last && core < CPU_SETSIZE; core++)
			CPU_SET(core, &set);
		if (*end == '\0')
			sched_setaffinity(0, sizeof set, &set);
		cores = *end == ',' ? end + 1 : NULL;
	}
}

/* Wait for the shim's word, if there is to be one; without it the job does not begin. */
static void wait_for_word(int word)
{
	char go;
	if (word >= 0 && read(word, &go, sizeof go) != sizeof go)
		_exit(127);
}

/* Become the job's first process, and exec it once the shim says so on `word`, if that is
 * not -1.  Limits come last, so that they disturb no opening. */
_Noreturn void command_run(const struct plan *plan, int report, int word)
{
	struct child child = {.plan = plan, .report = report};
	if (plan->umask >= 0)
		umask((mode_t)plan->umask);
	if (plan->cwd != NULL && chdir(plan->cwd) != 0)
		fail(&child, "chdir", errno);
	child.in_cwd = true;
	need(&child, "in", open_as(0, plan->in, O_RDONLY | O_NOCTTY | O_CLOEXEC));
	if (plan->mkdirs) {
		make_folders(plan->out);
		make_folders(plan->err);
	}
	need(&child, "out", open_as(1, plan->out, write_flags(plan)));
	int error = open_err(plan);
	child.err_done = true;
	need(&child, "err", error);
	text_write(plan->cgroup, "cgroup.procs", "0");
	set_affinity(plan->affinity);
	need(&child, "limits", set_limits(plan));
	wait_for_word(word);
	fail(&child, "exec", exec_command(plan));
}
