/* hsched-shim: holds one job, and ends only when nothing of it is left.
 *
 * The broker spawns `hsched-shim ID`, best with all signals blocked, with
 *   0, 1, 2  /dev/null
 *   3        the plan, a file to be read from offset 0 to its end
 *   4        the record, a file of 512 NUL bytes open for reading and writing,
 *            on which the broker has taken flock(LOCK_EX).  The shim alone
 *            keeps it open: a held lock is the proof that a shim lives.
 * All others are closed.  The contract has version 1 and is spoken by every
 * released broker and shim; shim.py is the same program in Python.
 *
 * THE PLAN is a sequence of NUL-terminated fields `key=value`, values raw bytes:
 *   plan=1                   version, the first field
 *   id=7                     what the list of processes shows
 *   cwd=PATH                 other relative paths start there
 *   umask=022                octal
 *   limit=NUMBER:SOFT:HARD   an RLIMIT, -1 is infinity; repeated
 *   in=PATH out=PATH err=PATH   /dev/null when missing; one path for both is opened once
 *   append=1                 O_APPEND, not O_TRUNC
 *   mkdirs=1                 make missing folders of out and err
 *   grace=MILLISECONDS       between TERM and KILL, 5000 when missing; 0: KILL at once
 *   leave=1                  leave what the first process leaves
 *   oom=NUMBER               oom_score_adj of job and shim, best effort
 *   affinity=0-3,5           cores, best effort
 *   cgroup=PATH              a cgroup v2 folder for this job alone, best effort
 *   arg=WORD                 the command, repeated; or
 *   shell=LINE               /bin/sh -c LINE
 *   env=NAME=VALUE           repeated; nothing else is in the environment
 * Unknown keys are passed over.  Without version 1 or a command: EINVAL.
 *
 * THE RECORD is a line of text at each of four offsets, written with one pwrite:
 *   0    started v1 PID STARTTIME BOOTID [NAME]   this shim; before the fork.  NAME is
 *                                            that of the record, for an offer (offer.c)
 *   128  command PID STARTTIME               the first process; after its exec, unless it
 *                                            has exited by then
 *        choosing                            the job is over, the next may begin (offer.c)
 *   192  exited STATUS CPU_US MAXRSS_KB ENDED_AT_US LEFT
 *        signalled NUMBER CPU_US MAXRSS_KB ENDED_AT_US LEFT
 *        spawnfailed ERRNO STEP              plan fork record chdir in out err limits exec
 *   448  memory PEAK_KB                      of the whole tree, from its cgroup
 * LEFT: 0 nothing was left, 1 something was and has been ended, 2 something was
 * and was left; `-` until that is known.  CPU_US is all that was waited for.
 *
 * SIGNALS.  TERM: end the tree (TERM and CONT to all of it, KILL after grace).
 * 33+n: send n to each process of the tree once; n=9: KILL until nothing is
 * left; n=19: stop all.  Every other signal is ignored.  What can block is done
 * by the child, so these work while the job's working folder hangs.
 *
 * THE END.  When the first process has ended, what is left of the tree gets
 * TERM, CONT and after grace KILL; what is found stopped meanwhile gets TERM and
 * CONT.  Orphans come to the shim, so "no child" is "no tree", and wait() says so
 * without a look at /proc.
 */
#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	SIGNAL_BASE = 33,        /* 33+n asks for n */
	FORKED_NOT_EXECED = 0x40, /* PF_FORKNOEXEC in /proc/PID/stat */
	FIRST_PAUSE = 10,        /* milliseconds between two looks at a tree that will not die */
	LONGEST_PAUSE = 1000,
	FIRST_LOOK = 20,         /* milliseconds from TERM to a look for what did not get it ... */
	LATER_LOOKS = 3,         /* ... and each further one so many times later */
	USUAL_START = 5,         /* milliseconds from a fork to its exec: most need less */
};

enum phase { RUNNING, TERMINATING, KILLING };

