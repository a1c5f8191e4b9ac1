/* The line: what a shim that a nursery has forked and the broker tell each other.
 *
 * A pair of Unix sockets of type SOCK_SEQPACKET.  The broker says "g" when the job
 * for which the shim was made may start.  When nothing of a job is left, the shim
 * sends its record, and after it what it answers to an offer (offer.c): it does so when
 * the job that it took has begun, so that the broker's turn is not in the way of that.
 * Without one that it took it waits: the broker may send the plan of another job, of at most
 * LONGEST_PLAN bytes, after it has emptied the record and given it the new name.  The
 * end of the line means that nothing more comes; what runs is held to its end.
 */
#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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

/* Return whether there is a broker at the other end. */
bool line_is_up(void)
{
	char word;
	return recv(line, &word, sizeof word, MSG_DONTWAIT | MSG_PEEK) < 0 && errno == EAGAIN;
}

/* What is to be told of the job that is over: its record, and the answer to an offer. */
static char tale[RECORD_SIZE + ANSWER_SIZE];
static size_t untold;

/* Tell what is to be told; return whether there was anybody to hear it. */
bool line_tell(void)
{
	ssize_t sent = untold > 0 ? send(line, tale, untold, MSG_NOSIGNAL) : 0;
	untold = 0;
	return sent >= 0;
}

/* Go on with the next in line, of which is told once it has begun; or tell that the job is
 * over, and wait for the broker to send one.  Return whether there is one. */
bool line_next(struct plan *plan, int *error, const struct process *self)
{
	static char message[LONGEST_PLAN];
	if (line < 0 || pread(RECORD_FD, tale, RECORD_SIZE, 0) != RECORD_SIZE)
		return false;
	enum taken taken = offer_take(plan, self, tale + RECORD_SIZE);
	untold = RECORD_SIZE + strlen(tale + RECORD_SIZE);
	if (taken == TOOK_ONE)
		return true;
	size_t got = !line_tell() || taken == TOOK_AMISS ? 0 : receive(message, sizeof message);
	if (got == 0)
		return false;
	drop_term(); /* it was meant for the job that is over; the broker signals otherwise */
	plan_free(plan);
	*error = plan_take(plan, message, got);
	title_show(plan->id);
	record_started(RECORD_FD, self, plan->record);
	return true;
}
