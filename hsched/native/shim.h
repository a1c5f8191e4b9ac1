/* What the parts of the shim share; shim.c states the contract. */
#ifndef HSCHED_SHIM_H
#define HSCHED_SHIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

enum { PLAN_FD = 3, RECORD_FD = 4, FIRST_STRAY_FD = 5, LINE_FD = 5, OFFERS_FD = 6 };

enum { RECORD_SIZE = 512, LONGEST_PLAN = 65536, ANSWER_SIZE = 64 };

/* plan.c: the fields of a plan. */
struct limit {
	int number;
	struct rlimit value;
};

struct plan {
	char *bytes; /* the fields; what is below points there */
	const char *id;
	const char *cwd, *in, *out, *err; /* NULL: not given */
	const char *oom, *affinity, *cgroup;
	const char *holds, *record; /* see offer.c */
	char *shell;
	char **argv, **env; /* NULL-terminated */
	char **slots;       /* those of the environment that name slots */
	size_t argc, envc, slotc, limitc;
	struct limit *limits;
	long umask; /* -1: not given */
	long grace; /* milliseconds */
	bool append, mkdirs, leave;
	bool on_disk; /* that the job may begin is, whatever its record says */
};

int plan_read(int fd, struct plan *plan);
int plan_take(struct plan *plan, const char *bytes, size_t size);
int plan_succeed(struct plan *next, const char *bytes, size_t size, const struct plan *plan);
void plan_free(struct plan *plan);

/* command.c: what happens between fork and exec. */
struct failure {
	int error;
	char step[12];
};

void limits_know(void);
_Noreturn void command_run(const struct plan *plan, int report, int word);

/* exec.c: which file a command is. */
int exec_command(const struct plan *plan);

/* tree.c: all that descends from this process. */
struct process {
	pid_t pid, parent, group;
	char state; /* as in ps: R, S, T ... */
	unsigned long flags;
	unsigned long long start_time;
	bool ours;
};

bool process_read(pid_t pid, struct process *process);
void tree_signal(int number);
void tree_freeze(pid_t first);
void tree_terminate(pid_t first);
void tree_terminate_stopped(void);
void tree_kill(pid_t first);

/* record.c: one slot, one write. */
enum slot { STARTED, COMMAND, ENDING, MEMORY };

bool record_write(int record, enum slot slot, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool record_started(int record, const struct process *self, const char *name);
void record_know_boot(void);

/* shim.c: the whole life of a shim; one that was `forked` has a line. */
void shim_run(bool forked);
void close_from(int first);
int wait_signal(int64_t timeout);
void drop_term(void);

/* line.c: the broker's word for the first job, and for each further one. */
void line_open(void);
void line_close(void);
bool line_go(void);
bool line_is_up(void);
bool line_tell(void);
bool line_next(struct plan *plan, int *error, const struct process *self);

/* offer.c: the jobs that are next in line. */
enum taken { TOOK_NONE, TOOK_ONE, TOOK_AMISS };

void offers_open(void);
void offers_close(void);
enum taken offer_take(struct plan *plan, const struct process *self, char answer[ANSWER_SIZE]);

/* nursery.c: forks shims until the broker is gone. */
struct title {
	char *start; /* where the kernel looks for the words of this process */
	size_t size;
};

_Noreturn void nursery_run(struct title title);
void title_show(const char *words);

/* cgroup.c: best effort, and nothing at all for a NULL folder. */
bool text_write(const char *folder, const char *file, const char *text);
void cgroup_end(const char *folder);

#endif