struct job {
	const struct plan *plan;
	pid_t first;            /* 0 once it is reaped */
	int status;             /* of the first process */
	int64_t ended_at;       /* microseconds since the epoch */
	int report;             /* the child's word; -1 once it is read */
	bool reminds;           /* news of the child's word raise SIGIO */
	struct failure failure; /* .error is 0 if the command was started */
	int64_t cpu;            /* microseconds, of all that was waited for */
	long largest;           /* KiB, of the largest process */
	bool left;              /* the first process has left something */
	enum phase phase;
	int64_t deadline;       /* of the phase, in milliseconds */
	int64_t pause;
	int64_t look;           /* when to look for what did not get TERM, in milliseconds */
};

static int64_t now_in(clockid_t clock, int64_t units)
{
	struct timespec time;
	clock_gettime(clock, &time);
	return time.tv_sec * units + time.tv_nsec / (1000000000 / units);
}

static int64_t now_ms(void)
{
	return now_in(CLOCK_MONOTONIC, 1000);
}

/* Straight to the kernel: C libraries keep some real-time signals for themselves. */
static void block_signals(uint64_t mask)
{
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, sizeof mask);
}

/* Wait for any signal; return its number, or -1 when `timeout` (-1: none) has passed. */
int wait_signal(int64_t timeout)
{
	uint64_t all = ~UINT64_C(0);
	struct timespec time = {timeout / 1000, timeout % 1000 * 1000000};
	return (int)syscall(SYS_rt_sigtimedwait, &all, NULL, timeout < 0 ? NULL : &time, sizeof all);
}

/* Forget that TERM has come, if it has. */
void drop_term(void)
{
	uint64_t term = UINT64_C(1) << (SIGTERM - 1);
	struct timespec now = {0};
	syscall(SYS_rt_sigtimedwait, &term, NULL, &now, sizeof term);
}

static void record_failure(int error, const char *step)
{
	record_write(RECORD_FD, ENDING, "spawnfailed %d %s\n", error, step);
}

static void record_ending(const struct job *job, char left)
{
	if (job->failure.error != 0) {
		record_failure(job->failure.error, job->failure.step);
		return;
	}
	bool exited = WIFEXITED(job->status);
	record_write(RECORD_FD, ENDING, "%s %d %lld %ld %lld %c\n", exited ? "exited" : "signalled",
	             exited ? WEXITSTATUS(job->status) : WTERMSIG(job->status), (long long)job->cpu,
	             job->largest, (long long)job->ended_at, left);
}

/* Close what the broker did not mean to give. */
void close_from(int first)
{
	long error = -1;
#ifdef SYS_close_range
	error = syscall(SYS_close_range, first, ~0U, 0);
#endif
	for (int fd = first; error != 0 && fd < 65536; fd++)
		close(fd);
}

/* Keep what is the shim's own from the job, and nothing else. */
static void tidy_descriptors(int first_stray)
{
	close_from(first_stray);
	fcntl(PLAN_FD, F_SETFD, FD_CLOEXEC);
	fcntl(RECORD_FD, F_SETFD, FD_CLOEXEC);
}

/* All signals blocked and with their default action, which the child inherits. */
static void tidy_signals(void)
{
	block_signals(~UINT64_C(0));
	for (int number = 1; number <= 64; number++)
		signal(number, SIG_DFL);
}

/* Let the child exec once the record is on disk: nothing else says there that it begins. */
static void give_word(struct job *job, int word)
{
	if (fdatasync(RECORD_FD) != 0)
		job->failure = (struct failure){errno, "record"};
	else if (write(word, "g", 1) < 0)
		return; /* it has failed already, and said so */
}

/* The kernel shall take a job before the broker.  The child inherits it, so that it is said
 * once a shim and not once a job; a shim is smaller than what it holds, which goes first. */
static void be_taken_first(const char *score)
{
	static char said[16];
	if (score == NULL || strncmp(said, score, sizeof said) == 0)
		return;
	text_write("/proc/self", "oom_score_adj", score);
	strncpy(said, score, sizeof said - 1);
}

