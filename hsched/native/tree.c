/* The tree: all that descends from this process.
 *
 * The shim is a child subreaper, so whoever forks, however often, stays below it;
 * parents are read from /proc.  A reading is not one moment: what forks or ends
 * meanwhile may be missed.  So whoever must have everything asks again until
 * there is nothing new, and a signal is sent to whole process groups, which the
 * kernel does at one moment.  A group that is not the shim's own belongs to the
 * tree alone, since the job starts in a session of its own.
 */
#include "shim.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROUNDS = 200, NEWEST = 16 };

struct table {
	struct process *at; /* by pid, ascending */
	size_t size, room;
};

/* Fill `process` from /proc/PID/stat; false if there is no such process. */
bool process_read(pid_t pid, struct process *process)
{
	char path[32], text[1024];
	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ssize_t size = read(fd, text, sizeof text - 1);
	close(fd);
	text[size < 0 ? 0 : size] = '\0';
	const char *name_end = strrchr(text, ')'); /* a name may hold anything */
	*process = (struct process){.pid = pid};
	return name_end != NULL &&
	       sscanf(name_end,
	              ") %c %d %d %*d %*d %*d %lu %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
	              &process->state, &process->parent, &process->group, &process->flags,
	              &process->start_time) == 5;
}

static int by_pid(const void *a, const void *b)
{
	pid_t left = ((const struct process *)a)->pid, right = ((const struct process *)b)->pid;
	return (left > right) - (left < right);
}

static bool append(struct table *table, pid_t pid)
{
	if (table->size == table->room) {
		size_t room = 2 * table->room + 256;
		struct process *at = realloc(table->at, room * sizeof *at);
		if (at == NULL)
			return false;
		table->at = at;
		table->room = room;
	}
	table->at[table->size++] = (struct process){.pid = pid};
	return true;
}

/* The pids alone: a look at each comes later, and as late as can be. */
static void list_processes(struct table *table)
{
	table->size = 0;
	DIR *folder = opendir("/proc");
	if (folder == NULL)
		return;
	for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
		if (isdigit((unsigned char)*entry->d_name) && !append(table, atoi(entry->d_name)))
			break;
	closedir(folder);
	if (table->size > 0)
		qsort(table->at, table->size, sizeof *table->at, by_pid);
}

static bool has(const struct table *table, pid_t pid)
{
	struct process key = {.pid = pid}, *found = NULL;
	if (table->size > 0)
		found = bsearch(&key, table->at, table->size, sizeof key, by_pid);
	return found != NULL && found->ours;
}

/* `last` is the group that was struck last: most of a tree is in one. */
static void strike(const struct process *process, int number, pid_t *last)
{
	bool whole_groups = number == SIGSTOP || number == SIGKILL;
	if (whole_groups && process->group != *last && process->group != getpgrp())
		kill(-process->group, number);
	*last = process->group;
	kill(process->pid, number);
}

/* Look at a process; return whether it turns out to be of the tree. */
static bool visit(struct table *now, struct process *process, const struct table *before)
{
	if (process->ours || (process->parent == 0 && !process_read(process->pid, process)))
		return false;
	process->ours = process->parent == getpid() || has(now, process->parent) ||
	                has(before, process->parent);
	return process->ours;
}

/* Find the tree, and send `number` to what was not in `before`; return how many got it.
 *
 * The newest are looked at first, and each is struck at sight: it may be about
 * to fork and end.  Then parents mostly come before children, so a second look
 * at all, or a third, finds the rest.
 */
static size_t sweep(struct table *now, const struct table *before, int number)
{
	size_t struck = 0, first, found;
	pid_t last = 0;
	list_processes(now);
	first = now->size > NEWEST ? now->size - NEWEST : 0;
	do {
		found = 0;
		for (size_t i = first; i < now->size; i++) {
			struct process *process = &now->at[i];
			if (!visit(now, process, before))
				continue;
			found++;
			if (has(before, process->pid))
				continue;
			strike(process, number, &last);
			struck++;
		}
		found += first;
		first = 0;
	} while (found > 0);
	return struck;
}

/* Sweep until nothing new appears, or for so long that the caller should look again. */
static void strike_all(int number)
{
	struct table now = {0}, before = {0}, spare;
	for (int round = 0; round < ROUNDS; round++) {
		if (sweep(&now, &before, number) == 0)
			break;
		spare = before;
		before = now;
		now = spare;
	}
	free(now.at);
	free(before.at);
}

/* Send `number` once to each process of the tree. */
void tree_signal(int number)
{
	struct table now = {0}, none = {0};
	sweep(&now, &none, number);
	free(now.at);
}

/* Stop the whole tree, so that nothing in it can fork.
 *
 * `first` is the first process, or 0 once it has been reaped.  Most jobs are one
 * group, its own: so a bomb is stopped before it can keep the shim from looking.
 */
void tree_freeze(pid_t first)
{
	if (first > 0)
		kill(-first, SIGSTOP);
	strike_all(SIGSTOP);
}

/* TERM to all of it at one moment: what it starts in answer, to save its work, gets none. */
void tree_terminate(pid_t first)
{
	struct table now = {0}, none = {0};
	tree_freeze(first);
	sweep(&now, &none, SIGTERM);
	for (size_t i = 0; i < now.size; i++)
		if (now.at[i].ours)
			kill(now.at[i].pid, SIGCONT);
	free(now.at);
}

/* TERM to what is stopped.  A process that was being forked while its tree was frozen is born
 * stopped (Linux copies signals to whole groups to it: `delayed` in kernel/fork.c), and was
 * not there to be told.  Who stopped himself after TERM is told once more. */
void tree_terminate_stopped(void)
{
	struct table now = {0}, none = {0};
	sweep(&now, &none, 0);
	for (size_t i = 0; i < now.size; i++)
		if (now.at[i].ours && now.at[i].state == 'T') {
			kill(now.at[i].pid, SIGTERM);
			kill(now.at[i].pid, SIGCONT);
		}
	free(now.at);
}

void tree_kill(pid_t first)
{
	tree_freeze(first);
	strike_all(SIGKILL);
}
