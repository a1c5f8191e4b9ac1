/* The line: what a shim that a nursery has forked and the broker tell each other.
 *
 * A pair of Unix sockets of type SOCK_SEQPACKET.  The broker says "g" when the job
 * for which the shim was made may start.  When nothing of a job is left, the shim
 * sends its record, and waits: the broker may send the plan of another job, of at most
 * LONGEST_PLAN bytes, after it has emptied the record and given it the new name.  The
 * end of the line means that nothing more comes; what runs is held to its end.
 */
#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LONGEST_PLAN = 65536, RECORD_SIZE = 512 };

static int line = -1; /* none: a shim for one job, which was told to start by being started */

/* Have a message raise SIGIO: a reader who sleeps in read() would be woken on the
 * broker's core, and wait there until the broker has nothing more to do. */
void line_open(void)
{
	line = LINE_FD;
	fcntl(line, F_SETFD, FD_CLOEXEC);
	fcntl(line, F_SETOWN, getpid());
	fcntl(line, F_SETFL, O_ASYNC | O_NONBLOCK);
}

/* It is the shim's alone: a job that holds it would hide the shim's death. */
void line_close(void)
{
	if (line >= 0)
		close(line);
}

/* Wait for a message; return its size, 0 at the end of the line. */
static size_t receive(char *message, size_t room)
{
	for (;;) {
		ssize_t size = recv(line, message, room, MSG_DONTWAIT);
		if (size >= 0)
			return (size_t)size;
		if (errno != EAGAIN)
			return 0;
		wait_signal(-1); /* SIGIO; what others send has no job to go to */
	}
}

/* Return whether the job may start: its start is on the broker's disk. */
bool line_go(void)
{
	char word;
	return line < 0 || receive(&word, sizeof word) == 1;
}

/* Tell that the job is over, and wait for another; return whether there is one.
 * `error` is that of its plan. */
bool line_next(struct plan *plan, int *error)
{
	static char message[LONGEST_PLAN];
	ssize_t size = line < 0 ? -1 : pread(RECORD_FD, message, RECORD_SIZE, 0);
	if (size != RECORD_SIZE || send(line, message, RECORD_SIZE, MSG_NOSIGNAL) < 0)
		return false;
	size_t got = receive(message, sizeof message);
	if (got == 0)
		return false;
	drop_term(); /* it was meant for the job that is over; the broker signals otherwise */
	plan_free(plan);
	*error = plan_take(plan, message, got);
	title_show(plan->id);
	return true;
}