/* Fork the child; return 0 or an errno.  One whose start is on disk need not wait for it. */
static int start(struct job *job)
{
	int ends[2], word[2] = {-1, -1};
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
		return errno;
	if (!job->plan->on_disk && pipe2(word, O_CLOEXEC) != 0)
		return errno;
	be_taken_first(job->plan->oom);
	job->first = fork();
	if (job->first < 0)
		return errno;
	if (job->first == 0) {
		close(word[1]);
		close(RECORD_FD);
		line_close();
		offers_close();
		setsid();
		block_signals(0);
		command_run(job->plan, ends[1], word[0]);
	}
	close(ends[1]);
	if (word[1] >= 0) {
		close(word[0]);
		give_word(job, word[1]);
		close(word[1]);
	}
	job->report = ends[0];
	return 0;
}

/* Read the child's word, if it has one; return whether it is the silence of an exec, or of
 * a death before it. */
static bool report_is_silence(struct job *job)
{
	if (job->report < 0)
		return false;
	ssize_t size = read(job->report, &job->failure, sizeof job->failure);
	if (size < 0 && errno == EAGAIN)
		return false;
	close(job->report);
	job->report = -1;
	return size == 0;
}

static void read_report(struct job *job)
{
	struct process first;
	bool known = report_is_silence(job) && process_read(job->first, &first);
	if (known && (first.flags & FORKED_NOT_EXECED) == 0)
		record_write(RECORD_FD, COMMAND, "command %d %llu\n", (int)first.pid, first.start_time);
}

/* Have news of the child's word raise SIGIO. */
static void remind(struct job *job)
{
	if (job->report < 0 || job->reminds)
		return;
	fcntl(job->report, F_SETOWN, getpid());
	fcntl(job->report, F_SETFL, O_ASYNC | O_NONBLOCK);
	job->reminds = true;
}

/* Reap one process, and add up what it and its own children have used. */
static int reap_one(struct job *job, pid_t pid)
{
	int status = 0;
	struct rusage used = {0};
	wait4(pid, &status, __WALL, &used);
	int64_t seconds = (int64_t)used.ru_utime.tv_sec + used.ru_stime.tv_sec;
	job->cpu += seconds * 1000000 + used.ru_utime.tv_usec + used.ru_stime.tv_usec;
	job->largest = used.ru_maxrss > job->largest ? used.ru_maxrss : job->largest;
	return status;
}

/* Reap all that has ended; return whether no process is left. */
static bool reap(struct job *job)
{
	for (;;) {
		siginfo_t ended = {0};
		if (waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT | __WALL) != 0)
			return errno == ECHILD;
		if (ended.si_pid == 0)
			return false;
		if (ended.si_pid != job->first) {
			reap_one(job, ended.si_pid);
			continue;
		}
		/* Where the first process is over, nobody needs its line in the record; and it was
		 * there if it has exited.  A look at /proc is dear beside a brief job. */
		if (ended.si_code == CLD_EXITED)
			report_is_silence(job);
		else
			read_report(job);
		job->status = reap_one(job, job->first);
		job->ended_at = now_in(CLOCK_REALTIME, 1000000);
		job->first = 0;
	}
}

static void start_killing(struct job *job)
{
	job->phase = KILLING;
	job->pause = FIRST_PAUSE;
	job->deadline = 0;
}

static void look_later(struct job *job, int64_t pause)
{
	job->pause = pause;
	job->look = now_ms() + pause;
}

/* Without a grace nobody could answer to TERM, so there is none. */
static void terminate(struct job *job)
{
	if (job->phase == RUNNING && job->plan->grace == 0) {
		start_killing(job);
		return;
	}
	if (job->phase == RUNNING) {
		job->phase = TERMINATING;
		job->deadline = now_ms() + job->plan->grace;
	}
	tree_terminate(job->first);
	if (job->phase == TERMINATING)
		look_later(job, FIRST_LOOK);
}

/* Tell those of the end that were not there when the others were told. */
static void look_again(struct job *job)
{
	if (job->phase != TERMINATING || now_ms() < job->look)
		return;
	tree_terminate_stopped();
	look_later(job, job->pause * LATER_LOOKS);
}

