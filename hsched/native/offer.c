/* Offers: the next jobs in line, laid out before a job has ended.
 *
 * All shims of a nursery read from one end of a pair of Unix sockets of type
 * SOCK_SEQPACKET.  An OFFER is a plan, with the record of its job as a descriptor,
 * empty and locked.  Whichever shim is the first to have nothing left of its job
 * takes the first offer, if both plans agree on
 *   holds=WORDS        what the job asks for; without it a shim takes none
 * and lets go of its record otherwise.  The job starts on the slots of the one that is
 * over, whose fields
 *   slot=NAME=VALUE    variables that name its slots, where no env names them; repeated
 * go on to it.  A shim reads the offers and writes its name into the record, with
 *   record=NAME        that of the record, which a loss of power may leave another
 * while it holds its old record, which says that it is choosing, and only while there is
 * a broker: so the next broker knows when all that was taken is written down.  The job is
 * started once its record is on disk, as it would be if a broker had committed its start;
 * or at once, with
 *   promised=1         the broker's store says already that it may have begun
 */
#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

static int offers = -1; /* none: a shim for one job */

void offers_open(void)
{
	offers = OFFERS_FD;
	fcntl(offers, F_SETFD, FD_CLOEXEC);
}

void offers_close(void)
{
	if (offers >= 0)
		close(offers);
}

/* Return the descriptor that came with a message, or -1. */
static int descriptor_of(struct msghdr *message)
{
	int fd = -1;
	struct cmsghdr *head = CMSG_FIRSTHDR(message);
	if (head != NULL && head->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(head), sizeof fd);
	return fd;
}

/* Take the first offer; return its size, 0 where there is none. */
static size_t receive(char *bytes, size_t room, int *record)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr aligned;
	} control;
	struct iovec text = {bytes, room};
	struct msghdr message = {.msg_iov = &text,
	                         .msg_iovlen = 1,
	                         .msg_control = control.bytes,
	                         .msg_controllen = sizeof control.bytes};
	ssize_t size = recvmsg(offers, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	*record = size > 0 ? descriptor_of(&message) : -1;
	return size > 0 ? (size_t)size : 0;
}

/* Be the shim of the job that was offered, if its record can be written: it is the one to
 * write from now on, and with the old one this shim lets go of its choice. */
static bool succeed(struct plan *plan, const struct plan *next, int record,
                    const struct process *self)
{
	while (wait_signal(0) > 0)
		; /* they were meant for the job that is over: none is sent while jobs are offered */
	if (!record_started(record, self, next->record))
		return false;
	dup3(record, RECORD_FD, O_CLOEXEC);
	plan_free(plan);
	*plan = *next;
	title_show(plan->id);
	return true;
}

/* Take the job that is offered, if one is and is for this shim: `answer` becomes "+ID". */
enum taken offer_take(struct plan *plan, const struct process *self, char answer[ANSWER_SIZE])
{
	static char bytes[LONGEST_PLAN];
	answer[0] = '\0';
	if (offers < 0 || plan->holds == NULL)
		return TOOK_NONE;
	record_write(RECORD_FD, COMMAND, "choosing\n");
	int record = -1;
	size_t size = line_is_up() ? receive(bytes, sizeof bytes, &record) : 0;
	struct plan next = {0};
	int error = size > 0 ? plan_succeed(&next, bytes, size, plan) : 0;
	bool fits = size > 0 && error == 0 && record >= 0;
	if (fits)
		fits = next.holds != NULL && strcmp(next.holds, plan->holds) == 0;
	if (fits && succeed(plan, &next, record, self)) {
		snprintf(answer, ANSWER_SIZE, "+%s", plan->id);
	} else {
		fits = false;
		plan_free(&next);
		record_write(RECORD_FD, COMMAND, "chosen\n");
	}
	if (record >= 0)
		close(record);
	return fits ? TOOK_ONE : error != 0 ? TOOK_AMISS : TOOK_NONE;
}