/* Kill in ever longer intervals: what then lives on is in the kernel's hands. */
static void kill_tree(struct job *job)
{
	text_write(job->plan->cgroup, "cgroup.kill", "1");
	tree_kill(job->first);
	job->deadline = now_ms() + job->pause;
	job->pause = job->pause * 2 < LONGEST_PAUSE ? job->pause * 2 : LONGEST_PAUSE;
}

static void act(struct job *job, int number)
{
	int asked = number - SIGNAL_BASE;
	if (number == SIGTERM)
		terminate(job);
	else if (asked == SIGKILL)
		start_killing(job);
	else if (asked == SIGSTOP) {
		tree_freeze(job->first);
		job->look = INT64_MAX; /* it shall stay stopped */
	} else if (asked >= 1 && asked <= 31)
		tree_signal(asked);
}

static int64_t left_until(int64_t moment)
{
	int64_t left = moment - now_ms();
	return left > 0 ? left : 0;
}

static int64_t time_left(const struct job *job)
{
	if (job->phase == RUNNING)
		return -1;
	return left_until(job->deadline);
}

static int64_t least(int64_t left, int64_t other)
{
	return left < 0 || left > other ? other : left;
}

/* How long to wait for a signal.  The exec raises none at first: a shim that wakes up
 * for it takes time from the command, and a short one is over before that is of use. */
static int64_t patience(const struct job *job)
{
	int64_t left = time_left(job);
	if (job->phase == TERMINATING)
		left = least(left, left_until(job->look));
	bool soon = job->report >= 0 && !job->reminds;
	return soon ? least(left, USUAL_START) : left;
}

/* Note that the first process has left something; return whether that may stay. */
static bool leave(struct job *job)
{
	job->left = true;
	if (job->plan->leave && job->phase == RUNNING)
		return true;
	record_ending(job, '-');
	if (job->phase == RUNNING)
		terminate(job);
	return false;
}

/* Hold the job until nothing of it is left, or what is left may stay: then return false. */
static bool hold(struct job *job)
{
	while (!reap(job)) {
		if (job->first == 0 && !job->left && leave(job)) {
			record_ending(job, '2');
			return false;
		}
		read_report(job);
		if (time_left(job) == 0) {
			if (job->phase == TERMINATING)
				start_killing(job);
			kill_tree(job);
		}
		look_again(job);
		int number = wait_signal(patience(job));
		if (number < 0)
			remind(job);
		else
			act(job, number);
	}
	cgroup_end(job->plan->cgroup);
	record_ending(job, job->left ? '1' : '0');
	return true;
}

/* Run one job; return whether nothing of it is left, and this shim may hold another. */
static bool run_job(const struct plan *plan, int plan_error)
{
	struct job job = {.plan = plan, .report = -1};
	if (plan_error != 0) {
		record_failure(plan_error, "plan");
		return false;
	}
	int error = start(&job);
	line_tell();
	if (error != 0) {
		record_failure(error, "fork");
		return false;
	}
	return hold(&job);
}

void shim_run(bool forked)
{
	tidy_descriptors(forked ? OFFERS_FD + 1 : FIRST_STRAY_FD);
	if (forked) {
		line_open();
		offers_open();
	} else {
		setsid(); /* the nursery has left the broker's session */
	}
	prctl(PR_SET_CHILD_SUBREAPER, 1);

	struct plan plan;
	struct process self = {0};
	int error = plan_read(PLAN_FD, &plan);
	close(PLAN_FD);
	process_read(getpid(), &self);
	bool go = line_go();
	if (go)
		record_started(RECORD_FD, &self, plan.record);
	while (go)
		go = run_job(&plan, error) && line_next(&plan, &error, &self);
	plan_free(&plan);
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		return puts("hsched-shim, contract 1") < 0;
	tidy_signals();
	record_know_boot();
	limits_know();
	if (argc > 1 && strcmp(argv[1], "--nursery") == 0) {
		char *last = argv[argc - 1];
		nursery_run((struct title){argv[0], (size_t)(last + strlen(last) + 1 - argv[0])});
	} else {
		shim_run(false);
	}
	return 0;
}
